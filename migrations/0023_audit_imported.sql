-- The rows that the Python service left are marked as imported by now. From here on a row is one of
-- ours unless the owner of the table says otherwise: a function cannot say so, since what is
-- imported need have no canonical text.
ALTER TABLE admin_audit_logs ALTER COLUMN imported SET DEFAULT false;

REVOKE INSERT (imported) ON admin_audit_logs
    FROM admin_api_auth, admin_api_users, admin_api_analytics, admin_api_dashboard;
