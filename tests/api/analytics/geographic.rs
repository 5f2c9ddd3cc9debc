//! `GET /v1/admin/analytics/geographic`

use serde_json::{Value, json};

use super::{FRAUD, GEOGRAPHIC, Scan, Stage, scan};

const MARCH: [(&str, &str); 2] = [("start_date", "2026-03-01"), ("end_date", "2026-03-31")];

/// The query for a place in March.
fn at<'a>(place: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [&MARCH[..], place].concat()
}

fn scans() -> Vec<Scan> {
    let at = "2026-03-05T10:00:00Z";
    vec![
        scan(at).from("BR", "SP"),
        scan(at).from("BR", "SP").fraud("cloned_tag"),
        scan(at).from("BR", "RJ").of_old(),
        scan(at).from("BR", "MG"),
        scan(at).from("BR", None),
        scan(at).from("US", "SP"),
        scan(at).from("AR", None),
        scan(at),
        Scan { state: Some("SP"), ..scan(at) },
        scan("2026-02-28T23:59:59Z").from("BR", "SP"),
        scan("2026-04-01T00:00:00Z").from("BR", "SP"),
    ]
}

fn country(code: impl Into<Value>, total: i64, frauds: i64, rate: f64) -> Value {
    json!({
        "country": code.into(), "total_scans": total, "fraudulent_scans": frauds, "fraud_rate": rate,
    })
}

fn state(name: impl Into<Value>, total: i64, frauds: i64, rate: f64) -> Value {
    json!({
        "state": name.into(), "total_scans": total, "fraudulent_scans": frauds, "fraud_rate": rate,
    })
}

#[tokio::test]
async fn countries_come_by_number_then_by_code_and_the_unknown_one_is_null() {
    let stage = Stage::new().await;
    stage.scanned(&scans()).await;
    for _ in 0..2 {
        let mut body = stage.get(GEOGRAPHIC, &MARCH).await;

        assert!(body.as_object_mut().unwrap().remove("as_of").is_some());
        assert_eq!(
            body,
            json!({
                "start_date": "2026-03-01", "end_date": "2026-03-31",
                "countries": [
                    country("BR", 5, 1, 0.2), country(Value::Null, 2, 0, 0.0),
                    country("AR", 1, 0, 0.0), country("US", 1, 0, 0.0),
                ],
            })
        );
        stage.fold().await;
    }
}

#[tokio::test]
async fn of_equals_the_unknown_one_comes_last() {
    let stage = Stage::new().await;
    let at = "2026-03-05T10:00:00Z";
    stage.scanned(&[scan(at), scan(at).from("ZW", None), scan(at).from("AD", "x")]).await;
    let body = stage.get(GEOGRAPHIC, &MARCH).await;
    let codes: Vec<_> =
        body["countries"].as_array().unwrap().iter().map(|it| it["country"].clone()).collect();
    assert_eq!(codes, [json!("AD"), json!("ZW"), Value::Null]);
}

#[tokio::test]
async fn a_country_has_its_states_whatever_case_its_code_is_in() {
    let stage = Stage::new().await;
    stage.scanned(&scans()).await;
    for code in ["BR", "br", "bR"] {
        let body = stage.get(GEOGRAPHIC, &at(&[("country", code)])).await;

        assert_eq!(body["country"], "BR");
        assert_eq!(body.get("countries"), None);
        let states = [
            state("SP", 2, 1, 0.5),
            state("MG", 1, 0, 0.0),
            state("RJ", 1, 0, 0.0),
            state(Value::Null, 1, 0, 0.0),
        ];
        assert_eq!(body["states"], json!(states));
        stage.fold().await;
    }
}

#[tokio::test]
async fn a_state_asked_for_is_there_also_without_scans() {
    let stage = Stage::new().await;
    stage.scanned(&scans()).await;
    for _ in 0..2 {
        let of = async |country, state| {
            stage.get(GEOGRAPHIC, &at(&[("country", country), ("state", state)])).await["states"]
                .clone()
        };
        assert_eq!(of("br", "SP").await, json!([state("SP", 2, 1, 0.5)]));
        assert_eq!(of("US", "SP").await, json!([state("SP", 1, 0, 0.0)]));
        assert_eq!(of("BR", "sp").await, json!([state("sp", 0, 0, 0.0)]));
        assert_eq!(of("JP", "13").await, json!([state("13", 0, 0, 0.0)]));
        stage.fold().await;
    }
    let nowhere = stage.get(GEOGRAPHIC, &at(&[("country", "JP")])).await;
    assert_eq!((&nowhere["country"], &nowhere["states"]), (&json!("JP"), &json!([])));
}

#[tokio::test]
async fn the_parts_add_up() {
    let stage = Stage::new().await;
    stage.scanned(&scans()).await;
    stage.fold().await;
    stage.scanned(&scans()).await;
    let sum = |parts: &Value, of: &str| -> i64 {
        parts.as_array().unwrap().iter().map(|part| part[of].as_i64().unwrap()).sum()
    };

    let all = stage.get(FRAUD, &MARCH).await;
    let countries = stage.get(GEOGRAPHIC, &MARCH).await["countries"].clone();
    let states = stage.get(GEOGRAPHIC, &at(&[("country", "BR")])).await["states"].clone();

    for number in ["total_scans", "fraudulent_scans"] {
        assert_eq!(sum(&countries, number), all[number]);
        assert_eq!(sum(&states, number), countries[0][number]);
    }
}

#[tokio::test]
async fn what_is_no_country_and_no_state_is_refused() {
    let stage = Stage::new().await;
    for code in ["", "B", "BRA", "XX", "076", "Brazil", "b r", "é"] {
        let reply = stage.reply(GEOGRAPHIC, &[("country", code)]).await;
        assert_eq!(reply.fields(), ["country"], "{code}");
    }
    assert_eq!(stage.reply(GEOGRAPHIC, &[("state", "SP")]).await.fields(), ["state"]);
    let empty = [("country", "BR"), ("state", "")];
    assert_eq!(stage.reply(GEOGRAPHIC, &empty).await.fields(), ["state"]);
    let nul = [("country", "BR"), ("state", "\0")];
    assert_eq!(stage.reply(GEOGRAPHIC, &nul).await.fields(), ["state"]);
}
