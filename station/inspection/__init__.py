"""One inspection at the bench: the flow, the facts it collects, the protocols that ask, the record that remains.

``workflow`` is the one table of what may come next; ``draft`` is the unit in work, a log of events that is saved before
the screen changes, so that a killed process resumes at the same step; ``desk`` holds the use cases; ``showing`` turns a
draft into the one value that a screen needs. No Qt, no SQL, no device here.

Protocols: ``protocol`` is the model (choices, numbers, texts, scans; rework; weigh rules), ``protocol_file`` reads it,
``protocol_check`` refuses what could mean two things, ``protocol_selection`` says which one an article gets and why,
``entry`` turns what was typed or scanned into a choice. ``protocol_ways`` walks all ways at once by merging;
``protocol_lint`` and ``station.decision.cover`` stand on it. Decision: whatever the kind of question, its answer is one
of its choices (a number lies in exactly one range), so conditions, gates, grades and the walk know no kinds. Price: the
value itself counts for nothing but the range it lies in; it is kept in the record, and read anew under a new version.

Decision: a draft is its *log of events*, not its fields. Context: undo must reach 20 steps back, and a crash must lose
nothing. A log gives both for free (drop the last step; read it again) and is small to save. Price: the events are a
file format, so they carry a schema number and may only grow. The state after each event is kept with it, so that a
resumed draft never depends on rules that were changed meanwhile.
"""
