use std::time::Duration;

use http_body_util::BodyExt;
use serde_json::Value;
use stack::eventually::eventually;
use stack::local::Local;

use super::{
    BEFORE, EXPORT, admin, backends, entry, export, import_much, insert, records, stalled,
};

/// The one export that the log should tell of: outcome and entries.
async fn recorded(local: &Local) -> (String, u64) {
    let record = eventually("the export's entry", Duration::from_secs(10), async || {
        records(local).await.pop()
    })
    .await;
    assert_eq!(records(local).await.len(), 1);
    (record[0].as_str().unwrap().to_owned(), record[1]["rows"].as_u64().unwrap())
}

#[tokio::test]
async fn a_database_that_fails_in_the_middle_is_a_transfer_error() {
    for format in ["csv", "json", "ndjson", "ndjson&action=update"] {
        let local = Local::new().await;
        let admin = admin(&local).await.client;
        import_much(&local).await;
        let path = format!("{EXPORT}?format={format}");
        let mut body = admin.open(&path).await.into_body();
        body.frame().await.unwrap().unwrap();
        eventually("the query", Duration::from_secs(10), async || {
            (backends(&local).await == 1).then_some(())
        })
        .await;

        sqlx::query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND query LIKE 'COPY (SELECT%'",
        )
        .execute(local.database.pool())
        .await
        .unwrap();

        assert!(body.collect().await.is_err(), "{format}");
        let (outcome, rows) = recorded(&local).await;
        assert_eq!(outcome, "failed");
        assert!(rows < 2_000, "{rows}");
    }
}

#[tokio::test]
async fn what_cannot_be_recorded_does_not_end_well() {
    for format in ["csv", "json", "ndjson"] {
        let local = Local::new().await;
        let admin = admin(&local).await.client;
        insert(&local, &entry(1)).await;
        sqlx::raw_sql(
            "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql
                 AS $$ BEGIN RAISE EXCEPTION 'the test wills it'; END $$;
             CREATE TRIGGER fail BEFORE INSERT ON admin_audit_logs FOR EACH ROW
                 WHEN (NEW.action = 'export') EXECUTE FUNCTION fail();",
        )
        .execute(local.database.pool())
        .await
        .unwrap();

        let response = admin.open(&format!("{EXPORT}?{BEFORE}&format={format}")).await;
        assert_eq!(response.status(), 200);
        let mut body = response.into_body();
        let mut received = vec![];
        let broken = loop {
            match body.frame().await {
                Some(Ok(frame)) => received.extend_from_slice(frame.data_ref().unwrap()),
                Some(Err(_)) => break true,
                None => break false,
            }
        };

        assert!(broken, "{format}");
        let received = String::from_utf8(received).unwrap();
        assert!(!received.contains("Bob") && !received.contains("verification"), "{received}");
        assert!(!received.contains(']'), "{received}");
    }
}

#[tokio::test]
async fn a_client_that_leaves_frees_the_database_and_is_in_the_log() {
    let local = Local::new().await;
    let admin = admin(&local).await.client;
    import_much(&local).await;
    let body = stalled(&admin).await;
    eventually("the query", Duration::from_secs(10), async || {
        (backends(&local).await == 1).then_some(())
    })
    .await;

    drop(body);

    eventually("the end of the query", Duration::from_secs(2), async || {
        (backends(&local).await == 0).then_some(())
    })
    .await;
    let (outcome, rows) = recorded(&local).await;
    assert_eq!(outcome, "failed");
    assert!(rows < 2_000, "{rows}");
}

#[tokio::test]
async fn no_part_of_a_file_passes_for_the_whole() {
    let local = Local::new().await;
    let admin = admin(&local).await.client;
    for number in 0..3 {
        insert(&local, &entry(number)).await;
    }

    let whole = export(&admin, BEFORE).await.text;
    assert!(serde_json::from_str::<Value>(&whole).is_ok());
    for end in 0..whole.trim_end().len() {
        assert!(serde_json::from_str::<Value>(&whole[..end]).is_err(), "{}", &whole[..end]);
    }

    for filter in ["", "&action=update"] {
        let whole = export(&admin, &format!("{BEFORE}&format=ndjson{filter}")).await.text;
        let is_whole = |file: &str| {
            let last = file.lines().last().unwrap_or_default();
            let last: Value = serde_json::from_str(last).unwrap_or_default();
            last.get("verification").is_some()
        };
        assert!(is_whole(&whole));
        for end in 0..whole.trim_end().len() {
            assert!(!is_whole(&whole[..end]), "{}", &whole[..end]);
        }
    }
}
