"""Why goods come back, how many will come, and who is needed for it: figures over many inspections, explained.

Values in, results out: units that stand (``unit``), sales with what became of them (``linking``), hours with their
counts. Every result says in its ``basis`` by which method and definitions it was made, of how many units and what was
left out, and carries a plain sentence beside each number that a person may act on.

Decisions
- *Nothing here defines a KPI anew.* Agreement of reasons, diversion, recovery and return rate mean what DOMAIN.md and
  the centre's figures say (``sync.server.figures``); a test counts both ways and compares.
- *No statistics library.* The exact tests, the beta distribution and Erlang's formula are each a few lines with their
  source; a 40 MB dependency on every bench for them is the worse price. numpy is imported inside the functions that
  fit or smooth many numbers, so that a start of the program does not pay for it.
- *A finding must survive the search for it.* Whoever looks at a thousand articles finds fifty "significant" ones in
  noise; everything searched for in one report is corrected together (``exact.benjamini_hochberg``), and a minimum of
  cases is asked before anything is named.
- *Rates are in 1/10 000* (as the centre's), money in minor units, mass in milligrams. Probabilities of chance (p, q)
  and ratios (lift) are floats: nothing is booked with them.

What must not live here: files, SQL, screens, the words of one bench's day (``station.review``), decisions on units.
"""
