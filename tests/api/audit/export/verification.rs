use data_encoding::BASE64;
use serde_json::Value;
use shared::audit::tree::{Hash, Range, cover, leaf_hash};
use stack::client::Client;
use stack::local::Local;

use super::{admin, entry, export, import, insert};
use crate::seal::seal_once;

/// The last line of a file, and the lines before it.
fn split(file: &str) -> (Vec<&str>, Value) {
    let mut lines: Vec<_> = file.lines().collect();
    let last: Value = serde_json::from_str(lines.pop().unwrap()).unwrap();
    (lines, last["verification"].clone())
}

fn hash(base64: &Value) -> Hash {
    BASE64.decode(base64.as_str().unwrap().as_bytes()).unwrap().try_into().unwrap()
}

/// The root that a file makes, with nothing but itself to make it of, and that its checkpoint has.
fn roots(file: &str) -> (Hash, Hash) {
    let (lines, verification) = split(file);
    let note: Vec<_> = verification["checkpoint"].as_str().unwrap().lines().collect();
    let size: u64 = note[1].parse().unwrap();
    let first = verification["first_number"].as_u64().unwrap_or(size);
    let end = verification["last_number"].as_u64().map_or(size, |last| last + 1);
    let unsealed = usize::try_from(verification["unsealed"].as_u64().unwrap()).unwrap();
    assert_eq!(lines.len() as u64, verification["entries"].as_u64().unwrap());

    let mut tree = Range::from(0);
    let placed = |first, end, hashes: &Value| {
        let places = cover(first, end);
        let hashes = hashes.as_array().unwrap();
        assert_eq!(places.len(), hashes.len());
        places.into_iter().zip(hashes.iter().map(hash)).collect::<Vec<_>>()
    };
    let left = placed(0, first, &verification["left"]);
    let right = placed(end, size, &verification["right"]);
    left.into_iter().for_each(|(place, hash)| tree.push(place, hash).unwrap());
    let mut sealed = lines[unsealed..].iter().rev();
    let gaps = verification["gaps"].as_array().unwrap();
    for number in first..end {
        let leaf = match gaps.iter().find(|gap| gap[0] == number) {
            Some(gap) => hash(&gap[1]),
            None => leaf_hash(sealed.next().unwrap().as_bytes()),
        };
        tree.push_leaf(leaf, |_, _| {});
    }
    assert!(sealed.next().is_none());
    right.into_iter().for_each(|(place, hash)| tree.push(place, hash).unwrap());
    (tree.root().unwrap(), hash(&note[2].into()))
}

async fn file(admin: &Client, query: &str) -> String {
    export(admin, &format!("format=ndjson&{query}")).await.text
}

#[tokio::test]
async fn a_file_makes_the_root_that_its_checkpoint_has() {
    let local = Local::new().await;
    let admin = admin(&local).await.client;
    import(&local, 600, r#"{"name": "b"}"#).await;
    for number in 0..7 {
        insert(&local, &entry(number)).await;
    }
    seal_once(&local.database).await;

    for query in [
        "",
        "end_date=2026-02-28",
        "start_date=2026-02-03",
        "start_date=2026-02-03&end_date=2026-02-28",
        "start_date=2026-02-01T00:00:10Z&end_date=2026-02-01T00:09:00Z",
        "start_date=2026-01-01&end_date=2026-01-02",
    ] {
        let file = file(&admin, query).await;
        let (made, signed) = roots(&file);
        assert_eq!(made, signed, "{query}");
        let (_, verification) = split(&file);
        assert!(verification["public_key"].as_str().unwrap().contains('+'));
    }
}

#[tokio::test]
async fn a_changed_line_makes_another_root() {
    let local = Local::new().await;
    let admin = admin(&local).await.client;
    for number in 0..7 {
        insert(&local, &entry(number)).await;
    }
    seal_once(&local.database).await;

    let file = file(&admin, "end_date=2026-02-28").await;
    let (made, signed) = roots(&file.replacen("Rob", "Bob", 1));

    assert_ne!(made, signed);
}

#[tokio::test]
async fn what_is_not_sealed_yet_comes_first_and_counts() {
    let local = Local::new().await;
    let admin = admin(&local).await.client;
    for number in 0..3 {
        insert(&local, &entry(number)).await;
    }
    seal_once(&local.database).await;
    for number in 3..5 {
        insert(&local, &entry(number)).await;
    }

    let file = file(&admin, "end_date=2026-02-28").await;

    let (lines, verification) = split(&file);
    let expected = [4, 3, 2, 1, 0].map(|number| entry(number).canonical().unwrap());
    assert_eq!(lines, expected);
    assert_eq!((&verification["entries"], &verification["unsealed"]), (&5.into(), &2.into()));
    let (made, signed) = roots(&file);
    assert_eq!(made, signed);
}

#[tokio::test]
async fn numbers_between_that_belong_to_another_time_are_gaps() {
    let local = Local::new().await;
    let admin = admin(&local).await.client;
    // They get their numbers in the order in which they are written.
    for number in [1, 30, 2, 31, 32, 3] {
        insert(&local, &entry(number)).await;
    }
    seal_once(&local.database).await;

    let query = "start_date=2026-02-03T04:00:00Z&end_date=2026-02-03T04:00:10Z";
    let file = file(&admin, query).await;

    let (lines, verification) = split(&file);
    assert_eq!(lines, [3, 2, 1].map(|number| entry(number).canonical().unwrap()));
    let gaps = verification["gaps"].as_array().unwrap();
    let first = verification["first_number"].as_u64().unwrap();
    let numbers: Vec<_> = gaps.iter().map(|gap| gap[0].as_u64().unwrap() - first).collect();
    assert_eq!(numbers, [1, 3, 4]);
    let (made, signed) = roots(&file);
    assert_eq!(made, signed);
}
