-- No silent change of a session either: whoever starts or ends one, a function or a hand in psql,
-- must leave an audit entry about that session, about its user, or by its user, in the same
-- transaction. Checked at COMMIT. What a refresh changes, and that a client was seen, needs none.
CREATE FUNCTION admin_sessions_require_entry() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
DECLARE
    -- As it was before: what is taken from somebody is about them.
    session uuid := CASE TG_OP WHEN 'INSERT' THEN NEW.id ELSE OLD.id END;
    owner   uuid := CASE TG_OP WHEN 'INSERT' THEN NEW.user_id ELSE OLD.user_id END;
BEGIN
    IF NOT EXISTS (
        SELECT 1
        FROM admin_audit_logs
        WHERE recorded_xid = pg_current_xact_id()
          AND ((entity_type = 'session' AND entity_id = session)
               OR (entity_type = 'user' AND entity_id = owner)
               OR user_id = owner)
    ) THEN
        RAISE EXCEPTION
            'admin session % was changed without an audit entry in the same transaction', session
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER admin_sessions_audited
    AFTER INSERT OR DELETE ON admin_sessions
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION admin_sessions_require_entry();

CREATE CONSTRAINT TRIGGER admin_sessions_change_audited
    AFTER UPDATE ON admin_sessions
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW
    WHEN ((OLD.id, OLD.user_id, OLD.created_at, OLD.expires_at, OLD.ip_address, OLD.user_agent,
           OLD.revoked_at)
          IS DISTINCT FROM
          (NEW.id, NEW.user_id, NEW.created_at, NEW.expires_at, NEW.ip_address, NEW.user_agent,
           NEW.revoked_at))
    EXECUTE FUNCTION admin_sessions_require_entry();

-- TRUNCATE fires no row trigger, so it is refused outright.
CREATE FUNCTION admin_sessions_refuse_truncate() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION 'admin_sessions cannot be truncated: each session is deleted with an audit entry'
        USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TRIGGER admin_sessions_no_truncate
    BEFORE TRUNCATE ON admin_sessions
    FOR EACH STATEMENT EXECUTE FUNCTION admin_sessions_refuse_truncate();
