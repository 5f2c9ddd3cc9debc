-- What analytics needs to know of a scan, and when it became visible. The Scan Service goes on
-- inserting as before: every column here may be left out of an INSERT, and no trigger looks at one.
ALTER TABLE scan_events
    -- Null, as in every row from before, counts as valid.
    ADD COLUMN valid        boolean,
    ADD COLUMN fraud_reason text,
    ADD COLUMN state        text,
    -- The transaction that inserted the row. A snapshot says of any such number whether it was
    -- committed when the snapshot was taken, so "what was not there at the last fold" is exact,
    -- however late a row commits. The default is the same for the whole ALTER, so no row is
    -- rewritten.
    ADD COLUMN ingest_xid   xid8 NOT NULL DEFAULT pg_current_xact_id();

-- The rows from before share one number. Without this the planner takes all numbers for a handful
-- and reads the whole index to find the newest few.
ALTER TABLE scan_events ALTER COLUMN ingest_xid SET (n_distinct = -0.1);

-- GET /v1/admin/dashboard/products: which products are out of circulation.
ALTER TABLE products ADD COLUMN archived_at timestamptz;
