-- What the analytics function may do: count scans by when, where and why. Which product or tag was
-- scanned it cannot see.
DO $$
BEGIN
    CREATE ROLE admin_api_analytics NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END $$;

GRANT SELECT ON admin_session_state TO admin_api_analytics;
GRANT EXECUTE ON FUNCTION admin_session_mark_seen TO admin_api_analytics;

GRANT SELECT ON scans_by_quarter_hour, scans_by_hour, frauds_by_day_and_reason,
                scans_by_day_and_country, scans_by_day_and_state
    TO admin_api_analytics;
GRANT SELECT (scanned_at, country, state, is_valid, fraud_reason, risk_score)
    ON unfolded_scan_events TO admin_api_analytics;
GRANT SELECT (scanned_at, country, state, valid, fraud_reason, risk_score)
    ON scan_events TO admin_api_analytics;
-- Whether there is a state at all.
GRANT SELECT (one) ON scan_fold TO admin_api_analytics;
GRANT INSERT (id, entity_type, entity_id, action, user_id, username, outcome, changes, ip_address,
              user_agent, request_id, created_at, canonical, leaf, imported)
    ON admin_audit_logs TO admin_api_analytics;
