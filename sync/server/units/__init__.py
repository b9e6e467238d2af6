"""What became of each physical unit, whoever inspected it: who owns it, what is contested, what a lead decided.

Context: two benches that are offline may inspect the same unit, and a lead may decide on what has changed meanwhile.
Decision: every inspection is kept; the first that stands, in the order in which the server took them, owns the unit;
with another one the unit is *contested* and goes to a lead. The same where more units came for a line of a return than
it announced. A unit's state is a pure function (``state``) of its inspections, what ended them and the decisions, so
corrections and voids may come in any order. A decision names the version of the unit that it was based on and takes no
effect on another one: never the last timestamp wins.
Price: which of two benches owns a contested unit depends on which reached the server first; both dispositions are shown
to the lead, and after the decision nothing depends on it any more.

Decisions at the centre are entries of a journal of its own, station ``centre``, which no bench may write.
"""

from typing import Final

CENTRE: Final = "centre"
"""Station of the server's own journal."""
