-- The tables of the Factory, Scan and Blockchain services, for a database that does not have them:
-- a developer's, or a test's. In production they exist and nothing here touches them. Their times
-- are without a zone and hold UTC.
CREATE TABLE IF NOT EXISTS batches (
    id                      uuid PRIMARY KEY,
    factory_id              uuid NOT NULL,
    product_count           integer NOT NULL,
    status                  varchar(20) NOT NULL,
    merkle_root             varchar(64),
    blockchain_tx           varchar(255),
    blockchain_task_id      varchar(255),
    metadata                json,
    error                   varchar(1000),
    created_at              timestamp NOT NULL DEFAULT (now() AT TIME ZONE 'UTC'),
    updated_at              timestamp NOT NULL DEFAULT (now() AT TIME ZONE 'UTC'),
    processing_completed_at timestamp,
    anchored_at             timestamp
);

CREATE TABLE IF NOT EXISTS products (
    id               uuid PRIMARY KEY,
    batch_id         uuid NOT NULL REFERENCES batches (id) ON DELETE CASCADE,
    token            varchar(255) NOT NULL UNIQUE,
    verification_url varchar(500) NOT NULL,
    name             varchar(255),
    category         varchar(100),
    serial_number    varchar(100),
    created_at       timestamp NOT NULL DEFAULT (now() AT TIME ZONE 'UTC')
);

CREATE TABLE IF NOT EXISTS anchors (
    id             uuid PRIMARY KEY,
    batch_id       uuid NOT NULL UNIQUE,
    merkle_root    varchar(64) NOT NULL,
    product_count  integer NOT NULL,
    status         varchar(20) NOT NULL,
    transaction_id varchar(255) UNIQUE,
    block_number   bigint,
    gas_used       bigint,
    gas_price_gwei integer,
    network        varchar(50),
    error          varchar(1000),
    retry_count    integer NOT NULL DEFAULT 0,
    created_at     timestamp NOT NULL DEFAULT (now() AT TIME ZONE 'UTC'),
    updated_at     timestamp NOT NULL DEFAULT (now() AT TIME ZONE 'UTC'),
    anchored_at    timestamp
);

-- One row a tag.
CREATE TABLE IF NOT EXISTS scans (
    tag_id        uuid PRIMARY KEY,
    product_id    uuid NOT NULL,
    batch_id      uuid NOT NULL,
    first_scan_at timestamp,
    scan_count    integer NOT NULL DEFAULT 0,
    valid         boolean NOT NULL DEFAULT true,
    updated_at    timestamp,
    status        varchar(20) NOT NULL DEFAULT 'ok',
    risk_score    integer NOT NULL DEFAULT 0
);

-- One row a scan; the Scan Service inserts here on its hot path.
CREATE TABLE IF NOT EXISTS scan_events (
    id         uuid PRIMARY KEY,
    tag_id     uuid NOT NULL,
    product_id uuid NOT NULL,
    batch_id   uuid,
    scanned_at timestamp NOT NULL DEFAULT (now() AT TIME ZONE 'UTC'),
    country    varchar(2),
    risk_score integer NOT NULL DEFAULT 0,
    created_at timestamp NOT NULL DEFAULT (now() AT TIME ZONE 'UTC')
);
