use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde_json::{Value, json};
use stack::client::Client;
use stack::local::Local;

use super::{SCANS, admin, fold, happens, kept, scans};

async fn period(admin: &Client, query: &str) -> Value {
    let reply = admin.get(&format!("{SCANS}?{query}")).await;
    assert_eq!(reply.status, 200, "{query}: {}", reply.body);
    reply.body
}

/// Total, valid and fraudulent.
fn numbers(of: &Value) -> [i64; 3] {
    ["total", "valid", "fraudulent"].map(|field| of[field].as_i64().unwrap())
}

/// The days of an answer, and the total of each.
fn days(body: &Value) -> Vec<(&str, i64)> {
    let days = body["by_day"].as_array().unwrap().iter();
    days.map(|day| (day["date"].as_str().unwrap(), day["total"].as_i64().unwrap())).collect()
}

#[tokio::test]
async fn only_what_is_not_valid_is_fraudulent() {
    let local = Local::new().await;
    scans(&local, None, &["2026-02-28 10:00"; 3]).await;
    scans(&local, Some(true), &["2026-02-28 11:00"; 2]).await;
    scans(&local, Some(false), &["2026-02-28 11:00"]).await;
    fold(&local).await;
    scans(&local, None, &["2026-02-28 10:00"; 30]).await;
    scans(&local, Some(true), &["2026-02-28 11:00"; 20]).await;
    scans(&local, Some(false), &["2026-02-28 11:00"; 10]).await;

    let body = period(&admin(&local).await, "start_date=2026-02-28").await;

    assert_eq!(numbers(&body), [66, 55, 11]);
    assert_eq!(numbers(&body["by_day"][0]), [66, 55, 11]);
    assert_eq!(days(&body), [("2026-02-28", 66), ("2026-03-01", 0)]);
}

#[tokio::test]
async fn by_default_it_is_thirty_days_of_which_today_is_the_last() {
    let local = Local::new().await;
    let ends =
        ["2026-01-30 23:59:59.999999", "2026-01-31 00:00", "2026-03-01 23:59:59", "2026-03-02"];
    scans(&local, None, &ends).await;

    let body = period(&admin(&local).await, "").await;

    assert_eq!(
        (&body["start_date"], &body["end_date"]),
        (&json!("2026-01-31"), &json!("2026-03-01"))
    );
    assert_eq!(body["total"], 2);
    let days = days(&body);
    assert_eq!((days.len(), days[0], days[29]), (30, ("2026-01-31", 1), ("2026-03-01", 1)));
}

#[tokio::test]
async fn every_day_is_there_once_and_in_order() {
    let local = Local::new().await;
    let admin = admin(&local).await;

    for (query, first, last, count) in [
        ("start_date=2024-02-28&end_date=2024-03-01", "2024-02-28", "2024-03-01", 3),
        ("start_date=2025-12-31&end_date=2026-01-01", "2025-12-31", "2026-01-01", 2),
        ("start_date=2026-02-28&end_date=2026-02-28", "2026-02-28", "2026-02-28", 1),
        ("start_date=2024-03-01&end_date=2026-03-01", "2024-03-01", "2026-03-01", 731),
        ("start_date=2026-02-27&end_date=2026-12-31", "2026-02-27", "2026-12-31", 308),
        ("start_date=1969-12-30&end_date=1970-01-02", "1969-12-30", "1970-01-02", 4),
        ("start_date=0001-01-01&end_date=0001-01-02", "0001-01-01", "0001-01-02", 2),
        ("start_date=9999-12-30&end_date=9999-12-31", "9999-12-30", "9999-12-31", 2),
        // Instants: the days that anything of the period lies in.
        (
            "start_date=2026-02-27T23:59:59Z&end_date=2026-03-01T00:00:00Z",
            "2026-02-27",
            "2026-02-28",
            2,
        ),
        (
            "start_date=2026-02-27T00:00:00%2B05:45&end_date=2026-02-28T00:00:00%2B05:45",
            "2026-02-26",
            "2026-02-27",
            2,
        ),
        ("start_date=2026-02-27T10:00:00Z&end_date=2026-02-27", "2026-02-27", "2026-02-27", 1),
    ] {
        let body = period(&admin, query).await;
        let mut expected = first.parse::<NaiveDate>().unwrap();
        for (date, _) in days(&body) {
            assert_eq!(date, expected.to_string(), "{query}");
            expected = expected.succ_opt().unwrap();
        }
        assert_eq!(expected.pred_opt().unwrap().to_string(), last, "{query}");
        assert_eq!(days(&body).len(), count, "{query}");
    }
}

#[tokio::test]
async fn a_period_is_repeated_as_it_came_whoever_asked_for_the_same_before() {
    let local = Local::new().await;
    let admin = admin(&local).await;
    let day = "start_date=2026-02-28&end_date=2026-02-28";
    let instants = "start_date=2026-02-28T00:00:00Z&end_date=2026-03-01T01:00:00%2B01:00";

    let first = admin.get(&format!("{SCANS}?{day}")).await;
    let second = admin.get(&format!("{SCANS}?{instants}")).await;

    assert_eq!((kept(&first).0, kept(&second).0), ("miss", "hit"));
    assert_eq!(first.body["end_date"], "2026-02-28");
    assert_eq!(second.body["start_date"], "2026-02-28T00:00:00Z");
    assert_eq!(second.body["end_date"], "2026-03-01T01:00:00+01:00");
    assert_eq!(first.body["by_day"], second.body["by_day"]);
}

#[tokio::test]
async fn a_period_that_is_none_is_refused() {
    let local = Local::new().await;
    let admin = admin(&local).await;

    for (query, fields) in [
        ("start_date=2026-02-30", ["start_date"].as_slice()),
        ("start_date=2026-03-02&end_date=2026-03-01", &["start_date"]),
        ("start_date=2024-02-29&end_date=2026-03-01", &["end_date"]),
        ("start_date=yesterday&end_date=2026-13-01", &["start_date", "end_date"]),
        ("start_date=2026-02-01&start_date=2026-02-02", &["start_date"]),
        ("from=2026-02-01", &["from"]),
    ] {
        assert_eq!(admin.get(&format!("{SCANS}?{query}")).await.fields(), fields, "{query}");
    }
}

/// Counts a period's events one by one.
async fn counted(local: &Local, start: DateTime<Utc>, end: DateTime<Utc>) -> Vec<Value> {
    let rows: Vec<(NaiveDate, i64, i64, i64)> = sqlx::query_as(
        "SELECT scanned_at::date, count(*), count(*) FILTER (WHERE valid IS NOT FALSE),
                count(*) FILTER (WHERE valid IS FALSE)
         FROM scan_events WHERE scanned_at >= $1 AND scanned_at < $2 GROUP BY 1",
    )
    .bind(start.naive_utc())
    .bind(end.naive_utc())
    .fetch_all(local.database.pool())
    .await
    .unwrap();
    let last = (end - TimeDelta::microseconds(1)).date_naive();
    let days = start.date_naive().iter_days().take_while(|day| *day <= last);
    let day = |date: NaiveDate| {
        let found = rows.iter().find(|row| row.0 == date);
        let (_, total, valid, fraudulent) = found.copied().unwrap_or((date, 0, 0, 0));
        json!({ "date": date, "total": total, "valid": valid, "fraudulent": fraudulent })
    };
    days.map(day).collect()
}

/// Events all over six days, many of them on the marks where rollups meet, or just before.
const EVENTS: &str = "
    INSERT INTO scan_events (id, tag_id, product_id, scanned_at, valid, country)
    SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(),
           CASE n % 3 WHEN 0 THEN date_trunc('minute', at)
                      WHEN 1 THEN date_bin('15 min', at, '2026-01-01') - interval '1 microsecond'
                      ELSE at END,
           (ARRAY[true, false, NULL])[1 + (random() * 100)::int % 3],
           (ARRAY['BR', 'US', NULL])[1 + (random() * 100)::int % 3]
    FROM (SELECT n, timestamp '2026-02-24' + random() * interval '6 days' AS at
          FROM generate_series(1, 3000) AS n) AS made";

#[tokio::test]
async fn it_is_what_counting_the_events_one_by_one_gives_whatever_the_period() {
    let mut local = Local::new().await;
    // Each request asks anew.
    local.set("DASHBOARD_FRESH_SECS", "0");
    let admin = admin(&local).await;
    let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
    let ends = [
        "2026-02-24T00:00:00Z",
        "2026-02-24T10:00:00Z",
        "2026-02-24T10:15:00Z",
        "2026-02-24T10:20:00Z",
        "2026-02-24T10:20:00.000001Z",
        "2026-02-24T10:59:59.999999Z",
        "2026-02-26T00:00:00Z",
        "2026-02-26T23:46:30Z",
        "2026-02-28T18:15:00Z",
        "2026-03-03T00:00:00Z",
    ]
    .map(at);

    for stage in ["unfolded", "folded", "both", "folded again"] {
        match stage {
            "unfolded" | "both" => happens(&local, EVENTS).await,
            _ => fold(&local).await,
        }
        for (index, start) in ends.iter().enumerate() {
            for end in &ends[index + 1..] {
                let [from, to] = [start, end].map(|at| at.to_rfc3339().replace('+', "%2B"));
                let body = period(&admin, &format!("start_date={from}&end_date={to}")).await;
                let expected = counted(&local, *start, *end).await;
                assert_eq!(body["by_day"], json!(expected), "{stage}: {from} {to}");
                let sum = |field: &str| {
                    expected.iter().map(|day| day[field].as_i64().unwrap()).sum::<i64>()
                };
                let sums = ["total", "valid", "fraudulent"].map(sum);
                assert_eq!(numbers(&body), sums, "{stage}: {from} {to}");
            }
        }
    }
}

#[tokio::test]
async fn an_event_is_counted_from_its_commit_on_however_late_that_comes() {
    let mut local = Local::new().await;
    local.set("DASHBOARD_FRESH_SECS", "0");
    let admin = admin(&local).await;
    let mut late = local.database.pool().begin().await.unwrap();
    sqlx::raw_sql(EVENTS).execute(&mut *late).await.unwrap();
    scans(&local, None, &["2026-02-28 10:00"]).await;
    fold(&local).await;
    let query = "start_date=2026-02-23&end_date=2026-03-01";

    assert_eq!(period(&admin, query).await["total"], 1);
    late.commit().await.unwrap();
    assert_eq!(period(&admin, query).await["total"], 3001);
    fold(&local).await;
    assert_eq!(period(&admin, query).await["total"], 3001);
}
