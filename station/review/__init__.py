"""What deserves a second look, who takes it, in which order, and what a claim still lacks.

Values in, results with their reasons out. ``signals`` says what is unusual about a unit, ``score`` whether it is
unusual enough for the few looks that a day has, ``learning`` what the looks have taught; ``doubts`` are the rules by
which a unit must be looked at whatever it scores. ``plan``, ``switching``, ``draw`` and ``curve`` are the audit: which
share of ordinary units is looked at, and what that guarantees. ``order`` puts the queue in order, ``claims`` keeps the
evidence. ``agreement`` compares the people who look.

Decisions
- *A signal is a reason to look, never a verdict.* Sentences say what was seen and how often it was right before; the
  person who looks decides, and only that decision counts as an outcome. A signal that is never right loses its weight.
- *A budget, not a threshold.* A day has a number of looks; who asks for more trains people to wave units through. The
  score from which a unit is flagged follows from the budget. Price: in a week full of trouble the mildest is passed.
- *Lots are closed by their sample, not by their size.* A lot ends with its n-th audited unit, so that accepting it
  follows the binomial distribution exactly, however the draw falls. Price: a slow cell takes weeks to end a lot.
- *Draws are a keyed hash of the unit's id* (``draw``): nobody at a bench can foresee one, and an auditor who is given
  the key can repeat each. Price: there is one more secret to keep.

What must not live here: the store, screens, gates (``station.decision.gates``), whatever decides about a refund.
"""
