-- What the auth function may do. A role belongs to the whole cluster, so it may exist already:
-- another database's migration made it, perhaps at this moment.
DO $$
BEGIN
    CREATE ROLE admin_api_auth NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END $$;

GRANT SELECT ON admin_session_state TO admin_api_auth;
GRANT EXECUTE ON FUNCTION admin_session_mark_seen TO admin_api_auth;

GRANT SELECT ON admin_users TO admin_api_auth;
GRANT UPDATE (password_hash, must_change_password, password_expires_at, last_login_at, updated_at)
    ON admin_users TO admin_api_auth;
GRANT SELECT, INSERT, UPDATE ON admin_sessions TO admin_api_auth;
GRANT SELECT (user_id, ip_address) ON admin_login_logs TO admin_api_auth;
GRANT INSERT (id, entity_type, entity_id, action, user_id, username, outcome, changes, ip_address,
              user_agent, request_id, created_at, canonical, leaf, imported)
    ON admin_audit_logs TO admin_api_auth;
