-- What the dashboard function may do: count. Of the rows it counts it sees no more than the columns
-- it counts by.
DO $$
BEGIN
    CREATE ROLE admin_api_dashboard NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END $$;

GRANT SELECT ON admin_session_state TO admin_api_dashboard;
GRANT EXECUTE ON FUNCTION admin_session_mark_seen TO admin_api_dashboard;

GRANT SELECT (status) ON batches TO admin_api_dashboard;
GRANT SELECT (archived_at) ON products TO admin_api_dashboard;
GRANT SELECT (status) ON anchors TO admin_api_dashboard;
GRANT SELECT (scanned_at, valid) ON scan_events TO admin_api_dashboard;
GRANT SELECT (scanned_at, is_valid) ON unfolded_scan_events TO admin_api_dashboard;
GRANT SELECT (bucket, total, fraudulent) ON scans_by_quarter_hour, scans_by_hour
    TO admin_api_dashboard;
GRANT INSERT (id, entity_type, entity_id, action, user_id, username, outcome, changes, ip_address,
              user_agent, request_id, created_at, canonical, leaf, imported)
    ON admin_audit_logs TO admin_api_dashboard;
