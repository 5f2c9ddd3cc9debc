-- What the scheduled seal may do: read the entries, give an imported one its text and leaf, number
-- entries and sign. It can take nothing away but an entry from the queue.
DO $$
BEGIN
    CREATE ROLE admin_api_seal NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END $$;

GRANT SELECT, UPDATE (canonical, leaf) ON admin_audit_logs TO admin_api_seal;
GRANT SELECT, DELETE ON admin_audit_unsealed TO admin_api_seal;
GRANT SELECT, INSERT ON admin_audit_leaves, admin_audit_nodes, admin_audit_checkpoints
    TO admin_api_seal;
GRANT SELECT, UPDATE (size) ON admin_audit_seal TO admin_api_seal;
