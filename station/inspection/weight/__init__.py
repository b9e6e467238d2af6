"""What a mass says about the contents: learned masses, one verdict out of several explanations, and how good that is.

Lives here: the running estimate of an article's mass (``learned``), what it is expected to weigh on this very scale
(``expected``), which explanation fits an indication that is off (``explain``), parcels made up with known truth
(``simulate``) and the measured quality (``quality``). Not here: the words at the bench (``inspection.plausibility``).

Decision: masses are integer milligrams everywhere; only probabilities are floats, and they never flow back into a mass.
"""
