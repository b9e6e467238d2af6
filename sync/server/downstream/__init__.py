"""What leaves the centre for other systems: a transactional outbox and signed, ordered, safe deliveries of it.

Context: an ERP must hear of every inspection, refund and stock movement exactly as often as it happened, in the order
of each unit, whatever crashes; and an address that somebody typed in must not become a way into our own network.
Decision: the push's transaction writes one row per event and endpoint (``outbox``; the primary key is the event's id,
made of the entry's, so it cannot be there twice). Every server process sends what is due (``dispatcher``): it leases
the first unsettled event of each unit, with ``SKIP LOCKED`` where the database has it, so a failing event holds back
the later ones of its unit and nothing else. Bodies are CloudEvents 1.0, signatures Standard Webhooks (``signing``),
the waits between tries that specification's (``schedule``). Connections are made to the address that was checked
(``addresses``, ``sending``).
Price: at least once, with the same id: a server killed between a delivery and its note sends it again.
"""
