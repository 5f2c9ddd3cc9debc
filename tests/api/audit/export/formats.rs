use serde_json::{Value, json};
use shared::audit::{Changes, Content};
use stack::local::Local;

use super::{BEFORE, EXPORT, admin, entry, export, import, insert};

const HEADER: &str = "id,occurred_at,user_id,username,action,entity_type,entity_id,outcome,\
                      ip_address,user_agent,request_id,changes\r\n";

/// Two entries, the older one with little in it.
fn two() -> [Content; 2] {
    let older = Content {
        user_id: None,
        username: None,
        action: "login_failed".to_owned(),
        entity_id: None,
        changes: Changes::none(),
        outcome: "failed".to_owned(),
        ip_address: None,
        user_agent: None,
        request_id: None,
        ..entry(1)
    };
    [older, entry(2)]
}

async fn with(entries: &[Content]) -> (Local, stack::client::Client) {
    let local = Local::new().await;
    let admin = admin(&local).await.client;
    for entry in entries {
        insert(&local, entry).await;
    }
    (local, admin)
}

#[tokio::test]
async fn json_is_an_array_of_entries_newest_first() {
    let (_local, admin) = with(&two()).await;
    let [older, newer] = two().map(|entry| entry.canonical().unwrap());

    let file = export(&admin, BEFORE).await;

    assert_eq!(file.text, format!("[\n{newer},\n{older}\n]\n"));
    assert_eq!(file.rows, 2);
    let entries: Vec<Content> = serde_json::from_str(&file.text).unwrap();
    assert_eq!(entries, [entry(2), two()[0].clone()]);
}

#[tokio::test]
async fn ndjson_is_an_entry_a_line_and_a_last_line() {
    let (_local, admin) = with(&two()).await;
    let [older, newer] = two().map(|entry| entry.canonical().unwrap());

    let file = export(&admin, &format!("{BEFORE}&format=ndjson&action=update")).await;
    let last = r#"{"entries":1,"verification":null}"#;
    assert_eq!(file.text, format!("{newer}\n{last}\n"));
    assert_eq!(file.rows, 1);

    let file = export(&admin, &format!("{BEFORE}&format=ndjson")).await;
    let (entries, last) = file.text.trim_end().rsplit_once('\n').unwrap();
    assert_eq!(entries, format!("{newer}\n{older}"));
    let last: Value = serde_json::from_str(last).unwrap();
    assert_eq!(
        last,
        json!({ "verification": {
            "checkpoint": null, "public_key": null, "entries": 2, "unsealed": 2,
            "first_number": null, "last_number": null, "gaps": [], "left": [], "right": [],
        } })
    );
    assert_eq!(file.rows, 2);
}

#[tokio::test]
async fn csv_has_a_header_crlf_and_the_columns_of_an_entry() {
    let (_local, admin) = with(&two()).await;

    let file = export(&admin, &format!("{BEFORE}&format=csv")).await;

    assert_eq!(
        file.text,
        format!(
            "{HEADER}\
             00000000-0000-0000-0000-000000000002,2026-02-03T04:00:02.500000Z,\
             00000000-0000-0000-0000-000000000ada,ada,update,user,\
             00000000-0000-0000-0000-000000000b0b,success,203.0.113.7,Lynx,request-2,\
             \"{{\"\"after\"\":{{\"\"name\"\":\"\"Rob\"\"}},\
             \"\"before\"\":{{\"\"name\"\":\"\"Bob\"\"}}}}\"\r\n\
             00000000-0000-0000-0000-000000000001,2026-02-03T04:00:01.500000Z,\
             ,,login_failed,user,,failed,,,,\"{{\"\"after\"\":{{}},\"\"before\"\":{{}}}}\"\r\n"
        )
    );
    assert_eq!(file.rows, 2);
}

#[tokio::test]
async fn an_export_without_entries_is_still_a_file() {
    let (_local, admin) = with(&[]).await;
    for (format, expected) in [
        ("json", "[\n]\n"),
        ("csv", HEADER),
        ("ndjson&action=logout", "{\"entries\":0,\"verification\":null}\n"),
    ] {
        let file = export(&admin, &format!("{BEFORE}&format={format}")).await;
        assert_eq!((file.text.as_str(), file.rows), (expected, 0));
    }
}

#[tokio::test]
async fn csv_cells_are_quoted_and_formulas_defused() {
    let agents = [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(1,1)", "\"'@SUM(1,1)\""),
        ("\tx", "'\tx"),
        ("\rx", "\"'\rx\""),
        ("＝1+1", "'＝1+1"),
        ("＋1", "'＋1"),
        ("－1", "'－1"),
        ("＠A1", "'＠A1"),
        ("=\"a\",\r\nb", "\"'=\"\"a\"\",\r\nb\""),
        ("plain, with \"quotes\"\nand lines", "\"plain, with \"\"quotes\"\"\nand lines\""),
        ("'quoted", "'quoted"),
        ("\\.", "\\."),
    ];
    let entries: Vec<_> = (0..)
        .zip(agents)
        .map(|(number, (agent, _))| Content {
            user_agent: Some(agent.to_owned()),
            changes: Changes::none(),
            ..entry(number)
        })
        .collect();
    let (_local, admin) = with(&entries).await;

    let file = export(&admin, &format!("{BEFORE}&format=csv")).await.text;

    for (number, (_, cell)) in agents.iter().enumerate() {
        let expected = format!(",203.0.113.7,{cell},request-{number},\"{{");
        assert!(file.contains(&expected), "{expected} in {file}");
    }
}

#[tokio::test]
async fn a_username_cannot_run_as_a_formula_either() {
    let named = Content { username: Some("=1+1".to_owned()), ..entry(1) };
    let (_local, admin) = with(&[named]).await;
    let file = export(&admin, &format!("{BEFORE}&format=csv")).await.text;
    assert!(file.contains(",'=1+1,update,"), "{file}");
}

#[tokio::test]
async fn an_imported_entry_is_the_same_entry_in_every_form_sealed_or_not() {
    let (local, admin) = with(&[]).await;
    import(&local, 1, r#"{"name":   "B\u00f6b", "n": 1e400}"#).await;
    let listed = admin.get(&format!("/v1/admin/audit?{BEFORE}")).await.body["items"].clone();
    let changes = r#"{"name":   "B\u00f6b", "n": 1e400}"#;
    assert_eq!(listed[0]["changes"], json!({ "before": {}, "after": changes }));

    for _ in ["unsealed", "sealed"] {
        let file = export(&admin, BEFORE).await;
        assert_eq!(serde_json::from_str::<Value>(&file.text).unwrap(), listed);
        let file = export(&admin, &format!("{BEFORE}&format=ndjson")).await;
        let line = file.text.lines().next().unwrap();
        assert_eq!(serde_json::from_str::<Value>(line).unwrap(), listed[0]);
        let file = export(&admin, &format!("{BEFORE}&format=csv")).await;
        let cells = "a0000000-0000-0000-0000-000000000001,2026-02-01T00:00:01.000000Z,,,update,\
                     user,,success,,,,";
        assert!(file.text.contains(cells), "{}", file.text);
        let cell = listed[0]["changes"].to_string().replace('"', "\"\"");
        assert!(file.text.contains("\"{\"\"") && file.rows == 1, "{cell} in {}", file.text);
        crate::seal::seal_once(&local.database).await;
    }
}

#[tokio::test]
async fn a_file_is_an_attachment_with_a_fixed_name() {
    let (_local, admin) = with(&[]).await;
    for (query, content_type, name) in [
        ("", "application/json", "audit-log.json"),
        ("?format=json", "application/json", "audit-log.json"),
        ("?format=ndjson", "application/x-ndjson", "audit-log.ndjson"),
        ("?format=csv", "text/csv; charset=utf-8; header=present", "audit-log.csv"),
    ] {
        let reply = admin.get(&format!("{EXPORT}{query}")).await;
        assert_eq!(reply.status, 200);
        assert_eq!(reply.header("content-type"), content_type);
        assert_eq!(reply.header("content-disposition"), format!("attachment; filename=\"{name}\""));
        assert_eq!(reply.header("trailer"), "x-export-rows");
        assert_eq!(reply.header("cache-control"), "no-store");
    }
}

#[tokio::test]
async fn many_entries_come_in_many_pieces_and_none_is_lost() {
    let (local, admin) = with(&[]).await;
    import(&local, 5_000, r#"{"name": "b"}"#).await;
    for (format, beside) in [("csv", 1), ("ndjson", 1), ("json", 2)] {
        let file = export(&admin, &format!("{BEFORE}&format={format}")).await;
        assert_eq!(file.rows, 5_000);
        assert_eq!(file.text.lines().count(), 5_000 + beside, "{format}");
    }
}
