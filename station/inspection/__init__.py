"""One inspection at the bench: the flow, the facts it collects, the protocols that ask, the record that remains.

``workflow`` is the one table of what may come next; ``draft`` is the unit in work, a log of events that is saved before
the screen changes, so that a killed process resumes at the same step; ``desk`` holds the use cases; ``showing`` turns a
draft into the one value that a screen needs. No Qt, no SQL, no device here.

Decision: a draft is its *log of events*, not its fields. Context: undo must reach 20 steps back, and a crash must lose
nothing. A log gives both for free (drop the last step; read it again) and is small to save. Price: the events are a
file format, so they carry a schema number and may only grow. The state after each event is kept with it, so that a
resumed draft never depends on rules that were changed meanwhile.
"""
