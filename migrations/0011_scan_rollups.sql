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
    -- Both are set until the first fold is through. It counts in many small steps what it found,
    -- the events visible in this snapshot, from the newest to the oldest: those scanned before this
    -- time are not counted yet, although the snapshot above has them.
    backfill          pg_snapshot,
    backfill_before   timestamp,

    CONSTRAINT scan_fold_one_check CHECK (one),
    CONSTRAINT scan_fold_backfill_check CHECK ((backfill IS NULL) = (backfill_before IS NULL))
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

-- The snapshot, if it is one of this cluster; otherwise an error, because whatever was counted with
-- it would be wrong. Left PARALLEL UNSAFE: for the few rows it stands before, workers cost more
-- than they do.
CREATE FUNCTION scan_fold_of_this_cluster(folded pg_snapshot, system_identifier bigint)
RETURNS pg_snapshot
LANGUAGE plpgsql
STABLE
AS $$
BEGIN
    IF system_identifier IS DISTINCT FROM (SELECT c.system_identifier FROM pg_control_system() AS c)
       OR pg_snapshot_xmax(folded) > pg_snapshot_xmax(pg_current_snapshot()) THEN
        RAISE EXCEPTION 'the scans were counted in another cluster, of whose database this is a copy:'
                        ' `jobs fold --rebuild` counts them anew'
            USING ERRCODE = 'operator_intervention';
    END IF;
    RETURN folded;
END $$;

-- The events that no fold has counted, as of the reading statement's own snapshot; to be read in
-- one statement with the tables above. First the new ones, found by their numbers alone: that none
-- is beyond the upper bound goes without saying, but a range tells the planner that they are few;
-- and adding nothing to the time keeps it from reading the index of times, which grows, as well.
-- Then, until the first fold is through, the old ones that it has not come to.
CREATE VIEW unfolded_scan_events AS
SELECT e.scanned_at + interval '0' AS scanned_at, e.country, e.state,
       e.valid IS NOT FALSE AS is_valid, e.fraud_reason, e.risk_score, false AS of_backfill
FROM scan_events AS e
WHERE (e.ingest_xid >= (
           SELECT pg_snapshot_xmax(scan_fold_of_this_cluster(folded, system_identifier))
           FROM scan_fold
       ) AND e.ingest_xid <= '18446744073709551615'::xid8)
   OR e.ingest_xid = ANY (ARRAY(SELECT pg_snapshot_xip(folded) FROM scan_fold))
UNION ALL
SELECT e.scanned_at, e.country, e.state, e.valid IS NOT FALSE, e.fraud_reason, e.risk_score, true
FROM scan_events AS e
WHERE (SELECT backfill IS NOT NULL FROM scan_fold)
  AND e.scanned_at < (SELECT backfill_before FROM scan_fold)
  AND pg_visible_in_snapshot(e.ingest_xid, (SELECT backfill FROM scan_fold));

-- The planner must learn that the numbers are many and the state is one row; autovacuum comes to
-- the first only after a tenth of the table is new, and to the second never.
ANALYZE scan_events (ingest_xid, valid, fraud_reason, state), scan_fold;
