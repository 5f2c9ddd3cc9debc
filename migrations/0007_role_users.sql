-- What the users function may do: administer users, but read no password hash, and of a session
-- know only whose it is and end it.
DO $$
BEGIN
    CREATE ROLE admin_api_users NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END $$;

GRANT SELECT ON admin_session_state TO admin_api_users;
GRANT EXECUTE ON FUNCTION admin_session_mark_seen TO admin_api_users;

GRANT SELECT (id, username, email, name, role, is_active, must_change_password,
              password_expires_at, last_login_at, created_at, updated_at, deleted_at, version,
              email_case_variant)
    ON admin_users TO admin_api_users;
GRANT INSERT ON admin_users TO admin_api_users;
GRANT UPDATE (username, email, name, role, is_active, password_hash, must_change_password,
              password_expires_at, updated_at, deleted_at, version, email_case_variant)
    ON admin_users TO admin_api_users;
GRANT SELECT (id, user_id, revoked_at), UPDATE (revoked_at) ON admin_sessions TO admin_api_users;
GRANT INSERT (id, entity_type, entity_id, action, user_id, username, outcome, changes, ip_address,
              user_agent, request_id, created_at, canonical, leaf, imported)
    ON admin_audit_logs TO admin_api_users;
