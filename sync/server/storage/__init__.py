"""The central database: SQLite embedded, PostgreSQL in production, one set of tables and one way of writing.

Context: everything above speaks portable SQLAlchemy Core; only four things differ between the two databases, and they
are what ``Database`` hides: how a transaction begins, how many rows go in at once, how a row that is already there is
passed over, and who may write at the same time (SQLite: one connection of one process; PostgreSQL: any number, a
station's chain being locked by its row in ``heads``).
Decision: bulk inserts are tried as if everything were new (``COPY`` on PostgreSQL), inside a savepoint; only if a row
is already there they are repeated with ``on conflict do nothing``. Exactly-once rests on the unique constraints, never
on what was asked before.
Price: a push with repeats is written twice.

PostgreSQL keeps ``entries`` in monthly partitions of their id: ids are UUIDv7, so they order by time, and the unique
constraint on the id stays global (SYNC.md §3.4). That a place (station, generation, seq) is taken once is held by the
lock on its chain's head there. Ids that are not UUIDv7 of this age lie in the default partition.
"""

from sqlalchemy.engine import URL as DatabaseUrl

from sync.server.storage.database import Database, database_url, open_beside, open_database

__all__ = ["Database", "DatabaseUrl", "database_url", "open_beside", "open_database"]
