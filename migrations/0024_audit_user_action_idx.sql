-- no-transaction
-- How often somebody did something of that kind: without it, a thing they rarely did would be
-- looked for among all that they did, or among all who did it. The `view` entries ask, too.
CREATE INDEX CONCURRENTLY IF NOT EXISTS admin_audit_logs_user_action_idx
    ON admin_audit_logs (user_id, action, created_at DESC, id DESC);
