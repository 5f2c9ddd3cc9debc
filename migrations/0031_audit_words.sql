-- What each entry of the audit log costs those who write it. A CHECK is read and planned anew by
-- every statement, and lists of words make that the dearest part of an INSERT; a function keeps its
-- plan.
CREATE FUNCTION admin_audit_has_known_words(action text, entity_type text, outcome text)
RETURNS boolean
LANGUAGE plpgsql
IMMUTABLE
AS $$
BEGIN
    RETURN outcome IS NOT NULL AND outcome IN ('success', 'denied', 'failed')
        AND entity_type IN ('user', 'session', 'batch', 'anchor', 'audit_log', 'route')
        AND action IN (
            'create', 'update', 'delete', 'login', 'login_failed', 'logout', 'refresh_reused',
            'change_password', 'reset_password', 'revoke_session', 'retry_batch', 'retry_anchor',
            'export', 'view', 'denied'
        );
END $$;

ALTER TABLE admin_audit_logs
    DROP CONSTRAINT admin_audit_logs_outcome_check,
    DROP CONSTRAINT admin_audit_logs_action_check,
    DROP CONSTRAINT admin_audit_logs_entity_type_check,
    ADD CONSTRAINT admin_audit_logs_words_check CHECK (
        imported OR admin_audit_has_known_words(action, entity_type, outcome)
    ) NOT VALID;

-- Entries come one by one, for which the table of what a statement wrote is more than they need.
CREATE OR REPLACE FUNCTION admin_audit_logs_enqueue() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
BEGIN
    INSERT INTO admin_audit_unsealed (entry_id) VALUES (NEW.id);
    RETURN NULL;
END $$;

DROP TRIGGER admin_audit_logs_enqueue ON admin_audit_logs;
CREATE TRIGGER admin_audit_logs_enqueue
    AFTER INSERT ON admin_audit_logs
    FOR EACH ROW EXECUTE FUNCTION admin_audit_logs_enqueue();
