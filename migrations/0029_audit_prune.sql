-- Retention. The oldest entries may go, as `jobs prune` takes them: those of a row of numbers that
-- begins where the log begins, all of them signed, and beside an entry of the same transaction that
-- says which. Their leaves stay, so what was signed can still be proved. Any other DELETE is refused
-- as before, the owner's, too.
DROP TRIGGER admin_audit_logs_append_only ON admin_audit_logs;
CREATE TRIGGER admin_audit_logs_append_only
    BEFORE UPDATE ON admin_audit_logs
    FOR EACH ROW EXECUTE FUNCTION admin_audit_logs_append_only();

CREATE FUNCTION admin_audit_logs_refuse_delete() RETURNS trigger
LANGUAGE plpgsql
SET search_path = public, pg_temp
AS $$
DECLARE
    entries      bigint;
    numbered     bigint;
    first_number bigint;
    last_number  bigint;
BEGIN
    SELECT count(*), count(l.number), min(l.number), max(l.number)
    INTO entries, numbered, first_number, last_number
    FROM taken AS t
    LEFT JOIN admin_audit_leaves AS l ON l.entry_id = t.id AND l.leaf = t.leaf;

    IF entries = 0
       OR (numbered = entries
           AND last_number - first_number + 1 = entries
           AND last_number < (SELECT max(size) FROM admin_audit_checkpoints)
           -- What is before it is gone, likewise one row of numbers after the other.
           AND NOT EXISTS (
               SELECT
               FROM admin_audit_leaves AS l
               JOIN admin_audit_logs AS e ON e.id = l.entry_id
               WHERE l.number = first_number - 1
           )
           AND EXISTS (
               SELECT
               FROM admin_audit_logs
               WHERE recorded_xid = pg_current_xact_id()
                 AND action = 'delete' AND entity_type = 'audit_log' AND outcome = 'success'
                 AND changes::jsonb -> 'before' = jsonb_build_object(
                     'first_number', first_number, 'last_number', last_number,
                     'entries', entries)
           ))
    THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'the audit log is append-only: % refused', TG_OP
        USING ERRCODE = 'insufficient_privilege',
              HINT = '`jobs prune` takes away the oldest entries, and leaves an entry about it.';
END $$;

CREATE TRIGGER admin_audit_logs_refuse_delete
    AFTER DELETE ON admin_audit_logs
    REFERENCING OLD TABLE AS taken
    FOR EACH STATEMENT EXECUTE FUNCTION admin_audit_logs_refuse_delete();
