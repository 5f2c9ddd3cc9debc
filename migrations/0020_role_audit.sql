-- What the audit function may do: read the log and what seals it, and note who reads it.
DO $$
BEGIN
    CREATE ROLE admin_api_audit NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END $$;

GRANT SELECT ON admin_session_state TO admin_api_audit;
GRANT EXECUTE ON FUNCTION admin_session_mark_seen TO admin_api_audit;

GRANT SELECT ON admin_audit_logs, admin_audit_unsealed, admin_audit_leaves, admin_audit_nodes,
                admin_audit_checkpoints, admin_audit_seal
    TO admin_api_audit;
GRANT INSERT (id, entity_type, entity_id, action, user_id, username, outcome, changes, ip_address,
              user_agent, request_id, created_at, canonical, leaf)
    ON admin_audit_logs TO admin_api_audit;
