-- What the retry worker may do: note what becomes of a command. Of batches and anchors it sees
-- whether they failed.
DO $$
BEGIN
    CREATE ROLE admin_api_retry_worker NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END $$;

GRANT SELECT (id, status) ON batches, anchors TO admin_api_retry_worker;
GRANT SELECT, UPDATE (status, updated_at, attempts, last_error, lease_until, fencing)
    ON admin_commands TO admin_api_retry_worker;
