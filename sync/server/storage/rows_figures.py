"""Projections for figures and queues. Tables of their own (see ``rows.py``)."""
