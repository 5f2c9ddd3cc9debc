//! `GET /v1/admin/analytics/trends`

use chrono::{DateTime, FixedOffset, TimeDelta};
use serde_json::{Value, json};

use super::{Stage, TRENDS, scan};

/// When each bucket begins, how many scans are in it, and a `~` behind a partial one.
fn told(body: &Value) -> Vec<String> {
    let points = body["points"].as_array().unwrap().iter();
    let told = points.map(|point| {
        let (bucket, total) = (point["bucket"].as_str().unwrap(), &point["total_scans"]);
        let partial = if point["partial"] == true { "~" } else { "" };
        format!("{bucket} {total}{partial}")
    });
    told.collect()
}

/// The hours between one beginning and the next.
fn lengths(body: &Value) -> Vec<i64> {
    let points = body["points"].as_array().unwrap().iter();
    let beginnings: Vec<DateTime<FixedOffset>> =
        points.map(|point| point["bucket"].as_str().unwrap().parse().unwrap()).collect();
    beginnings.windows(2).map(|pair| (pair[1] - pair[0]).num_hours()).collect()
}

#[tokio::test]
async fn days_are_the_default_and_all_of_them_are_there() {
    let stage = Stage::new().await;
    let query = [("start_date", "2024-02-28"), ("end_date", "2024-03-01")];
    stage
        .scanned(&[
            scan("2024-02-29T00:00:00Z"),
            scan("2024-02-29T12:00:00Z").of_old(),
            scan("2024-02-29T23:59:59.999999Z").fraud(None),
            scan("2024-02-27T23:59:59.999999Z"),
            scan("2024-03-02T00:00:00Z"),
        ])
        .await;
    let empty = |day| {
        json!({
            "bucket": format!("{day}T00:00:00Z"), "total_scans": 0, "valid_scans": 0,
            "fraudulent_scans": 0, "fraud_rate": 0.0, "partial": false,
        })
    };
    for _ in 0..2 {
        let mut body = stage.get(TRENDS, &query).await;

        assert!(body.as_object_mut().unwrap().remove("as_of").is_some());
        assert_eq!(
            body,
            json!({
                "start_date": "2024-02-28", "end_date": "2024-03-01", "granularity": "day",
                "timezone": "UTC",
                "points": [
                    empty("2024-02-28"),
                    {
                        "bucket": "2024-02-29T00:00:00Z", "total_scans": 3, "valid_scans": 2,
                        "fraudulent_scans": 1, "fraud_rate": 0.333_333, "partial": false,
                    },
                    empty("2024-03-01"),
                ],
            })
        );
        stage.fold().await;
    }
}

#[tokio::test]
async fn weeks_begin_on_monday_months_on_the_first_and_what_the_period_cuts_is_partial() {
    let stage = Stage::new().await;
    stage
        .scanned(&[
            scan("2025-12-29T00:00:00Z"),
            scan("2025-12-31T00:00:00Z"),
            scan("2026-01-04T23:59:59Z"),
            scan("2026-01-05T00:00:00Z"),
            scan("2026-02-01T00:00:00Z"),
        ])
        .await;
    for _ in 0..2 {
        let get = async |start, end, granularity| {
            let query = [("start_date", start), ("end_date", end), ("granularity", granularity)];
            told(&stage.get(TRENDS, &query).await)
        };
        assert_eq!(
            get("2025-12-31", "2026-01-11", "week").await,
            ["2025-12-29T00:00:00Z 2~", "2026-01-05T00:00:00Z 1"]
        );
        assert_eq!(
            get("2025-12-31", "2026-02-01", "month").await,
            ["2025-12-01T00:00:00Z 1~", "2026-01-01T00:00:00Z 2", "2026-02-01T00:00:00Z 1~"]
        );
        assert_eq!(get("2025-12-29", "2026-01-04", "week").await, ["2025-12-29T00:00:00Z 3"]);
        assert_eq!(
            get("2026-01-04T23:30:00Z", "2026-01-05T01:00:00Z", "hour").await,
            ["2026-01-04T23:00:00Z 1~", "2026-01-05T00:00:00Z 1"]
        );
        stage.fold().await;
    }
}

#[tokio::test]
async fn a_bucket_that_is_not_over_is_partial() {
    let stage = Stage::new().await;
    // It is noon of 2026-03-01, a Sunday.
    let get = async |start, end, granularity| {
        let query = [("start_date", start), ("end_date", end), ("granularity", granularity)];
        told(&stage.get(TRENDS, &query).await)
    };
    assert_eq!(
        get("2026-02-28", "2026-03-02", "day").await,
        ["2026-02-28T00:00:00Z 0", "2026-03-01T00:00:00Z 0~", "2026-03-02T00:00:00Z 0~"]
    );
    assert_eq!(
        get("2026-03-01T11:00:00Z", "2026-03-01T13:00:00Z", "hour").await,
        ["2026-03-01T11:00:00Z 0", "2026-03-01T12:00:00Z 0~"]
    );
    assert_eq!(get("2026-02-23", "2026-03-01", "week").await, ["2026-02-23T00:00:00Z 0~"]);
    stage.local.clock.advance(TimeDelta::minutes(14));
    assert_eq!(get("2026-02-01", "2026-02-28", "month").await, ["2026-02-01T00:00:00Z 0"]);
}

#[tokio::test]
async fn days_in_sao_paulo_begin_at_one_when_there_was_no_midnight() {
    let stage = Stage::new().await;
    stage
        .scanned(&[
            scan("2018-11-04T02:59:59.999999Z"),
            scan("2018-11-04T03:00:00Z"),
            scan("2018-11-05T01:59:59.999999Z"),
            scan("2018-11-05T02:00:00Z"),
        ])
        .await;
    let query = [
        ("start_date", "2018-11-03T00:00:00-03:00"),
        ("end_date", "2018-11-06T00:00:00-02:00"),
        ("timezone", "America/Sao_Paulo"),
    ];
    for _ in 0..2 {
        let body = stage.get(TRENDS, &query).await;
        assert_eq!(
            told(&body),
            [
                "2018-11-03T00:00:00-03:00 1",
                "2018-11-04T01:00:00-02:00 2",
                "2018-11-05T00:00:00-02:00 1"
            ]
        );
        assert_eq!(lengths(&body), [24, 23]);
        stage.fold().await;
    }
    // In February the clocks went back at midnight.
    let query = [
        ("start_date", "2018-02-17T02:00:00Z"),
        ("end_date", "2018-02-19T03:00:00Z"),
        ("timezone", "America/Sao_Paulo"),
    ];
    let body = stage.get(TRENDS, &query).await;
    assert_eq!(told(&body), ["2018-02-17T00:00:00-02:00 0", "2018-02-18T00:00:00-03:00 0"]);
    assert_eq!(lengths(&body), [25]);
}

#[tokio::test]
async fn days_in_nepal_begin_at_a_quarter_past() {
    let stage = Stage::new().await;
    stage
        .scanned(&[
            scan("2026-02-27T18:14:59.999999Z"),
            scan("2026-02-27T18:15:00Z"),
            scan("2026-02-28T18:14:59.999999Z"),
            scan("2026-02-28T18:15:00Z"),
        ])
        .await;
    let query =
        [("start_date", "2026-02-27"), ("end_date", "2026-02-28"), ("timezone", "Asia/Kathmandu")];
    for _ in 0..2 {
        assert_eq!(
            told(&stage.get(TRENDS, &query).await),
            [
                "2026-02-27T00:00:00+05:45 1~",
                "2026-02-28T00:00:00+05:45 2",
                "2026-03-01T00:00:00+05:45 1~"
            ]
        );
        stage.fold().await;
    }
}

#[tokio::test]
async fn days_in_new_york_have_23_and_25_hours_and_one_hour_comes_twice() {
    let stage = Stage::new().await;
    let get = async |start, end, granularity| {
        let zone = ("timezone", "America/New_York");
        let query = [("start_date", start), ("end_date", end), ("granularity", granularity), zone];
        stage.get(TRENDS, &query).await
    };
    let spring = get("2025-03-08T05:00:00Z", "2025-03-11T04:00:00Z", "day").await;
    assert_eq!(lengths(&spring), [24, 23]);
    let autumn = get("2025-11-01T04:00:00Z", "2025-11-04T05:00:00Z", "day").await;
    assert_eq!(lengths(&autumn), [24, 25]);
    stage.scanned(&[scan("2025-11-02T05:30:00Z"), scan("2025-11-02T06:30:00Z")]).await;
    for _ in 0..2 {
        let hours = get("2025-11-02T04:00:00Z", "2025-11-03T05:00:00Z", "hour").await;
        assert_eq!(hours["points"].as_array().unwrap().len(), 25);
        assert_eq!(
            told(&hours)[1..4],
            [
                "2025-11-02T01:00:00-04:00 1",
                "2025-11-02T01:00:00-05:00 1",
                "2025-11-02T02:00:00-05:00 0"
            ]
        );
        stage.fold().await;
    }
}

#[tokio::test]
async fn zones_that_were_off_the_quarter_of_an_hour_are_right_too() {
    let stage = Stage::new().await;
    // Monrovia was 44 minutes and 30 seconds behind.
    stage.scanned(&[scan("1971-06-02T00:44:29Z"), scan("1971-06-02T00:44:30Z")]).await;
    let query =
        [("start_date", "1971-06-01"), ("end_date", "1971-06-02"), ("timezone", "Africa/Monrovia")];
    for _ in 0..2 {
        let body = stage.get(TRENDS, &query).await;
        let totals: Vec<_> =
            body["points"].as_array().unwrap().iter().map(|point| &point["total_scans"]).collect();
        assert_eq!(totals, [0, 1, 1]);
        stage.fold().await;
    }
}

#[tokio::test]
async fn hours_are_told_of_at_most_31_days_in_utc_or_by_the_clocks() {
    let stage = Stage::new().await;
    let get = async |start, end, zone| {
        let query =
            [("start_date", start), ("end_date", end), ("granularity", "hour"), ("timezone", zone)];
        stage.reply(TRENDS, &query).await
    };
    for (start, end, zone, hours) in [
        ("2026-01-01", "2026-01-31", "UTC", 744),
        ("2026-01-01", "2026-01-31", "Asia/Kathmandu", 745),
        // A month in which the clocks were set, by those clocks.
        ("2025-10-01T00:00:00+01:00", "2025-11-01T00:00:00Z", "Europe/Lisbon", 745),
        ("2025-03-01T00:00:00Z", "2025-04-01T00:00:00+01:00", "Europe/Lisbon", 743),
        ("2025-03-01", "2025-03-31", "Europe/Lisbon", 744),
    ] {
        let reply = get(start, end, zone).await;
        assert_eq!(reply.body["points"].as_array().unwrap().len(), hours, "{start} {zone}");
    }
    for (start, end, zone) in [
        ("2026-01-01", "2026-02-01", "UTC"),
        ("2026-01-01T00:00:00Z", "2026-02-01T00:00:00.000001Z", "UTC"),
        ("2025-10-01T00:00:00Z", "2025-11-01T00:30:00Z", "UTC"),
        ("2024-03-01", "2026-02-28", "America/New_York"),
    ] {
        assert_eq!(get(start, end, zone).await.fields(), ["granularity"], "{start} {zone}");
    }
}

#[tokio::test]
async fn two_years_of_days_are_complete() {
    let stage = Stage::new().await;
    let query = [("start_date", "2024-01-01"), ("end_date", "2025-12-31")];
    let body = stage.get(TRENDS, &query).await;
    let days = told(&body);
    assert_eq!(days.len(), 731);
    assert_eq!(days[59], "2024-02-29T00:00:00Z 0");
    assert_eq!(days[730], "2025-12-31T00:00:00Z 0");
}

#[tokio::test]
async fn what_is_no_granularity_and_no_zone_is_refused() {
    let stage = Stage::new().await;
    for granularity in ["", "Day", "minute", "year"] {
        let reply = stage.reply(TRENDS, &[("granularity", granularity)]).await;
        assert_eq!(reply.fields(), ["granularity"]);
    }
    for zone in ["", "Sao_Paulo", "EST5EDT,M3.2.0,M11.1.0", "GMT-3", "-03:00", "Japan"] {
        assert_eq!(stage.reply(TRENDS, &[("timezone", zone)]).await.fields(), ["timezone"]);
    }
    let body = stage.get(TRENDS, &[("timezone", "america/new_york")]).await;
    assert_eq!(body["timezone"], "America/New_York");
}
