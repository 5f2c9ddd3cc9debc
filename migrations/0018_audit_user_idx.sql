-- no-transaction
-- What somebody did, newest first.
CREATE INDEX CONCURRENTLY IF NOT EXISTS admin_audit_logs_user_idx
    ON admin_audit_logs (user_id, created_at DESC, id DESC);
