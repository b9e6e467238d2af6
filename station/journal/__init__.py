"""The append-only, hash-chained journal: record, audit trail and outbox are this one thing. Values, no SQL."""
