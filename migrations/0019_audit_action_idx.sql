-- no-transaction
-- Who did something of that kind, newest first.
CREATE INDEX CONCURRENTLY IF NOT EXISTS admin_audit_logs_action_idx
    ON admin_audit_logs (action, created_at DESC, id DESC);
