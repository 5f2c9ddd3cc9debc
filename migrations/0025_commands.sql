-- Commands to other services: what an administrator asked for, and what became of it. A command, its
-- audit entry and the message that announces it are written in one transaction.
CREATE TABLE admin_commands (
    id           uuid        PRIMARY KEY,
    kind         text        NOT NULL,
    target_id    uuid        NOT NULL,
    status       text        NOT NULL DEFAULT 'queued',
    requested_by uuid        NOT NULL,
    requested_at timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    attempts     integer     NOT NULL DEFAULT 0,
    -- In our words: what another service wrote is not repeated.
    last_error   text,
    -- Whoever works on it holds it until then, and the number of that hold: a result that comes with
    -- an older number comes too late.
    lease_until  timestamptz,
    fencing      bigint      NOT NULL DEFAULT 0,

    CONSTRAINT admin_commands_kind_check CHECK (kind IN ('retry_batch', 'retry_anchor')),
    CONSTRAINT admin_commands_status_check CHECK (
        status IN ('queued', 'published', 'running', 'succeeded', 'failed', 'dead')
    ),
    CONSTRAINT admin_commands_attempts_check CHECK (attempts >= 0),
    CONSTRAINT admin_commands_last_error_check CHECK (length(last_error) <= 500)
);

-- One at a time for a target: of many who ask at once, one gets a row in.
CREATE UNIQUE INDEX admin_commands_under_way_key ON admin_commands (kind, target_id)
    WHERE status NOT IN ('succeeded', 'failed', 'dead');
-- The list, newest first.
CREATE INDEX admin_commands_requested_idx ON admin_commands (requested_at DESC, id DESC);

-- The Idempotency-Keys of the last 24 hours, and the command that each was answered with.
CREATE TABLE admin_command_keys (
    user_id    uuid        NOT NULL,
    key        text        NOT NULL,
    command_id uuid        NOT NULL REFERENCES admin_commands (id),
    created_at timestamptz NOT NULL,

    PRIMARY KEY (user_id, key)
);

-- Messages that leave with the transaction that caused them: whoever finds one that is not published
-- publishes it. Those with one ordering key leave in the order of their ids.
CREATE TABLE admin_outbox (
    id              bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    command_id      uuid        NOT NULL REFERENCES admin_commands (id),
    topic           text        NOT NULL,
    ordering_key    text        NOT NULL,
    attributes      jsonb       NOT NULL,
    payload         jsonb       NOT NULL,
    created_at      timestamptz NOT NULL,
    attempts        integer     NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL,
    published_at    timestamptz,
    last_error      text,

    CONSTRAINT admin_outbox_attempts_check CHECK (attempts >= 0)
);

-- The relay's question: what is due, and what of the same key comes before it.
CREATE INDEX admin_outbox_due_idx ON admin_outbox (ordering_key, id) WHERE published_at IS NULL;

-- No silent command: whoever makes one, a function or a hand in psql, must leave an audit entry
-- about its target in the same transaction. Checked at COMMIT.
CREATE FUNCTION admin_commands_require_entry() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1
        FROM admin_audit_logs
        WHERE recorded_xid = pg_current_xact_id()
          AND action = NEW.kind
          AND entity_type = CASE NEW.kind WHEN 'retry_batch' THEN 'batch' ELSE 'anchor' END
          AND entity_id = NEW.target_id
    ) THEN
        RAISE EXCEPTION 'admin command % was made without an audit entry in the same transaction',
            NEW.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER admin_commands_audited
    AFTER INSERT ON admin_commands
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION admin_commands_require_entry();
