-- What the scheduled measuring may see: how old what waits is, and how much of it there is. Of
-- people it learns no more than that somebody was here.
DO $$
BEGIN
    CREATE ROLE admin_api_measure NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END $$;

GRANT SELECT (folded_at) ON scan_fold TO admin_api_measure;
GRANT SELECT ON admin_audit_unsealed TO admin_api_measure;
GRANT SELECT (id, created_at) ON admin_audit_logs TO admin_api_measure;
GRANT SELECT (created_at, published_at) ON admin_outbox TO admin_api_measure;
GRANT SELECT (status, requested_at) ON admin_commands TO admin_api_measure;
GRANT SELECT (user_id, last_used_at, revoked_at) ON admin_sessions TO admin_api_measure;
