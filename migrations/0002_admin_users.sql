-- The people who can sign in. The Python service that this API replaces has this table already:
-- then every row of it is kept, and a person goes on with the old password.
CREATE TABLE IF NOT EXISTS admin_users (
    id            uuid PRIMARY KEY,
    email         varchar(255) NOT NULL,
    name          varchar(255) NOT NULL,
    role          varchar(20) NOT NULL,
    password_hash varchar(255) NOT NULL,
    is_active     boolean NOT NULL DEFAULT true,
    risk_score    integer NOT NULL DEFAULT 0,
    created_at    timestamp NOT NULL,
    updated_at    timestamp NOT NULL
);

-- Where a person logged in from before; nothing new is written here.
CREATE TABLE IF NOT EXISTS admin_login_logs (
    id         uuid PRIMARY KEY,
    user_id    uuid NOT NULL,
    ip_address varchar(45),
    user_agent varchar(500),
    created_at timestamp NOT NULL
);

ALTER TABLE admin_users
    ALTER COLUMN risk_score SET DEFAULT 0,
    ADD COLUMN username             text,
    -- Deleting is a mark: the audit log goes on pointing at the row.
    ADD COLUMN deleted_at           timestamptz,
    ADD COLUMN must_change_password boolean NOT NULL DEFAULT false,
    -- Set while the password is a temporary one.
    ADD COLUMN password_expires_at  timestamptz,
    ADD COLUMN last_login_at        timestamptz,
    -- Counts the changes an administrator makes; the ETag of the user.
    ADD COLUMN version              bigint NOT NULL DEFAULT 1,
    -- What the Python service called the role, where that was another word.
    ADD COLUMN imported_role        varchar(20),
    -- True for an imported account whose e-mail differs from an older one's in nothing but case.
    -- Both were allowed once; such an account is found by its e-mail exactly as it is written.
    ADD COLUMN email_case_variant   boolean NOT NULL DEFAULT false;

UPDATE admin_users AS u
SET email_case_variant = true
WHERE EXISTS (
    SELECT 1
    FROM admin_users AS older
    WHERE lower(older.email) = lower(u.email)
      AND (older.created_at, older.id) < (u.created_at, u.id)
);

UPDATE admin_users
SET username = CASE WHEN email_case_variant THEN lower(email) || '.' || left(id::text, 8)
                    ELSE lower(email) END,
    imported_role = CASE WHEN role IN ('admin', 'viewer') THEN NULL ELSE role END,
    -- A role that nobody has told us about gets the least.
    role = CASE role WHEN 'super_admin' THEN 'admin'
                     WHEN 'admin' THEN 'admin'
                     WHEN 'compliance' THEN 'editor'
                     ELSE 'viewer' END,
    last_login_at = (
        SELECT max(l.created_at) AT TIME ZONE 'UTC'
        FROM admin_login_logs AS l
        WHERE l.user_id = admin_users.id
    );

-- An e-mail is unique among users that are not deleted, whatever its case. The old rule, unique
-- over all rows and to the letter, would keep a deleted user's e-mail taken for ever.
DO $$
DECLARE
    old_rule record;
BEGIN
    FOR old_rule IN
        SELECT i.indexrelid::regclass AS index_name, c.conname
        FROM pg_index AS i
        JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attname = 'email'
        LEFT JOIN pg_constraint AS c ON c.conindid = i.indexrelid AND c.contype = 'u'
        WHERE i.indrelid = 'admin_users'::regclass
          AND i.indisunique AND i.indnatts = 1 AND i.indkey[0] = a.attnum
    LOOP
        IF old_rule.conname IS NULL THEN
            EXECUTE format('DROP INDEX %s', old_rule.index_name);
        ELSE
            EXECUTE format('ALTER TABLE admin_users DROP CONSTRAINT %I', old_rule.conname);
        END IF;
    END LOOP;
END $$;

ALTER TABLE admin_users
    ALTER COLUMN username SET NOT NULL,
    ADD CONSTRAINT admin_users_username_folded_check CHECK (username = lower(username)),
    ADD CONSTRAINT admin_users_role_check CHECK (role IN ('admin', 'editor', 'viewer'));

CREATE UNIQUE INDEX admin_users_username_key ON admin_users (username) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX admin_users_email_key ON admin_users (lower(email))
    WHERE deleted_at IS NULL AND NOT email_case_variant;

-- GET /v1/admin/users: a page, newest first.
CREATE INDEX admin_users_newest_idx ON admin_users (created_at DESC, id DESC)
    WHERE deleted_at IS NULL;
-- A failed login asks whether its address ever logged in to the account.
CREATE INDEX admin_login_logs_user_address_idx ON admin_login_logs (user_id, ip_address);
