-- One row a login. A refresh token is (session, generation, HMAC) and has no row of its own: the
-- session counts its generations, so an old token shows itself by its number.
CREATE TABLE admin_sessions (
    id              uuid        PRIMARY KEY,
    user_id         uuid        NOT NULL REFERENCES admin_users (id),
    generation      integer     NOT NULL DEFAULT 0,
    -- Whether the client was seen to hold the tokens of this generation.
    generation_seen boolean     NOT NULL DEFAULT false,
    created_at      timestamptz NOT NULL,
    rotated_at      timestamptz NOT NULL,
    last_used_at    timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL,
    ip_address      text        NOT NULL,
    user_agent      text,
    revoked_at      timestamptz,

    CONSTRAINT admin_sessions_generation_check CHECK (generation >= 0)
);

-- A user's living sessions: to list them, and to end them all.
CREATE INDEX admin_sessions_user_idx ON admin_sessions (user_id) WHERE revoked_at IS NULL;
-- A failed login asks whether its address ever logged in to the account.
CREATE INDEX admin_sessions_user_address_idx ON admin_sessions (user_id, ip_address);

-- What every function may know of a session: whether it lives, and who its user is now.
CREATE VIEW admin_session_state AS
SELECT s.id AS session_id, s.user_id, s.generation, s.generation_seen, s.expires_at,
       u.username, u.role, u.must_change_password
FROM admin_sessions AS s
JOIN admin_users AS u ON u.id = s.user_id
WHERE s.revoked_at IS NULL AND u.is_active AND u.deleted_at IS NULL;

-- The one thing every function may write on a session: an access token of the newest generation
-- arrived, so the client holds the refresh token that came with it.
CREATE FUNCTION admin_session_mark_seen(session uuid, seen_generation integer, seen_at timestamptz)
RETURNS void
LANGUAGE sql
SECURITY DEFINER
SET search_path = public, pg_temp
AS $$
    UPDATE admin_sessions
    SET generation_seen = true, last_used_at = greatest(last_used_at, seen_at)
    WHERE id = session AND generation = seen_generation AND NOT generation_seen;
$$;
REVOKE ALL ON FUNCTION admin_session_mark_seen FROM PUBLIC;
