-- The view stands on the column, so it looks away while the column is exchanged, and is then put
-- back as it was. It keeps its grants, which a view made anew would not have.
DO $$
DECLARE
    definition text := pg_get_viewdef('unfolded_scan_events'::regclass);
BEGIN
    CREATE OR REPLACE VIEW unfolded_scan_events AS
    SELECT scanned_at + interval '0' AS scanned_at, country, state, valid IS NOT FALSE AS is_valid,
           fraud_reason, risk_score, false AS of_backfill
    FROM scan_events
    WHERE false;

    ALTER TABLE scan_events
        DROP COLUMN ingest_xid,
        ADD COLUMN ingest_xid xid8 NOT NULL DEFAULT pg_current_xact_id();
    ALTER TABLE scan_events ALTER COLUMN ingest_xid SET (n_distinct = -0.1);
    GRANT SELECT (ingest_xid) ON scan_events TO admin_api_fold;

    EXECUTE 'CREATE OR REPLACE VIEW unfolded_scan_events AS ' || definition;
END $$;
