-- The seal of the audit log. `jobs seal` gives each entry a number, without gaps from 0, and makes
-- its leaf part of an RFC 6962 Merkle tree, whose signed checkpoints prove what was in the log.

-- The entries that have no number yet. A queue, because neither the time nor the transaction of an
-- entry tells which ones a reader has seen: transactions commit in an order of their own, and their
-- numbers mean nothing in a restored dump.
CREATE TABLE admin_audit_unsealed (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entry_id uuid   NOT NULL
);

CREATE FUNCTION admin_audit_logs_enqueue() RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
BEGIN
    INSERT INTO admin_audit_unsealed (entry_id) SELECT id FROM written;
    RETURN NULL;
END $$;

-- Before the rows that are there are queued: from here on nothing is written beside the queue.
CREATE TRIGGER admin_audit_logs_enqueue
    AFTER INSERT ON admin_audit_logs
    REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION admin_audit_logs_enqueue();

INSERT INTO admin_audit_unsealed (entry_id)
SELECT id FROM admin_audit_logs ORDER BY created_at, id;

-- The leaves of the tree: kept when their entries are pruned, so that old proofs still hold.
CREATE TABLE admin_audit_leaves (
    number   bigint PRIMARY KEY,
    entry_id uuid   NOT NULL,
    leaf     bytea  NOT NULL,

    CONSTRAINT admin_audit_leaves_entry_id_key UNIQUE (entry_id),
    CONSTRAINT admin_audit_leaves_number_check CHECK (number >= 0),
    CONSTRAINT admin_audit_leaves_leaf_check CHECK (octet_length(leaf) = 32)
);

-- The hashes of the full subtrees of 2^level leaves, of which this is the `position`th from 0. Those
-- of fewer than 256 leaves are not kept: reading so many leaves costs no more than reading one.
CREATE TABLE admin_audit_nodes (
    level    smallint NOT NULL,
    position bigint   NOT NULL,
    hash     bytea    NOT NULL,

    PRIMARY KEY (level, position),
    CONSTRAINT admin_audit_nodes_level_check CHECK (level >= 8),
    CONSTRAINT admin_audit_nodes_hash_check CHECK (octet_length(hash) = 32)
);

-- What the log was at some time, signed: C2SP tlog-checkpoint in a C2SP signed note. The key that
-- it verifies with stands beside it (C2SP vkey), for who has no better source.
CREATE TABLE admin_audit_checkpoints (
    size       bigint      PRIMARY KEY,
    root       bytea       NOT NULL,
    signed_at  timestamptz NOT NULL,
    note       text        NOT NULL,
    public_key text        NOT NULL,

    CONSTRAINT admin_audit_checkpoints_size_check CHECK (size > 0),
    CONSTRAINT admin_audit_checkpoints_root_check CHECK (octet_length(root) = 32)
);

-- How many leaves the tree has. One row; whoever locks it seals.
CREATE TABLE admin_audit_seal (
    one  boolean PRIMARY KEY DEFAULT true,
    size bigint  NOT NULL,

    CONSTRAINT admin_audit_seal_one_check CHECK (one),
    CONSTRAINT admin_audit_seal_size_check CHECK (size >= 0)
);
INSERT INTO admin_audit_seal (size) VALUES (0);

-- What is sealed stays: this stops the owner's hand, too.
CREATE FUNCTION admin_audit_refuse_change() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE TRIGGER admin_audit_leaves_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON admin_audit_leaves
    FOR EACH STATEMENT EXECUTE FUNCTION admin_audit_refuse_change();
CREATE TRIGGER admin_audit_nodes_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON admin_audit_nodes
    FOR EACH STATEMENT EXECUTE FUNCTION admin_audit_refuse_change();
CREATE TRIGGER admin_audit_checkpoints_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON admin_audit_checkpoints
    FOR EACH STATEMENT EXECUTE FUNCTION admin_audit_refuse_change();

-- The planner must learn that the state is one row.
ANALYZE admin_audit_seal;
