"""The append-only, hash-chained journal: record, audit trail and outbox in one. Values and checks, no SQL."""
