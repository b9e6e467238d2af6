"""Deliveries to other systems. Tables of their own (see ``rows.py``)."""
