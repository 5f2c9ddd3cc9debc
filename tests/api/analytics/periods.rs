//! Which periods can be asked for: the same ones on every route.

use serde_json::Value;
use shared::caller::Role;

use super::{ALL, FRAUD, Stage, TRENDS, scan};

fn ends(body: &Value) -> [&str; 2] {
    ["start_date", "end_date"].map(|field| body[field].as_str().unwrap())
}

#[tokio::test]
async fn the_answer_repeats_the_period_in_the_form_it_came() {
    let stage = Stage::new().await;
    for path in ALL {
        assert_eq!(ends(&stage.get(path, &[]).await), ["2026-01-31", "2026-03-01"]);
        for given in [
            ["2024-02-29", "2024-02-29"],
            ["2026-01-01T00:00:00+05:45", "2026-01-01T12:00:00.000Z"],
            ["2026-01-01", "2026-01-01T00:00:00.000001Z"],
            ["2026-02-27T23:59:60-03:00", "2026-03-31"],
        ] {
            let query = [("start_date", given[0]), ("end_date", given[1])];
            assert_eq!(ends(&stage.get(path, &query).await), given, "{path}");
        }
    }
    let from = stage.get(FRAUD, &[("start_date", "2026-02-20T06:00:00-03:00")]).await;
    assert_eq!(ends(&from), ["2026-02-20T06:00:00-03:00", "2026-03-01T21:00:00-03:00"]);
    let to = stage.get(FRAUD, &[("end_date", "2025-12-30")]).await;
    assert_eq!(ends(&to), ["2025-12-01", "2025-12-30"]);
}

#[tokio::test]
async fn a_period_that_is_none_is_refused_at_the_field_that_is_wrong() {
    let stage = Stage::new().await;
    for path in ALL {
        for (start, end, field) in [
            ("2026-02-29", "2026-03-01", "start_date"),
            ("2026-02-01", "2026-02-30", "end_date"),
            ("2026-02-02", "2026-02-01", "start_date"),
            ("2026-02-01T00:00:00Z", "2026-02-01T00:00:00Z", "start_date"),
            ("2026-02-01T00:00:00", "2026-02-02", "start_date"),
            ("2024-01-01", "2026-01-01", "end_date"),
            ("", "2026-01-01", "start_date"),
        ] {
            let reply = stage.reply(path, &[("start_date", start), ("end_date", end)]).await;
            assert_eq!(reply.fields(), [field], "{path} {start} {end}");
        }
        let both = stage.reply(path, &[("start_date", "x"), ("end_date", "y")]).await;
        assert_eq!(both.fields(), ["start_date", "end_date"]);
        let future = stage.reply(path, &[("start_date", "2026-03-02")]).await;
        assert_eq!(future.fields(), ["start_date"]);
        // Two years of which one is a leap year, and not a day more.
        stage.get(path, &[("start_date", "2024-01-01"), ("end_date", "2025-12-31")]).await;
    }
}

#[tokio::test]
async fn what_is_wrong_is_said_at_once() {
    let stage = Stage::new().await;
    let query = [("start_date", "x"), ("timezone", "Mars/Olympus")];
    let fields = stage.reply(TRENDS, &query).await;
    assert_eq!(fields.fields(), ["start_date", "timezone"]);
}

#[tokio::test]
async fn an_end_in_the_future_counts_what_is_there_also_what_claims_to_be_from_then() {
    let stage = Stage::new().await;
    stage.scanned(&[scan("2026-03-01T11:59:59Z"), scan("2026-12-24T18:00:00Z")]).await;
    let total = async || {
        let query = [("start_date", "2026-03-01"), ("end_date", "2026-12-31")];
        stage.get(FRAUD, &query).await["total_scans"].clone()
    };
    assert_eq!(total().await, 2);
    stage.fold().await;
    assert_eq!(total().await, 2);
}

#[tokio::test]
async fn the_ends_of_the_calendar_are_empty_and_no_failure() {
    let stage = Stage::new().await;
    for path in ALL {
        for day in ["0000-01-01", "0001-01-01", "1900-02-28", "9999-12-31"] {
            for zone in ["UTC", "Asia/Tokyo", "America/New_York"] {
                let mut query = vec![("start_date", day), ("end_date", day)];
                if path.ends_with("trends") || path.ends_with("heatmap") {
                    query.push(("timezone", zone));
                }
                stage.get(path, &query).await;
            }
        }
    }
}

#[tokio::test]
async fn today_is_the_clocks_and_not_the_databases() {
    let stage = Stage::new().await;
    stage.local.clock.advance(chrono::TimeDelta::hours(12));
    let admin = stage.local.actor_named(&stage.local.api(), "late", Role::Admin).await;

    let reply = admin.client.get(FRAUD).await;

    assert_eq!(ends(&reply.body), ["2026-02-01", "2026-03-02"]);
}
