-- no-transaction
-- The ragged ends of a period that does not begin and end with a day: rows by time. Rows arrive
-- nearly in the order of their time, so ranges of blocks are enough, at a thousandth of the size. The
-- newest blocks are asked for most, so they are not left to the next VACUUM.
CREATE INDEX CONCURRENTLY IF NOT EXISTS scan_events_scanned_idx
    ON scan_events USING brin (scanned_at timestamp_minmax_multi_ops) WITH (autosummarize = on);
