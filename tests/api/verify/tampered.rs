//! The entries of the database, tampered with: each of these must show, and where.

use shared::audit::{Changes, Content};

use super::*;

/// Makes the canonical text of an entry, and its leaf, fit its columns again, for whoever changed
/// one; that is, of an entry that [`record_many`] made.
fn refit(number: u64, changed: &str) -> String {
    let id = id_of(number);
    format!(
        "UPDATE admin_audit_logs SET {changed} WHERE id = {id};
         UPDATE admin_audit_logs SET leaf = sha256('\\x00'::bytea || convert_to(canonical, 'UTF8'))
         WHERE id = {id};"
    )
}

/// Changes an entry wherever the log itself has it.
fn rewrite(number: u64) -> String {
    refit(
        number,
        "changes = replace(changes::text, 'Ann', 'Bob')::json,
         canonical = replace(canonical, 'Ann', 'Bob')",
    )
}

const TAKE_OVER_LEAF: &str = "UPDATE admin_audit_leaves AS s SET leaf = e.leaf
                              FROM admin_audit_logs AS e WHERE e.id = s.entry_id;";

/// Leaves no gap behind.
const RENUMBER: &str = "UPDATE admin_audit_leaves SET number = number + 1000;
    UPDATE admin_audit_leaves AS s SET number = n.turn - 1
    FROM (SELECT entry_id, row_number() OVER (ORDER BY number) AS turn FROM admin_audit_leaves) AS n
    WHERE n.entry_id = s.entry_id;
    UPDATE admin_audit_seal SET size = (SELECT count(*) FROM admin_audit_leaves);";

async fn first_bad(statements: &str) -> Option<(u64, u64)> {
    let log = Log::new().await;
    log.tamper(statements).await;
    let outcome = log.verify(pinned()).await;
    assert_eq!(outcome.code(), 1, "{statements}: {}", outcome.told);
    outcome.first_bad()
}

#[tokio::test]
async fn a_changed_byte() {
    let change = |what: &str| format!("UPDATE admin_audit_logs SET {what} WHERE id = {}", id_of(7));
    for statement in [
        change("canonical = replace(canonical, 'Ann', 'Anm')"),
        change("canonical = canonical || ' '"),
        change("canonical = NULL"),
        change("leaf = NULL"),
        change("leaf = set_byte(leaf, 31, get_byte(leaf, 31) # 1)"),
        rewrite(7),
    ] {
        assert_eq!(first_bad(&statement).await, Some((7, 7)), "{statement}");
    }
    // With its leaf, too: then only what was signed tells.
    assert_eq!(first_bad(&(rewrite(7) + TAKE_OVER_LEAF)).await, Some((0, 11)));
    assert_eq!(first_bad(&(rewrite(17) + TAKE_OVER_LEAF)).await, Some((12, 19)));
    let leaf = "UPDATE admin_audit_leaves SET leaf = sha256('') WHERE number = 4";
    assert_eq!(first_bad(leaf).await, Some((4, 4)));
    let leaf = "UPDATE admin_audit_leaves SET leaf = '\\x00' WHERE number = 4";
    let unchecked = "ALTER TABLE admin_audit_leaves DROP CONSTRAINT admin_audit_leaves_leaf_check;";
    assert_eq!(first_bad(&format!("{unchecked}{leaf}")).await, Some((4, 4)));
}

#[tokio::test]
async fn a_column_that_differs_from_the_text() {
    for change in [
        "created_at = created_at + interval '1 microsecond'",
        "user_id = gen_random_uuid()",
        "username = ''",
        "action = 'view'",
        "entity_type = 'batch'",
        "entity_id = NULL",
        "changes = '{\"before\": {\"name\": \"Ann\"}, \"after\": {\"name\": \"Zoe\"}}'",
        "changes = NULL",
        "outcome = 'failed'",
        "outcome = 'Success'",
        "ip_address = '203.0.113.7'",
        "user_agent = 'Lynx'",
        "request_id = 'x'",
    ] {
        let statement = format!("UPDATE admin_audit_logs SET {change} WHERE id = {}", id_of(9));
        assert_eq!(first_bad(&statement).await, Some((9, 9)), "{change}");
    }
    let id = "ALTER TABLE admin_audit_leaves DISABLE TRIGGER USER;
              CREATE TEMPORARY TABLE one AS
              SELECT entry_id FROM admin_audit_leaves WHERE number = 9;
              UPDATE admin_audit_logs SET id = '0190163d-8694-739b-aea5-966c26f8ad91'
              WHERE id = (SELECT entry_id FROM one);
              UPDATE admin_audit_leaves SET entry_id = '0190163d-8694-739b-aea5-966c26f8ad91'
              WHERE number = 9; DROP TABLE one";
    assert_eq!(first_bad(id).await, Some((9, 9)));
}

#[tokio::test]
async fn swapped_order() {
    let swap = |columns: &str, first: u64, second: u64| {
        format!(
            "CREATE TEMPORARY TABLE two AS SELECT * FROM admin_audit_leaves
             WHERE number IN ({first}, {second});
             UPDATE admin_audit_leaves SET entry_id = gen_random_uuid()
             WHERE number IN ({first}, {second});
             UPDATE admin_audit_leaves AS s SET {columns} FROM two
             WHERE two.number = {first} + {second} - s.number
               AND s.number IN ({first}, {second});
             DROP TABLE two"
        )
    };
    assert_eq!(first_bad(&swap("entry_id = two.entry_id", 3, 5)).await, Some((3, 3)));
    let whole = "entry_id = two.entry_id, leaf = two.leaf";
    assert_eq!(first_bad(&swap(whole, 3, 5)).await, Some((0, 11)));
    assert_eq!(first_bad(&swap(whole, 14, 15)).await, Some((12, 19)));
}

#[tokio::test]
async fn a_removed_middle() {
    let entries = format!("DELETE FROM admin_audit_logs WHERE id IN ({}, {});", id_of(7), id_of(8));
    assert_eq!(first_bad(&entries).await, Some((7, 7)));
    let leaves = entries + "DELETE FROM admin_audit_leaves WHERE number IN (7, 8);";
    assert_eq!(first_bad(&leaves).await, Some((7, 7)));
    assert_eq!(first_bad(&(leaves + RENUMBER)).await, Some((0, 11)));
}

#[tokio::test]
async fn a_removed_beginning_that_no_prune_took() {
    let entries =
        "DELETE FROM admin_audit_logs USING admin_audit_leaves WHERE entry_id = id AND number < 3";
    assert_eq!(first_bad(entries).await, Some((0, 0)));
    // An entry that says so does not help, as long as nobody signed that one.
    let log = Log::new().await;
    log.tamper(entries).await;
    let mut connection = log.db().acquire().await.unwrap();
    let entry = crate::prune::entry_about(0, 2);
    shared::audit::record(&mut connection, &shared::Clock::real(), entry).await.unwrap();
    let outcome = log.verify(pinned()).await;
    assert_eq!(outcome.first_bad(), Some((0, 0)));
    assert!(outcome.told.contains("run `jobs seal`"), "{}", outcome.told);
}

#[tokio::test]
async fn a_removed_tail() {
    let tail = "DELETE FROM admin_audit_logs USING admin_audit_leaves
                WHERE entry_id = id AND number >= 15;";
    assert_eq!(first_bad(tail).await, Some((15, 15)));
    let leaves = tail.to_owned()
        + "DELETE FROM admin_audit_leaves WHERE number >= 15;
           UPDATE admin_audit_seal SET size = 15;";
    assert_eq!(first_bad(&leaves).await, Some((15, 15)));

    // With the checkpoint, too: only who kept it knows.
    let log = Log::new().await;
    let later = log.checkpoint(20).await;
    log.tamper(&(leaves + "DELETE FROM admin_audit_checkpoints WHERE size = 20")).await;
    let unaware = log.verify(pinned()).await;
    let outcome = log.verify(extending(&later)).await;
    assert_eq!((outcome.code(), outcome.first_bad()), (1, Some((15, 15))), "{}", outcome.told);
    assert!(unaware.told.contains("the first 12 entries"), "{}", unaware.told);
}

#[tokio::test]
async fn an_inserted_entry() {
    let insert = "
        INSERT INTO admin_audit_logs
        SELECT (e2.e).*
        FROM (SELECT jsonb_populate_record(e, jsonb_build_object('id', gen_random_uuid())) AS e
              FROM admin_audit_logs AS e LIMIT 1) AS e2;";
    assert_eq!(first_bad(insert).await, None, "without a number");
    let log = Log::new().await;
    let entry = "9b8e2c0e-9d0a-4c1e-8a55-0f2f6d1c9b01";
    let imported = format!(
        "INSERT INTO admin_audit_logs (id, entity_type, action, created_at, imported)
         VALUES ('{entry}', 'tag', 'tag.updated', '2024-01-01', true);"
    );
    log.tamper(&imported).await;
    assert_eq!(log.verify(pinned()).await.first_bad(), None);
    // Whole, and with a number of its own, between others.
    let text = Content {
        id: entry.parse().unwrap(),
        occurred_at: "2024-01-01T00:00:00.000000Z".to_owned(),
        user_id: None,
        username: None,
        action: "tag.updated".to_owned(),
        entity_type: "tag".to_owned(),
        entity_id: None,
        changes: Changes::none(),
        outcome: "success".to_owned(),
        ip_address: None,
        user_agent: None,
        request_id: None,
    };
    let whole = format!(
        "{imported}
         UPDATE admin_audit_logs SET canonical = '{}' WHERE id = '{entry}';
         UPDATE admin_audit_logs SET leaf = sha256('\\x00'::bytea || convert_to(canonical, 'UTF8'))
         WHERE id = '{entry}';
         UPDATE admin_audit_leaves SET number = number + 1000;
         UPDATE admin_audit_leaves
         SET number = number - CASE WHEN number < 1005 THEN 1000 ELSE 999 END;
         INSERT INTO admin_audit_leaves
         SELECT 5, id, leaf FROM admin_audit_logs WHERE id = '{entry}';
         UPDATE admin_audit_seal SET size = 21;",
        text.canonical().unwrap()
    );
    assert_eq!(first_bad(&whole).await, Some((0, 11)));
}

#[tokio::test]
async fn everything_deleted() {
    const ENTRIES: &str = "DELETE FROM admin_audit_logs;";
    const NUMBERS: &str = "DELETE FROM admin_audit_leaves; UPDATE admin_audit_seal SET size = 0;";
    assert_eq!(first_bad(ENTRIES).await, Some((0, 0)));
    assert_eq!(first_bad("DELETE FROM admin_audit_leaves").await, Some((0, 0)));
    assert_eq!(first_bad(&format!("{ENTRIES}{NUMBERS}")).await, Some((0, 0)));

    let log = Log::new().await;
    let kept = log.checkpoint(12).await;
    log.tamper(&format!("{ENTRIES}{NUMBERS} DELETE FROM admin_audit_checkpoints")).await;
    let unaware = log.verify(pinned()).await;
    let outcome = log.verify(extending(&kept)).await;
    assert_eq!((outcome.code(), outcome.first_bad()), (1, Some((0, 0))));
    assert_eq!(unaware.verdict, Verdict::Unsigned, "{}", unaware.told);
}

#[tokio::test]
async fn everything_edited_and_signed_anew_with_another_key() {
    let log = Log::new().await;
    let kept = log.checkpoint(12).await;
    let edited = "
        UPDATE admin_audit_logs SET
            changes = replace(changes::text, 'Ann', 'Bob')::json,
            canonical = replace(canonical, 'Ann', 'Bob');
        UPDATE admin_audit_logs SET leaf = sha256('\\x00'::bytea || convert_to(canonical, 'UTF8'));
        INSERT INTO admin_audit_unsealed (entry_id)
        SELECT entry_id FROM admin_audit_leaves ORDER BY number;
        DELETE FROM admin_audit_leaves; DELETE FROM admin_audit_checkpoints;
        UPDATE admin_audit_seal SET size = 0;";
    log.tamper(edited).await;
    let foreign = [("AUDIT_SIGNING_KEY", FOREIGN_KEY.as_str())];
    seal_with(&foreign, &log.database, jobs::seal::Arguments::default()).await.unwrap();

    let unaware = log.verify(Arguments::default()).await;
    let outcome = log.verify(pinned()).await;
    let extending = log.verify(extending(&kept)).await;

    assert_eq!(unaware.verdict, Verdict::KeyTaken);
    assert!(!unaware.told.contains(&*PUBLIC_KEY), "{}", unaware.told);
    assert_eq!((outcome.code(), outcome.first_bad()), (1, Some((0, 19))));
    assert!(outcome.told.contains("not signed with the log's key"), "{}", outcome.told);
    assert_eq!((extending.code(), extending.first_bad()), (1, Some((0, 11))));
}

#[tokio::test]
async fn an_entry_that_waits_for_its_number() {
    for statement in [
        "DELETE FROM admin_audit_logs WHERE id IN (SELECT entry_id FROM admin_audit_unsealed)",
        "DELETE FROM admin_audit_unsealed",
        "UPDATE admin_audit_logs SET username = 'Eve'
         WHERE id IN (SELECT entry_id FROM admin_audit_unsealed)",
        "UPDATE admin_audit_logs SET canonical = NULL
         WHERE id IN (SELECT entry_id FROM admin_audit_unsealed)",
        "INSERT INTO admin_audit_unsealed (entry_id)
         SELECT entry_id FROM admin_audit_leaves WHERE number = 3",
    ] {
        let log = Log::new().await;
        record_many(log.db(), 1).await;
        log.tamper(statement).await;
        let outcome = log.verify(pinned()).await;
        assert_eq!((outcome.code(), outcome.first_bad()), (1, None), "{statement}");
    }
}
