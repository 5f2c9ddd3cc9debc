-- What the relay may do: read the messages that have not left, and note that one has.
DO $$
BEGIN
    CREATE ROLE admin_api_relay NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END $$;

GRANT SELECT, UPDATE (attempts, next_attempt_at, published_at, last_error)
    ON admin_outbox TO admin_api_relay;
GRANT SELECT (id, status), UPDATE (status, updated_at) ON admin_commands TO admin_api_relay;
