"""People at the centre: who they are, which roles they held when, how they sign in, and what their records may do.

Context: benches know people by badge and PIN (``station.people``), the API by password or by the company's own sign-in
(OIDC). A record may arrive days after it was made, by somebody whose role has ended since.
Decision: roles are spans that are ended and never erased; a record is judged by the roles at its own time
(``authority``), a request by the roles now. Sessions are random, kept as hashes, short, and end with every change of
the person's password or roles. Whatever is guessed at – passwords, accounts, addresses – is counted in the database
before it is looked at (``sign_in``, ``sync.server.limits``). Secrets that are in no database hang on one key (``key``).
Price: signing in costs two transactions and 0.2 s; a request of a person costs one query.

No route and no framework in here, except what ``passwords`` waits on.
"""
