-- no-transaction
-- The fold, and every read of what is not folded yet: rows by the transaction that inserted them.
CREATE INDEX CONCURRENTLY IF NOT EXISTS scan_events_ingest_idx ON scan_events (ingest_xid);
