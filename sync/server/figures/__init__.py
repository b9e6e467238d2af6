"""Figures of the floor and the lead's queue: sums that are kept while entries come in.

Context: ten million inspections, dashboards in 300 ms, PostgreSQL or SQLite, and a push may not become slower for it.
Decision: three tables of cells, each a cube small enough to be summed whole. ``figure_benches`` (day × bench ×
inspector; some 150 inspections fall into one cell whatever the scale, so ten million are some 70 000 cells) and
``figure_merchants`` (day × merchant × category) have a hundred sums side by side, among them histograms with fixed
edges in people's numbers, which add up and subtract exactly, unlike a t-digest. ``figure_labels`` has the names that
policies and catalogues make up. ``figure_units`` keeps what was counted of each inspection: voids, corrections and late
arrivals change cells by the difference (``counting.py``: a function of the record alone), and a figure can be opened
down to its units. Everything is kept in the transaction of the push and made anew from the journal at will
(``sync.server.rebuild``).

Benches must not wait for each other: a cell is its bench's own, or split in two by bench, and the applier is the last
one before the commit. Locks are taken in the order of keys; where two pushes speak of each other's inspections more
than once in a transaction PostgreSQL may still break a deadlock, and the bench sends again.

Every sum is in a cell of its day and in one of its month, so that a year is a dozen months and the days at its ends;
what goes by single days takes a quarter at most.

Indexes: reading is by site, build and a range of days, the beginning of every primary key, and rows of a day lie
together because they came together; on SQLite the tables *are* their primary key (WITHOUT ROWID). Cells are not
partitioned: a year is a hundred megabytes. ``figure_units`` has one index more (day, id) for its list; a BRIN index
would be smaller but cannot give the order that a keyset page needs. ``queue_items`` holds only what is open.

Price: a figure can be asked by bench and inspector, or by merchant and category, not by both at once: that is a list of
units. Days are UTC. A percentile is a bucket, not a point, and says so (``low``, ``high``).
"""

from sync.server.figures.following import Follower, catch_up, count_late
from sync.server.figures.waiting import settle

__all__ = ["Follower", "catch_up", "count_late", "settle"]
