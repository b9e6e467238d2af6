"""The HTTP face of the server, one module per kind of caller: thin handlers over the rooms beside this one.

Handlers are ``async`` only to read bodies under a cap; everything that touches disk runs on threads: as many for
writing as the database takes at once (SQLite: one), a few for the rest. Each module has ``routes(service)``;
``app.build_app`` puts them together.
"""
