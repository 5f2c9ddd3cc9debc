-- The Python service's database, with one of the Factory's tables beside it.
CREATE TABLE admin_users (
    id            uuid PRIMARY KEY,
    email         varchar(255) NOT NULL UNIQUE,
    name          varchar(255) NOT NULL,
    role          varchar(20) NOT NULL,
    password_hash varchar(255) NOT NULL,
    is_active     boolean NOT NULL,
    risk_score    integer NOT NULL,
    created_at    timestamp NOT NULL,
    updated_at    timestamp NOT NULL
);
-- SQLAlchemy's `unique=True, index=True` makes an index beside, or in place of, the constraint.
CREATE UNIQUE INDEX ix_admin_users_email ON admin_users (email);

CREATE TABLE admin_audit_logs (
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

CREATE TABLE admin_login_logs (
    id         uuid PRIMARY KEY,
    user_id    uuid NOT NULL,
    ip_address varchar(45),
    user_agent varchar(500),
    created_at timestamp NOT NULL
);

CREATE TABLE batches (
    id                      uuid PRIMARY KEY,
    factory_id              uuid NOT NULL,
    product_count           integer NOT NULL,
    status                  varchar(20) NOT NULL,
    merkle_root             varchar(64),
    blockchain_tx           varchar(255),
    blockchain_task_id      varchar(255),
    metadata                json,
    error                   varchar(1000),
    created_at              timestamp NOT NULL,
    updated_at              timestamp NOT NULL,
    processing_completed_at timestamp,
    anchored_at             timestamp
);

INSERT INTO admin_users VALUES
    ('00000000-0000-4000-8000-000000000001', 'Root@example.com', 'Root', 'super_admin',
     '$2b$12$WApznUPhDubN0oeveSXHpOXnA/9EGZwVeWmq0vZ0HpyHoBpDnQqQe', true, 7,
     '2024-01-01 10:00:00', '2024-02-01 10:00:00.123456'),
    ('00000000-0000-4000-8000-000000000002', 'admin@example.com', 'Admin', 'admin',
     '$2b$12$admin', true, 0, '2024-01-02', '2024-01-02'),
    ('00000000-0000-4000-8000-000000000003', 'law@example.com', 'Law', 'compliance',
     '$2b$12$law', true, 0, '2024-01-03', '2024-01-03'),
    ('00000000-0000-4000-8000-000000000004', 'works@example.com', 'Works', 'factory_manager',
     '$2b$12$works', false, 0, '2024-01-04', '2024-01-04'),
    ('00000000-0000-4000-8000-000000000005', 'view@example.com', 'View', 'viewer',
     '$2b$12$view', true, 0, '2024-01-05', '2024-01-05'),
    ('00000000-0000-4000-8000-000000000006', 'odd@example.com', '', 'auditor',
     '$2b$12$odd', true, 0, '2024-01-06', '2024-01-06'),
    ('00000000-0000-4000-8000-000000000007', 'ROOT@example.com', 'Root the younger', 'viewer',
     '$2b$12$younger', true, 0, '2024-01-07', '2024-01-07');

INSERT INTO admin_audit_logs VALUES
    ('00000000-0000-4000-8000-000000000101', 'User', '00000000-0000-4000-8000-000000000002',
     'USER_CREATED', '00000000-0000-4000-8000-000000000001', '{"b": 1,  "a": [1, 2]}',
     '203.0.113.7', 'Mozilla/5.0', '2024-01-02 00:00:00.5'),
    ('00000000-0000-4000-8000-000000000102', 'settings', NULL, 'changed',
     '00000000-0000-4000-8000-000000000999', NULL, NULL, NULL, '2024-03-01');

INSERT INTO admin_login_logs VALUES
    ('00000000-0000-4000-8000-000000000201', '00000000-0000-4000-8000-000000000001',
     '203.0.113.7', 'Mozilla/5.0', '2025-06-01 08:00:00'),
    ('00000000-0000-4000-8000-000000000202', '00000000-0000-4000-8000-000000000001',
     NULL, NULL, '2025-06-02 08:00:00'),
    ('00000000-0000-4000-8000-000000000203', '00000000-0000-4000-8000-000000000999',
     '203.0.113.9', NULL, '2025-06-03 08:00:00');

INSERT INTO batches (id, factory_id, product_count, status, created_at, updated_at) VALUES
    ('00000000-0000-4000-8000-000000000301', '00000000-0000-4000-8000-000000000302', 10, 'failed',
     '2025-01-01', '2025-01-01');
