//! An exported file, with nothing but the public key: whole or not, and each thing that can be done
//! to it.

mod cut;
mod forged;

use serde_json::Value;
use shared::caller::Role;
use stack::local::Local;

use super::*;

/// The days of [`Source::entries`]: what the tests themselves do lies later.
const PERIOD: &str = "end_date=2024-12-31";

/// A log to export from.
struct Source {
    local: Local,
    admin: Client,
    directory: TempDir,
}

impl Source {
    /// With so many entries in 2024, signed.
    async fn new(entries: i32) -> Self {
        let local = Local::new().await;
        let source = Self::empty(local).await;
        source.add(entries, "2024-01-01").await;
        source.seal().await;
        source
    }

    async fn empty(local: Local) -> Self {
        let admin = local.actor(&local.api(), Role::Admin).await.client;
        Self { local, admin, directory: TempDir::new().unwrap() }
    }

    /// Entries that differ in nothing but what makes one an entry of its own.
    async fn add(&self, entries: i32, from: &'static str) {
        sqlx::query(
            "INSERT INTO admin_audit_logs (id, entity_type, action, created_at, changes, imported)
             SELECT gen_random_uuid(), 'tag', 'tag.updated', $2::timestamp + i * interval '1 s',
                    '{\"name\": \"Ann\"}', true
             FROM generate_series(1, $1) AS i",
        )
        .bind(entries)
        .bind(from.parse::<chrono::NaiveDate>().unwrap())
        .execute(self.local.database.pool())
        .await
        .unwrap();
    }

    async fn seal(&self) {
        seal_once(&self.local.database).await;
    }

    async fn export(&self, query: &str) -> PathBuf {
        exported(&self.admin, &self.directory, query).await
    }

    async fn text(&self, query: &str) -> String {
        std::fs::read_to_string(self.export(query).await).unwrap()
    }

    fn write(&self, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.directory.path().join("written");
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// The newest checkpoint, as a file.
    async fn checkpoint(&self) -> PathBuf {
        let db = self.local.database.pool();
        let size: i64 = sqlx::query_scalar("SELECT max(size) FROM admin_audit_checkpoints")
            .fetch_one(db)
            .await
            .unwrap();
        let path = self.directory.path().join(size.to_string());
        std::fs::write(&path, note(db, size).await).unwrap();
        path
    }

    async fn verify(&self, bytes: impl AsRef<[u8]>) -> Outcome {
        verify_file(&self.write(bytes), pinned()).await
    }

    async fn assert_good(&self, query: &str) -> String {
        let outcome = verify_file(&self.export(query).await, pinned()).await;
        assert_eq!(outcome.verdict, Verdict::Pinned, "{query}: {}", outcome.told);
        outcome.told
    }
}

/// The lines of a file; the last one as what it says.
fn parts(file: &str) -> (Vec<String>, Value) {
    let mut lines: Vec<_> = file.lines().map(str::to_owned).collect();
    let last = serde_json::from_str(&lines.pop().unwrap()).unwrap();
    (lines, last)
}

fn joined(lines: &[String], last: &Value) -> String {
    let lines: String = lines.iter().map(|line| format!("{line}\n")).collect();
    format!("{lines}{last}\n")
}

#[tokio::test]
async fn an_export_verifies_wherever_it_is() {
    let source = Source::new(9).await;

    let told = source.assert_good(PERIOD).await;
    assert!(told.starts_with("the file is complete: 9 entries\nnumbered "), "{told}");
    assert!(!told.contains("leaves out") && !told.contains("no signature"), "{told}");
    source.assert_good("start_date=2024-01-01T00:00:03Z&end_date=2024-01-01T00:00:05Z").await;
    source.assert_good("end_date=2023-01-01").await;
    let told = source.assert_good("").await;
    assert!(told.contains("no signature vouches for the first "), "{told}");
    source.seal().await;
    source.assert_good(PERIOD).await;
    source.add(4, "2024-02-01").await;
    source.add(1, "2025-02-01").await;
    source.add(4, "2024-03-01").await;
    source.seal().await;
    let told = source.assert_good(PERIOD).await;
    assert!(told.contains("the file leaves out"), "{told}");
}

#[tokio::test]
async fn a_file_of_many_lines_verifies() {
    let source = Source::new(3_000).await;
    source.add(700, "2024-02-01").await;
    source.seal().await;

    let told = source.assert_good(PERIOD).await;
    assert!(told.contains("3700 entries"), "{told}");
    let told = source.assert_good("start_date=2024-02-01&end_date=2024-02-28").await;
    assert!(told.contains("700 entries"), "{told}");
}

#[tokio::test]
async fn what_a_file_proves_depends_on_where_the_key_is_from() {
    let source = Source::new(3).await;
    let unsealed = Source::empty(Local::new().await).await;
    unsealed.add(3, "2024-01-01").await;

    let outcome = verify_file(&source.export(PERIOD).await, Arguments::default()).await;
    assert_eq!(outcome.verdict, Verdict::KeyTaken);
    let outcome = verify_file(&unsealed.export(PERIOD).await, pinned()).await;
    assert_eq!(outcome.verdict, Verdict::Unsigned, "{}", outcome.told);
    let filtered = source.export(&format!("{PERIOD}&action=update")).await;
    let outcome = verify_file(&filtered, pinned()).await;
    assert_eq!(outcome.verdict, Verdict::Unsigned, "{}", outcome.told);
    assert!(outcome.told.contains("complete: 0 entries"), "{}", outcome.told);
    let filtered = source.export("action=login").await;
    let outcome = verify_file(&filtered, pinned()).await;
    assert_eq!((outcome.verdict, outcome.told.contains("filtered")), (Verdict::Unsigned, true));
}

#[tokio::test]
async fn a_file_extends_an_earlier_checkpoint_and_ends_before_a_later_one() {
    let source = Source::new(9).await;
    let earlier = source.checkpoint().await;
    source.add(5, "2024-02-01").await;
    source.seal().await;
    let same = source.checkpoint().await;
    let file = source.export(PERIOD).await;
    let all = source.export("").await;
    source.add(5, "2024-03-01").await;
    source.seal().await;
    let later = source.checkpoint().await;
    let size = parts(&std::fs::read_to_string(&file).unwrap()).1["verification"]["last_number"]
        .as_u64()
        .unwrap()
        + 1;

    for (file, checkpoint) in [(&file, &earlier), (&file, &same), (&all, &earlier), (&all, &same)] {
        let outcome = verify_file(file, extending(checkpoint)).await;
        assert_eq!(outcome.verdict, Verdict::Pinned, "{}", outcome.told);
    }
    let outcome = verify_file(&file, extending(&later)).await;
    assert_eq!((outcome.code(), outcome.first_bad()), (1, Some((size, size))), "{}", outcome.told);
}
