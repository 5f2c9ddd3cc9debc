//! A file that somebody wrote on, with or without a last line that fits.

use serde_json::json;

use super::*;

/// The first and the last number in a file.
fn numbers(last: &Value) -> (u64, u64) {
    let proof = &last["verification"];
    (proof["first_number"].as_u64().unwrap(), proof["last_number"].as_u64().unwrap())
}

/// Adds to a number in the last line.
fn add(last: &mut Value, field: &str, difference: i64) {
    let number = &mut last["verification"][field];
    *number = (number.as_i64().unwrap() + difference).into();
}

async fn assert_bad(source: &Source, lines: &[String], last: &Value) -> Outcome {
    let outcome = source.verify(joined(lines, last)).await;
    assert_eq!(outcome.code(), 1, "{}", outcome.told);
    outcome
}

#[tokio::test]
async fn every_byte_counts() {
    let source = Source::new(3).await;
    let file = source.text(PERIOD).await;

    for at in 0..file.len() {
        let mut bytes = file.clone().into_bytes();
        bytes[at] ^= 1;
        let outcome = source.verify(&bytes).await;
        assert_eq!(outcome.code(), 1, "{at}: {}", String::from_utf8_lossy(&bytes));
    }
}

#[tokio::test]
async fn a_changed_entry() {
    let source = Source::new(5).await;
    let (lines, last) = parts(&source.text(PERIOD).await);
    let (first, end) = numbers(&last);

    let mut forged = lines.clone();
    forged[1] = forged[1].replace("Ann", "Bob");
    assert_eq!(assert_bad(&source, &forged, &last).await.first_bad(), Some((first, end)));
    // What is no entry any more can be named.
    for other in ["{}".to_owned(), lines[1].replace(':', ": "), lines[1].replace("id", "ID")] {
        forged[1] = other;
        let outcome = assert_bad(&source, &forged, &last).await;
        assert_eq!(outcome.first_bad(), Some((end - 1, end - 1)), "{}", outcome.told);
    }
}

#[tokio::test]
async fn swapped_order() {
    let source = Source::new(5).await;
    let (mut lines, last) = parts(&source.text(PERIOD).await);
    lines.swap(2, 3);
    let outcome = assert_bad(&source, &lines, &last).await;
    assert_eq!(outcome.first_bad(), Some(numbers(&last)), "{}", outcome.told);
}

#[tokio::test]
async fn a_removed_middle() {
    let source = Source::new(5).await;
    let (mut lines, mut last) = parts(&source.text(PERIOD).await);
    let (first, end) = numbers(&last);
    lines.remove(2);
    let outcome = assert_bad(&source, &lines, &last).await;
    assert_eq!(outcome.first_bad(), Some((end, end)), "{}", outcome.told);
    add(&mut last, "entries", -1);
    assert_eq!(assert_bad(&source, &lines, &last).await.first_bad(), Some((first, end)));
    let gap = json!([[first + 2, data_encoding::BASE64.encode(&[7; 32])]]);
    last["verification"]["gaps"] = gap;
    assert_eq!(assert_bad(&source, &lines, &last).await.first_bad(), Some((first, end)));
    add(&mut last, "entries", 1);
    assert_bad(&source, &lines, &last).await;
}

#[tokio::test]
async fn whoever_knows_a_leaf_can_leave_its_entry_out_and_the_words_say_so() {
    let source = Source::new(5).await;
    let (mut lines, mut last) = parts(&source.text(PERIOD).await);
    let (_, end) = numbers(&last);
    let removed = lines.remove(2);
    add(&mut last, "entries", -1);
    let leaf = shared::audit::tree::leaf_hash(removed.as_bytes());
    last["verification"]["gaps"] = json!([[end - 2, data_encoding::BASE64.encode(&leaf)]]);

    let outcome = source.verify(joined(&lines, &last)).await;

    assert_eq!(outcome.verdict, Verdict::Pinned);
    let words = format!("leaves out 1, from {0} to {0}", end - 2);
    assert!(outcome.told.contains(&words), "{}", outcome.told);
}

#[tokio::test]
async fn a_removed_tail() {
    let source = Source::new(5).await;
    let (mut lines, mut last) = parts(&source.text(PERIOD).await);
    let (first, end) = numbers(&last);
    lines.remove(0);
    assert_eq!(assert_bad(&source, &lines, &last).await.first_bad(), Some((end, end)));
    add(&mut last, "entries", -1);
    assert_eq!(assert_bad(&source, &lines, &last).await.first_bad(), Some((first, end)));
    add(&mut last, "last_number", -1);
    let outcome = assert_bad(&source, &lines, &last).await;
    assert!(outcome.told.contains("too many or too few hashes"), "{}", outcome.told);
}

#[tokio::test]
async fn an_inserted_entry() {
    let source = Source::new(5).await;
    let (mut lines, mut last) = parts(&source.text(PERIOD).await);
    let (first, end) = numbers(&last);
    let entry = lines[2].replace("Ann", "Eve");
    lines.insert(2, entry);
    assert_bad(&source, &lines, &last).await;
    add(&mut last, "entries", 1);
    assert_eq!(assert_bad(&source, &lines, &last).await.first_bad(), Some((first, end)));
    add(&mut last, "last_number", 1);
    assert_bad(&source, &lines, &last).await;
}

#[tokio::test]
async fn a_checkpoint_of_another_log() {
    let source = Source::new(5).await;
    let (lines, mut last) = parts(&source.text(PERIOD).await);
    let range = Some(numbers(&last));
    let same_key = Source::new(5).await;
    let (_, other) = parts(&same_key.text(PERIOD).await);
    last["verification"]["checkpoint"] = other["verification"]["checkpoint"].clone();
    assert_eq!(assert_bad(&source, &lines, &last).await.first_bad(), range);

    let other = Log::signed_with(&FOREIGN_KEY).await;
    last["verification"]["checkpoint"] = note(other.db(), 20).await.into();
    let outcome = assert_bad(&source, &lines, &last).await;
    assert!(outcome.told.contains("not signed with the key that was given"), "{}", outcome.told);
}

#[tokio::test]
async fn an_old_checkpoint_that_the_file_does_not_extend() {
    let source = Source::new(5).await;
    let file = source.export("").await;
    let other = Source::new(4).await;

    let outcome = verify_file(&file, extending(&other.checkpoint().await)).await;

    assert_eq!(outcome.code(), 1);
    assert!(outcome.told.contains("does not begin with"), "{}", outcome.told);
}

#[tokio::test]
async fn everything_deleted() {
    let source = Source::new(5).await;
    let kept = source.checkpoint().await;
    let size: u64 = kept.file_name().unwrap().to_str().unwrap().parse().unwrap();
    let (_, last) = parts(&source.text(PERIOD).await);
    assert_bad(&source, &[], &last).await;
    let empty = json!({ "verification": {
        "checkpoint": null, "public_key": null, "entries": 0, "unsealed": 0, "first_number": null,
        "last_number": null, "gaps": [], "left": [], "right": [],
    }});
    let file = source.write(joined(&[], &empty));

    let unaware = verify_file(&file, pinned()).await;
    let outcome = verify_file(&file, extending(&kept)).await;

    assert_eq!(unaware.verdict, Verdict::Unsigned);
    assert_eq!((outcome.code(), outcome.first_bad()), (1, Some((0, 0))), "{size}");
}

#[tokio::test]
async fn everything_edited_and_signed_anew_with_another_key() {
    let source = Source::empty(Local::new().await).await;
    source.add(5, "2024-01-01").await;
    let foreign = [("AUDIT_SIGNING_KEY", FOREIGN_KEY.as_str())];
    let sealing = jobs::seal::Arguments::default();
    seal_with(&foreign, &source.local.database, sealing).await.unwrap();
    let file = source.export(PERIOD).await;
    let (_, last) = parts(&std::fs::read_to_string(&file).unwrap());

    let unaware = verify_file(&file, Arguments::default()).await;
    let outcome = verify_file(&file, pinned()).await;

    assert_eq!(unaware.verdict, Verdict::KeyTaken);
    assert_eq!((outcome.code(), outcome.first_bad()), (1, Some(numbers(&last))));
}
