"""The bench's side: push the journal, then photos; survive everything between here and the centre.

Context: the journal is the outbox; the network and the server fail in every way there is. Decision: ``decide`` is a
pure function from what just happened to what is done next, with a table test; ``api`` turns every way in which a
request can end into one :class:`~sync.client.decide.Verdict`; ``loop`` does what was decided on its owner's thread.
Nothing counts as acknowledged that was not named in a parsed answer. Price: one request at a time; only a backlog
that is taken as it is sent has two batches under way.

This package and ``sync.server`` meet only in ``sync.protocol``.
"""
