"""What IT does with a central server: watch it, move it, save it, bring it back, and let it forget.

Decision: moving to another database, saving and restoring are one thing, ``transfer``: all tables from one consistent
view into an empty database, in batches, counted and hashed on both sides, resumable. A backup is a SQLite file of the
same tables beside a folder of photos, whatever database the server has, so that it can be opened by anybody and
restored into either. Price: PostgreSQL's own tools are faster for very large databases and may be used instead; after
restoring with them, ``station server new-epoch`` tells the benches to offer again what is missing.

The server's keys (``keys/`` in its folder) are never part of a backup, so that a lost backup gives away no PIN; they
are copied to a place of their own with ``--keys``.
"""
