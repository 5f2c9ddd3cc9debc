//! `GET /v1/admin/analytics/risk`

use serde_json::{Value, json};

use super::{RISK, Scan, Stage, scan};

fn point(day: &str, average: impl Into<Value>, shares: [f64; 2], total: i64) -> Value {
    json!({
        "bucket": format!("{day}T00:00:00Z"), "average_risk": average.into(),
        "share_50": shares[0], "share_70": shares[1], "total_scans": total,
    })
}

fn scans() -> Vec<Scan> {
    vec![
        scan("2024-02-28T23:59:59.999999Z").risk(100),
        scan("2024-02-29T00:00:00Z").risk(49),
        scan("2024-02-29T10:00:00Z").risk(50),
        scan("2024-02-29T23:59:59.999999Z").risk(70).fraud("cloned_tag"),
        scan("2024-03-02T12:00:00Z").risk(69),
        scan("2024-03-02T12:00:00Z").risk(0).of_old(),
        scan("2024-03-02T12:00:00Z").risk(0),
        scan("2024-03-03T00:00:00Z").risk(100),
    ]
}

#[tokio::test]
async fn every_day_has_its_average_and_shares_and_an_empty_one_no_average() {
    let stage = Stage::new().await;
    stage.scanned(&scans()).await;
    let query = [("start_date", "2024-02-29"), ("end_date", "2024-03-02")];
    for _ in 0..2 {
        let mut body = stage.get(RISK, &query).await;

        assert!(body.as_object_mut().unwrap().remove("as_of").is_some());
        assert_eq!(
            body,
            json!({
                "start_date": "2024-02-29", "end_date": "2024-03-02",
                "points": [
                    point("2024-02-29", 56.33, [0.666_667, 0.333_333], 3),
                    point("2024-03-01", Value::Null, [0.0, 0.0], 0),
                    point("2024-03-02", 23.0, [0.333_333, 0.0], 3),
                ],
            })
        );
        stage.fold().await;
    }
}

#[tokio::test]
async fn a_day_that_the_period_cuts_counts_what_lies_in_it() {
    let stage = Stage::new().await;
    stage.scanned(&scans()).await;
    stage.fold().await;
    stage.scanned(&scans()).await;
    let query = [("start_date", "2024-02-28T23:30:00Z"), ("end_date", "2024-02-29T10:00:00Z")];

    let points = stage.get(RISK, &query).await["points"].clone();

    let expected =
        [point("2024-02-28", 100.0, [1.0, 1.0], 2), point("2024-02-29", 49.0, [0.0, 0.0], 2)];
    assert_eq!(points, json!(expected));
}
