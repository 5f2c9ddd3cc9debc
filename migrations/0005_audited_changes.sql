-- No silent change of a user: whoever makes one, a function or a hand in psql, must leave an audit
-- entry about that user, or by that user, in the same transaction. Checked at COMMIT.
CREATE FUNCTION admin_users_require_entry() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
DECLARE
    changed uuid := CASE TG_OP WHEN 'DELETE' THEN OLD.id ELSE NEW.id END;
BEGIN
    IF NOT EXISTS (
        SELECT 1
        FROM admin_audit_logs
        WHERE recorded_xid = pg_current_xact_id()
          AND ((entity_type = 'user' AND entity_id = changed) OR user_id = changed)
    ) THEN
        RAISE EXCEPTION 'admin user % was changed without an audit entry in the same transaction',
            changed USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER admin_users_audited
    AFTER INSERT OR UPDATE OR DELETE ON admin_users
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION admin_users_require_entry();

-- TRUNCATE fires no row trigger, so it is refused outright.
CREATE FUNCTION admin_users_refuse_truncate() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION 'admin_users cannot be truncated: each user is deleted with an audit entry'
        USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TRIGGER admin_users_no_truncate
    BEFORE TRUNCATE ON admin_users
    FOR EACH STATEMENT EXECUTE FUNCTION admin_users_refuse_truncate();
