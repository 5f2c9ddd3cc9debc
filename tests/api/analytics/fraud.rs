//! `GET /v1/admin/analytics/fraud`

use serde_json::{Value, json};

use super::{FRAUD, Scan, Stage, scan};

const MARCH: [(&str, &str); 2] = [("start_date", "2026-03-01"), ("end_date", "2026-03-31")];

fn without_as_of(mut body: Value) -> Value {
    assert!(body.as_object_mut().unwrap().remove("as_of").unwrap().is_string());
    body
}

/// Two frauds and four valid scans in March, and one on each side of it.
fn around_march() -> Vec<Scan> {
    vec![
        scan("2026-02-28T23:59:59.999999Z").fraud("cloned_tag"),
        scan("2026-03-01T00:00:00Z").fraud("cloned_tag"),
        scan("2026-03-05T10:00:00Z"),
        scan("2026-03-05T10:00:00Z").of_old(),
        scan("2026-03-05T10:00:00Z").risk(100),
        Scan { reason: Some("cloned_tag"), ..scan("2026-03-20T00:00:00Z") },
        scan("2026-03-31T23:59:59.999999Z").fraud(None),
        scan("2026-04-01T00:00:00Z").fraud("cloned_tag"),
    ]
}

#[tokio::test]
async fn a_scan_is_a_fraud_when_it_is_not_valid_whatever_else_is_said_of_it() {
    let stage = Stage::new().await;
    stage.scanned(&around_march()).await;
    let expected = json!({
        "start_date": "2026-03-01", "end_date": "2026-03-31", "total_scans": 6,
        "fraudulent_scans": 2, "fraud_rate": 0.333_333,
        "top_fraud_reasons": [{ "reason": "cloned_tag", "count": 1 }, { "reason": "unknown", "count": 1 }],
    });

    assert_eq!(without_as_of(stage.get(FRAUD, &MARCH).await), expected);
    stage.fold().await;
    assert_eq!(without_as_of(stage.get(FRAUD, &MARCH).await), expected);
}

#[tokio::test]
async fn folded_and_not_yet_folded_add_up() {
    let stage = Stage::new().await;
    stage.scanned(&around_march()).await;
    stage.fold().await;
    stage.scanned(&around_march()).await;

    let body = stage.get(FRAUD, &MARCH).await;

    assert_eq!((&body["total_scans"], &body["fraudulent_scans"]), (&json!(12), &json!(4)));
    assert_eq!(body["top_fraud_reasons"][0], json!({ "reason": "cloned_tag", "count": 2 }));
}

#[tokio::test]
async fn nothing_is_zero_and_not_a_number_divided_by_it() {
    let stage = Stage::new().await;
    let body = stage.get(FRAUD, &[]).await;
    assert_eq!(
        without_as_of(body),
        json!({
            "start_date": "2026-01-31", "end_date": "2026-03-01", "total_scans": 0,
            "fraudulent_scans": 0, "fraud_rate": 0.0, "top_fraud_reasons": [],
        })
    );
}

#[tokio::test]
async fn the_ten_most_frequent_reasons_are_told_and_of_equals_the_first_by_name() {
    let stage = Stage::new().await;
    let names = ["l", "k", "j", "i", "h", "g", "f", "E", "d", "c", "b", "a"];
    let mut scans = vec![];
    for (nth, reason) in names.into_iter().enumerate() {
        let times = if nth < 2 { 3 } else { 2 };
        scans.extend(vec![scan("2026-03-05T10:00:00Z").fraud(reason); times]);
    }
    stage.scanned(&scans[..12]).await;
    stage.fold().await;
    stage.scanned(&scans[12..]).await;

    let body = stage.get(FRAUD, &MARCH).await;

    let reasons = body["top_fraud_reasons"].as_array().unwrap();
    let told: Vec<_> = reasons
        .iter()
        .map(|it| (it["reason"].as_str().unwrap(), it["count"].as_i64().unwrap()))
        .collect();
    let twos = ["E", "a", "b", "c", "d", "f", "g", "h"].map(|name| (name, 2));
    assert_eq!(told, [&[("k", 3), ("l", 3)][..], &twos].concat());
    assert_eq!(body["fraudulent_scans"], 26);
}

#[tokio::test]
async fn unknown_is_one_reason_whoever_said_so() {
    let stage = Stage::new().await;
    let at = "2026-03-05T10:00:00Z";
    stage.scanned(&[scan(at).fraud(None), scan(at).fraud("unknown"), scan(at).fraud("")]).await;
    for _ in 0..2 {
        let body = stage.get(FRAUD, &MARCH).await;
        assert_eq!(body["top_fraud_reasons"], json!([{ "reason": "unknown", "count": 3 }]));
        stage.fold().await;
    }
}

#[tokio::test]
async fn what_changed_since_the_previous_period_is_told() {
    let stage = Stage::new().await;
    let before = ["2026-02-27T00:00:00Z", "2026-02-28T12:00:00Z", "2026-02-28T23:59:59Z"];
    let now = ["2026-03-01T00:00:00Z", "2026-03-02T23:59:59Z"];
    stage
        .scanned(&[
            scan(before[0]).fraud("cloned_tag"),
            scan(before[1]).fraud("cloned_tag"),
            scan(before[1]).fraud("geo_velocity"),
            scan(before[2]),
            scan(now[0]).fraud("cloned_tag"),
            scan(now[1]).fraud("blocked_tag"),
            scan(now[1]),
            // Outside of both.
            scan("2026-02-26T23:59:59.999999Z").fraud("cloned_tag"),
            scan("2026-03-03T00:00:00Z").fraud("cloned_tag"),
        ])
        .await;
    let query =
        [("start_date", "2026-03-01"), ("end_date", "2026-03-02"), ("compare", "previous_period")];
    let expected = json!({
        "start_date": "2026-03-01", "end_date": "2026-03-02", "total_scans": 3,
        "fraudulent_scans": 2, "fraud_rate": 0.666_667,
        "top_fraud_reasons": [{ "reason": "blocked_tag", "count": 1 }, { "reason": "cloned_tag", "count": 1 }],
        "previous": {
            "start_date": "2026-02-27", "end_date": "2026-02-28", "total_scans": 4,
            "fraudulent_scans": 3, "fraud_rate": 0.75,
        },
        "change": {
            "total_scans": -1, "fraudulent_scans": -1, "fraud_rate": -0.083_333,
            "reasons": [
                { "reason": "blocked_tag", "count": 1, "previous_count": 0, "change": 1 },
                { "reason": "cloned_tag", "count": 1, "previous_count": 2, "change": -1 },
                { "reason": "geo_velocity", "count": 0, "previous_count": 1, "change": -1 },
            ],
        },
    });

    assert_eq!(without_as_of(stage.get(FRAUD, &query).await), expected);
    stage.fold().await;
    assert_eq!(without_as_of(stage.get(FRAUD, &query).await), expected);
}

#[tokio::test]
async fn periods_of_instants_are_compared_to_the_microsecond() {
    let stage = Stage::new().await;
    let fraud = |at| scan(at).fraud("cloned_tag");
    stage
        .scanned(&[
            fraud("2026-03-01T05:59:59.999999Z"),
            fraud("2026-03-01T06:00:00Z"),
            fraud("2026-03-02T17:59:59.999999Z"),
            fraud("2026-03-02T18:00:00Z"),
            fraud("2026-03-04T05:59:59.999999Z"),
            fraud("2026-03-04T06:00:00Z"),
        ])
        .await;
    let query = [
        ("start_date", "2026-03-02T19:00:00+01:00"),
        ("end_date", "2026-03-04T06:00:00Z"),
        ("compare", "previous_period"),
    ];
    for _ in 0..2 {
        let body = stage.get(FRAUD, &query).await;
        assert_eq!(
            (&body["total_scans"], &body["previous"]["total_scans"]),
            (&json!(2), &json!(2))
        );
        assert_eq!(body["previous"]["start_date"], "2026-03-01T07:00:00+01:00");
        assert_eq!(body["previous"]["end_date"], "2026-03-02T19:00:00+01:00");
        assert_eq!(
            body["change"]["reasons"],
            json!([{ "reason": "cloned_tag", "count": 2, "previous_count": 2, "change": 0 }])
        );
        stage.fold().await;
    }
}

#[tokio::test]
async fn there_is_one_thing_to_compare_with() {
    let stage = Stage::new().await;
    for compare in ["", "previous", "PREVIOUS_PERIOD", "last_year"] {
        assert_eq!(stage.reply(FRAUD, &[("compare", compare)]).await.fields(), ["compare"]);
    }
}
