"""People: roles, badges, PINs, sessions, lockouts. Tables of their own (see ``rows.py``)."""
