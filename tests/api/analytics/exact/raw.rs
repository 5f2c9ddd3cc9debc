//! The same numbers by plain SQL on `scan_events`, with PostgreSQL's own notion of time zones.

use std::collections::BTreeMap;

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, TimeDelta};
use serde_json::{Value, json};
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgPool};

use super::super::{FRAUD, GEOGRAPHIC, HEATMAP, RISK, Stage, TRENDS};
use super::Asked;

/// Rows of a query whose first two parameters are the ends of a period.
async fn rows<T: for<'r> FromRow<'r, PgRow> + Send + Unpin>(
    db: &PgPool,
    (starts, ends): (NaiveDateTime, NaiveDateTime),
    more: &[&str],
    query: &'static str,
) -> Vec<T> {
    let query = sqlx::query_as(query).bind(starts).bind(ends);
    let query = more.iter().fold(query, |query, value| query.bind((*value).to_owned()));
    query.fetch_all(db).await.unwrap()
}

pub(super) async fn compare(stage: &Stage, asked: &Asked, zone: &str) {
    let between = (asked.starts.naive_utc(), asked.ends.naive_utc());
    fraud(stage, asked, between).await;
    geographic(stage, asked, between).await;
    for granularity in ["hour", "day", "week", "month"] {
        if granularity != "hour" || asked.ends - asked.starts <= TimeDelta::days(31) {
            trends(stage, asked, between, granularity, zone).await;
        }
    }
    heatmap(stage, asked, between, zone).await;
    risk(stage, asked, between).await;
}

async fn fraud(stage: &Stage, asked: &Asked, between: (NaiveDateTime, NaiveDateTime)) {
    let db = stage.local.database.pool();
    let query = "SELECT count(*), count(*) FILTER (WHERE NOT valid) FROM scan_events
                 WHERE scanned_at >= $1 AND scanned_at < $2";
    let reasons = "SELECT coalesce(fraud_reason, 'unknown'), count(*) FROM scan_events
                   WHERE scanned_at >= $1 AND scanned_at < $2 AND NOT valid
                   GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10";
    let before = (between.0 - (between.1 - between.0), between.0);
    let totals: Vec<(i64, i64)> = rows(db, between, &[], query).await;
    let reasons: Vec<(String, i64)> = rows(db, between, &[], reasons).await;
    let previous: Vec<(i64, i64)> = rows(db, before, &[], query).await;

    for compared in [false, true] {
        let more: &[_] = if compared { &[("compare", "previous_period")] } else { &[] };
        let body = stage.get(FRAUD, &asked.query(more)).await;

        let told = |body: &Value| (body["total_scans"].as_i64(), body["fraudulent_scans"].as_i64());
        assert_eq!(told(&body), (Some(totals[0].0), Some(totals[0].1)), "{asked:?}");
        let reasons = reasons.iter().map(|(name, count)| json!({ "reason": name, "count": count }));
        assert_eq!(body["top_fraud_reasons"], Value::from_iter(reasons), "{asked:?}");
        if compared {
            let (total, frauds) = previous[0];
            assert_eq!(told(&body["previous"]), (Some(total), Some(frauds)), "{asked:?}");
        }
    }
}

async fn geographic(stage: &Stage, asked: &Asked, between: (NaiveDateTime, NaiveDateTime)) {
    let db = stage.local.database.pool();
    let countries: Vec<(Option<String>, i64, i64)> = rows(
        db,
        between,
        &[],
        "SELECT country, count(*), count(*) FILTER (WHERE NOT valid) FROM scan_events
         WHERE scanned_at >= $1 AND scanned_at < $2 GROUP BY 1 ORDER BY 2 DESC, 1",
    )
    .await;
    let states: Vec<(Option<String>, i64, i64)> = rows(
        db,
        between,
        &["BR"],
        "SELECT nullif(state, ''), count(*), count(*) FILTER (WHERE NOT valid) FROM scan_events
         WHERE scanned_at >= $1 AND scanned_at < $2 AND country = $3 GROUP BY 1 ORDER BY 2 DESC, 1",
    )
    .await;
    let told = |parts: &Value, name: &str| -> Vec<(Option<String>, i64, i64)> {
        let number = |part: &Value, field: &str| part[field].as_i64().unwrap();
        let part = |part: &Value| {
            let name = part[name].as_str().map(ToOwned::to_owned);
            (name, number(part, "total_scans"), number(part, "fraudulent_scans"))
        };
        parts.as_array().unwrap().iter().map(part).collect()
    };

    let body = stage.get(GEOGRAPHIC, &asked.query(&[])).await;
    assert_eq!(told(&body["countries"], "country"), countries, "{asked:?}");
    let body = stage.get(GEOGRAPHIC, &asked.query(&[("country", "br")])).await;
    assert_eq!(told(&body["states"], "state"), states, "{asked:?}");
    let one = states.into_iter().find(|(name, ..)| name.as_deref() == Some("SP"));
    let query = [("country", "BR"), ("state", "SP")];
    let body = stage.get(GEOGRAPHIC, &asked.query(&query)).await;
    let one = one.unwrap_or((Some("SP".to_owned()), 0, 0));
    assert_eq!(told(&body["states"], "state"), [one], "{asked:?}");
}

async fn trends(
    stage: &Stage,
    asked: &Asked,
    between: (NaiveDateTime, NaiveDateTime),
    granularity: &str,
    zone: &str,
) {
    // An hour is told from its like by the offset, a day is a day whatever its offset.
    let counted: Vec<(NaiveDateTime, i32, i64, i64)> = rows(
        stage.local.database.pool(),
        between,
        &[granularity, zone],
        "SELECT date_trunc($3, local),
                CASE $3 WHEN 'hour' THEN extract(epoch FROM local - scanned_at)::int ELSE 0 END,
                count(*), count(*) FILTER (WHERE NOT valid)
         FROM (
             SELECT scanned_at AT TIME ZONE 'UTC' AT TIME ZONE $4 AS local, scanned_at, valid
             FROM scan_events
             WHERE scanned_at >= $1 AND scanned_at < $2
         ) AS scans
         GROUP BY 1, 2",
    )
    .await;
    let counted: BTreeMap<_, _> = counted
        .into_iter()
        .map(|(unit, offset, total, frauds)| ((unit, offset), (total, frauds)))
        .collect();

    let query = [("granularity", granularity), ("timezone", zone)];
    let body = stage.get(TRENDS, &asked.query(&query)).await;
    let mut told = BTreeMap::new();
    for point in body["points"].as_array().unwrap() {
        let bucket: DateTime<FixedOffset> = point["bucket"].as_str().unwrap().parse().unwrap();
        let offset = if granularity == "hour" { bucket.offset().local_minus_utc() } else { 0 };
        let number = |field: &str| point[field].as_i64().unwrap();
        assert_eq!(number("total_scans"), number("valid_scans") + number("fraudulent_scans"));
        let numbers = (number("total_scans"), number("fraudulent_scans"));
        if numbers.0 > 0 {
            told.insert((bucket.naive_local(), offset), numbers);
        }
    }
    assert_eq!(told, counted, "{asked:?} {granularity} {zone}");
}

async fn heatmap(
    stage: &Stage,
    asked: &Asked,
    between: (NaiveDateTime, NaiveDateTime),
    zone: &str,
) {
    let counted: Vec<(i32, i32, i64, i64)> = rows(
        stage.local.database.pool(),
        between,
        &[zone],
        "SELECT extract(isodow FROM local)::int, extract(hour FROM local)::int, count(*),
                count(*) FILTER (WHERE NOT valid)
         FROM (
             SELECT scanned_at AT TIME ZONE 'UTC' AT TIME ZONE $3 AS local, valid
             FROM scan_events
             WHERE scanned_at >= $1 AND scanned_at < $2
         ) AS scans
         GROUP BY 1, 2 ORDER BY 1, 2",
    )
    .await;
    let counted = counted.into_iter().map(|(weekday, hour, total, frauds)| {
        json!({
            "weekday": weekday, "hour": hour, "total_scans": total, "fraudulent_scans": frauds,
        })
    });

    let body = stage.get(HEATMAP, &asked.query(&[("timezone", zone)])).await;
    let cells = body["cells"].as_array().unwrap();
    assert_eq!(cells.len(), 168);
    let told: Vec<_> = cells.iter().filter(|cell| cell["total_scans"] != 0).cloned().collect();
    assert_eq!(told, counted.collect::<Vec<_>>(), "{asked:?} {zone}");
}

async fn risk(stage: &Stage, asked: &Asked, between: (NaiveDateTime, NaiveDateTime)) {
    let counted: Vec<(NaiveDate, i64, f64, f64, f64)> = rows(
        stage.local.database.pool(),
        between,
        &[],
        "SELECT scanned_at::date, count(*), round(avg(risk_score), 2)::float8,
                round(avg((risk_score >= 50)::int), 6)::float8,
                round(avg((risk_score >= 70)::int), 6)::float8
         FROM scan_events
         WHERE scanned_at >= $1 AND scanned_at < $2
         GROUP BY 1 ORDER BY 1",
    )
    .await;
    let counted = counted.into_iter().map(|(day, total, average, share_50, share_70)| {
        json!({
            "bucket": format!("{day}T00:00:00Z"), "average_risk": average, "share_50": share_50,
            "share_70": share_70, "total_scans": total,
        })
    });

    let body = stage.get(RISK, &asked.query(&[])).await;
    let points = body["points"].as_array().unwrap();
    let told: Vec<_> = points.iter().filter(|point| point["total_scans"] != 0).cloned().collect();
    assert_eq!(told, counted.collect::<Vec<_>>(), "{asked:?}");
}
