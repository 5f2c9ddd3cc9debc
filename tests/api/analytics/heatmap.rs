//! `GET /v1/admin/analytics/heatmap`

use serde_json::{Value, json};

use super::{HEATMAP, Stage, scan};

/// The cells that are not empty, as weekday, hour, total and frauds.
fn filled(body: &Value) -> Vec<[i64; 4]> {
    let number = |cell: &Value, field: &str| cell[field].as_i64().unwrap();
    let cells = body["cells"].as_array().unwrap();
    let all = cells.iter().map(|cell| {
        ["weekday", "hour", "total_scans", "fraudulent_scans"].map(|field| number(cell, field))
    });
    all.filter(|cell| cell[2] > 0).collect()
}

#[tokio::test]
async fn every_hour_of_the_week_is_there_from_monday_on() {
    let stage = Stage::new().await;
    let body = stage.get(HEATMAP, &[]).await;
    let expected: Vec<_> = (0..168)
        .map(|nth| {
            json!({
                "weekday": nth / 24 + 1, "hour": nth % 24, "total_scans": 0, "fraudulent_scans": 0,
            })
        })
        .collect();
    assert_eq!(body["cells"], json!(expected));
    assert_eq!(body["timezone"], "UTC");
}

#[tokio::test]
async fn a_scan_counts_in_the_hour_that_the_clocks_show() {
    let stage = Stage::new().await;
    // A Sunday, at 23:20 in UTC.
    let at = scan("2026-03-01T23:20:00Z");
    stage.scanned(&[at.clone(), at.fraud(None), scan("2026-02-22T23:59:59.999999Z")]).await;
    for folded in [false, true] {
        for (zone, cells) in [
            ("UTC", [[7, 23, 3, 1]].as_slice()),
            ("America/Sao_Paulo", &[[7, 20, 3, 1]]),
            ("America/New_York", &[[7, 18, 3, 1]]),
            ("Asia/Kathmandu", &[[1, 5, 3, 1]]),
            ("Asia/Kolkata", &[[1, 4, 2, 1], [1, 5, 1, 0]]),
            ("Pacific/Kiritimati", &[[1, 13, 3, 1]]),
        ] {
            let body = stage.get(HEATMAP, &[("timezone", zone)]).await;
            let mut cells = cells.to_vec();
            cells.sort_unstable();
            assert_eq!(filled(&body), cells, "{zone} folded: {folded}");
            assert_eq!(body["timezone"], zone);
        }
        stage.fold().await;
    }
}

#[tokio::test]
async fn an_hour_that_comes_twice_counts_twice_and_one_that_is_skipped_not_at_all() {
    let stage = Stage::new().await;
    stage
        .scanned(&[
            // 01:30 in New York, and an hour later 01:30 again.
            scan("2025-11-02T05:30:00Z"),
            scan("2025-11-02T06:30:00Z"),
            // 01:59 and 03:00 there, a minute later.
            scan("2026-03-08T06:59:00Z"),
            scan("2026-03-08T07:00:00Z"),
        ])
        .await;
    let query = [
        ("start_date", "2025-10-01"),
        ("end_date", "2026-03-31"),
        ("timezone", "America/New_York"),
    ];
    for _ in 0..2 {
        assert_eq!(filled(&stage.get(HEATMAP, &query).await), [[7, 1, 3, 0], [7, 3, 1, 0]]);
        stage.fold().await;
    }
}

#[tokio::test]
async fn what_is_no_zone_is_refused() {
    let stage = Stage::new().await;
    for zone in ["", "EST5EDT", "UTC+3", "+03:00", "America/Atlantis"] {
        assert_eq!(stage.reply(HEATMAP, &[("timezone", zone)]).await.fields(), ["timezone"]);
    }
    assert_eq!(stage.reply(HEATMAP, &[("granularity", "day")]).await.fields(), ["granularity"]);
}
