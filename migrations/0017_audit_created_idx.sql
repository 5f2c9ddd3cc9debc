-- no-transaction
-- The audit log, newest first.
CREATE INDEX CONCURRENTLY IF NOT EXISTS admin_audit_logs_created_idx
    ON admin_audit_logs (created_at DESC, id DESC);
