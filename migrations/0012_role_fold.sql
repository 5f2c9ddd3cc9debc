-- What the scheduled fold may do: see the events' columns that are counted, and count. It can take
-- nothing away, so `jobs fold --rebuild` needs the owner.
DO $$
BEGIN
    CREATE ROLE admin_api_fold NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END $$;

GRANT SELECT ON unfolded_scan_events TO admin_api_fold;
GRANT SELECT (scanned_at, country, state, valid, fraud_reason, risk_score, ingest_xid)
    ON scan_events TO admin_api_fold;
GRANT SELECT ON scan_fold TO admin_api_fold;
GRANT UPDATE (folded, folded_at, events_folded, backfill, backfill_before)
    ON scan_fold TO admin_api_fold;
GRANT SELECT, INSERT, UPDATE
    ON scans_by_quarter_hour, scans_by_hour, frauds_by_day_and_reason, scans_by_day_and_country,
       scans_by_day_and_state
    TO admin_api_fold;
