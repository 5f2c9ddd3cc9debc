-- Who did what. The Python service's log goes on: its rows stay as they are, marked as imported.
CREATE TABLE IF NOT EXISTS admin_audit_logs (
    id          uuid PRIMARY KEY,
    entity_type varchar(50) NOT NULL,
    entity_id   uuid,
    action      varchar(50) NOT NULL,
    user_id     uuid,
    changes     json,
    ip_address  varchar(45),
    user_agent  varchar(500),
    created_at  timestamp NOT NULL
);

ALTER TABLE admin_audit_logs
    ADD COLUMN username     text,
    ADD COLUMN outcome      text,
    ADD COLUMN request_id   text,
    -- The entry as RFC 8785 canonical JSON, and the RFC 6962 leaf hash of that text.
    ADD COLUMN canonical    text,
    ADD COLUMN leaf         bytea,
    ADD COLUMN imported     boolean NOT NULL DEFAULT true,
    -- The transaction that wrote the entry, so that a change can be asked for its entry.
    ADD COLUMN recorded_xid xid8;

ALTER TABLE admin_audit_logs
    ALTER COLUMN recorded_xid SET DEFAULT pg_current_xact_id();

-- NOT VALID: the rows from before are imported and need no look at each.
ALTER TABLE admin_audit_logs
    ADD CONSTRAINT admin_audit_logs_leaf_check CHECK (
        leaf = sha256('\x00'::bytea || convert_to(canonical, 'UTF8'))
    ) NOT VALID,
    ADD CONSTRAINT admin_audit_logs_complete_check CHECK (
        imported OR (canonical IS NOT NULL AND leaf IS NOT NULL AND changes IS NOT NULL
                     AND recorded_xid IS NOT NULL)
    ) NOT VALID,
    ADD CONSTRAINT admin_audit_logs_outcome_check CHECK (
        imported OR (outcome IS NOT NULL AND outcome IN ('success', 'denied', 'failed'))
    ) NOT VALID,
    ADD CONSTRAINT admin_audit_logs_action_check CHECK (
        imported OR action IN (
            'create', 'update', 'delete', 'login', 'login_failed', 'logout', 'refresh_reused',
            'change_password', 'reset_password', 'revoke_session', 'retry_batch', 'retry_anchor',
            'export', 'view', 'denied'
        )
    ) NOT VALID,
    ADD CONSTRAINT admin_audit_logs_entity_type_check CHECK (
        imported OR entity_type IN ('user', 'session', 'batch', 'anchor', 'audit_log', 'route')
    ) NOT VALID;

-- At COMMIT each changed user asks for an entry of the same transaction.
CREATE INDEX admin_audit_logs_recorded_idx ON admin_audit_logs (recorded_xid)
    WHERE recorded_xid IS NOT NULL;

-- No function's role may change or delete an entry; this stops the owner's hand too. An imported
-- entry may be given its canonical text and leaf, once.
CREATE FUNCTION admin_audit_logs_append_only() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.imported AND OLD.leaf IS NULL AND OLD.canonical IS NULL THEN
            OLD.canonical := NEW.canonical;
            OLD.leaf := NEW.leaf;
            IF NEW::text = OLD::text THEN
                RETURN NEW;
            END IF;
        END IF;
    END IF;
    RAISE EXCEPTION 'the audit log is append-only: % refused', TG_OP
        USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TRIGGER admin_audit_logs_append_only
    BEFORE UPDATE OR DELETE ON admin_audit_logs
    FOR EACH ROW EXECUTE FUNCTION admin_audit_logs_append_only();
CREATE TRIGGER admin_audit_logs_no_truncate
    BEFORE TRUNCATE ON admin_audit_logs
    FOR EACH STATEMENT EXECUTE FUNCTION admin_audit_logs_append_only();
