"""The central server: app, store, projections.

Context: benches push what they recorded, over networks that lose, cut and double; the server may be killed anywhere.
Decision: one transaction per push checks the chain, stores the bytes as received, projects, and only then answers.
Exactly-once is a unique constraint (``insert … on conflict do nothing returning``): what was not returned was here
already and is compared with what came. Handlers are thin; judging an entry is pure; SQL is portable Core.
Price: one writer at a time per station (per database on SQLite). Benches record some hundred entries a second at most.

This package and ``sync.client`` meet only in ``sync.protocol``.
"""
