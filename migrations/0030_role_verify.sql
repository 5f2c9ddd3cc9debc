-- What whoever verifies the audit log may do: read it, all of it, and nothing else.
DO $$
BEGIN
    CREATE ROLE admin_api_verify NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END $$;

GRANT SELECT ON admin_audit_logs, admin_audit_unsealed, admin_audit_leaves, admin_audit_nodes,
                admin_audit_checkpoints, admin_audit_seal
    TO admin_api_verify;
