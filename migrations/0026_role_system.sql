-- What the system function may do: make commands, and note that one is published. Of batches and
-- anchors it sees whether they failed.
DO $$
BEGIN
    CREATE ROLE admin_api_system NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END $$;

GRANT SELECT ON admin_session_state TO admin_api_system;
GRANT EXECUTE ON FUNCTION admin_session_mark_seen TO admin_api_system;

GRANT SELECT (id, status) ON batches, anchors TO admin_api_system;
GRANT SELECT,
      INSERT (id, kind, target_id, requested_by, requested_at, updated_at),
      UPDATE (status, updated_at)
    ON admin_commands TO admin_api_system;
GRANT SELECT, INSERT, DELETE ON admin_command_keys TO admin_api_system;
GRANT SELECT (id, command_id, published_at),
      INSERT (command_id, topic, ordering_key, attributes, payload, created_at, next_attempt_at),
      UPDATE (published_at)
    ON admin_outbox TO admin_api_system;
GRANT INSERT (id, entity_type, entity_id, action, user_id, username, outcome, changes, ip_address,
              user_agent, request_id, created_at, canonical, leaf)
    ON admin_audit_logs TO admin_api_system;
