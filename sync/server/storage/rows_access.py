"""Benches: enrolment, keys, revocation, countersigned heads. Tables of their own (see ``rows.py``)."""
