"""Grade, gates, disposition, refund: pure functions over data files, each result with its reasons.

Lives here: reading the rule files (``rules``), understanding the answers (``findings``), the gates and their floor
(``gates``), what ways are worth (``economics``), the refund, the second look, and ``decide``, which joins them. Not
here: what comes next on the screen, the store, any device.

Decision: what nobody proved counts as raised, and what fits no rule is held. Price: a merchant who forgets a question
finds units in quarantine; the other way round he would find them on fire, or sold with somebody's photos on them.
Decision: the least that a gate forbids stands in code (``gates.FLOOR``), not only in the file. Price: a law that
changes for the looser needs a release; a slip in a merchant's file cannot pass a damaged battery.
"""
