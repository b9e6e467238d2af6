"""Returns from shops, units and who owns them, leads' decisions. Tables of their own (see ``rows.py``)."""
