"""Backups, retention and erasure. Tables of their own (see ``rows.py``)."""
