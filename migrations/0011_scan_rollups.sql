-- Scans, counted. Answers come from these few rows and from the events that no fold has counted
-- yet, so they are exact at any moment and cost the same at a million events and at a billion.
-- Times are UTC; a day begins at midnight UTC. '' stands for an unknown country, state or reason,
-- which keeps the keys simple.

-- How far the fold has come. One row; whoever locks it folds.
CREATE TABLE scan_fold (
    one               boolean     PRIMARY KEY DEFAULT true,
    -- Every transaction visible in this snapshot is counted below, and no other.
    folded            pg_snapshot NOT NULL,
    -- The cluster whose transaction numbers these are. In a restored dump they mean nothing.
    system_identifier bigint      NOT NULL,
    folded_at         timestamptz NOT NULL,
    events_folded     bigint      NOT NULL DEFAULT 0,

    CONSTRAINT scan_fold_one_check CHECK (one)
);
-- A snapshot of the time before every transaction: nothing is folded.
INSERT INTO scan_fold (folded, system_identifier, folded_at)
SELECT '1:1:', system_identifier, now() FROM pg_control_system();

-- Trends and the heatmap in zones off the whole hour, and periods that begin or end within one.
CREATE TABLE scans_by_quarter_hour (
    bucket     timestamp PRIMARY KEY,
    total      bigint NOT NULL,
    fraudulent bigint NOT NULL,
    risk_sum   bigint NOT NULL,
    risk_50    bigint NOT NULL,
    risk_70    bigint NOT NULL
) WITH (fillfactor = 70);

-- Trends, the heatmap and risk in all other zones.
CREATE TABLE scans_by_hour (LIKE scans_by_quarter_hour INCLUDING ALL) WITH (fillfactor = 70);

-- The top reasons of a period of whole days.
CREATE TABLE frauds_by_day_and_reason (
    day    timestamp NOT NULL,
    reason text      NOT NULL,
    total  bigint    NOT NULL,
    PRIMARY KEY (day, reason)
) WITH (fillfactor = 70);

-- Totals and countries of a period of whole days.
CREATE TABLE scans_by_day_and_country (
    day        timestamp NOT NULL,
    country    text      NOT NULL,
    total      bigint    NOT NULL,
    fraudulent bigint    NOT NULL,
    PRIMARY KEY (day, country)
) WITH (fillfactor = 70);

-- The states of one country in a period of whole days.
CREATE TABLE scans_by_day_and_state (
    country    text      NOT NULL,
    day        timestamp NOT NULL,
    state      text      NOT NULL,
    total      bigint    NOT NULL,
    fraudulent bigint    NOT NULL,
    PRIMARY KEY (country, day, state)
) WITH (fillfactor = 70);

-- The events that no fold has counted, as of the reading statement's own snapshot; to be read in
-- one statement with the tables above. The upper bound changes nothing: no row has a number
-- beyond it. It tells the planner that the range is a short one.
CREATE VIEW unfolded_scan_events AS
SELECT e.scanned_at, e.country, e.state, e.valid IS NOT FALSE AS is_valid, e.fraud_reason,
       e.risk_score
FROM scan_events AS e
WHERE (e.ingest_xid >= (SELECT pg_snapshot_xmax(folded) FROM scan_fold)
       AND e.ingest_xid < pg_snapshot_xmax(pg_current_snapshot()))
   OR e.ingest_xid = ANY (ARRAY(SELECT pg_snapshot_xip(folded) FROM scan_fold));
