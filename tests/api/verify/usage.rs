//! What keeps it from a verdict is no verdict.

use super::*;

async fn error(arguments: Arguments) -> String {
    let url = "postgresql://ann:hunter2@127.0.0.1:1/voketag";
    let env = Environment::from_iter([("DATABASE_URL", url)]);
    format!("{:#}", run(&env, arguments, &mut vec![]).await.unwrap_err())
}

#[tokio::test]
async fn a_key_is_a_key_or_a_file_of_keys() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("keys");
    let path = file.to_str().unwrap().to_owned();
    let with = |key: &str| Arguments { public_key: vec![key.to_owned()], ..Arguments::default() };

    let missing = error(with(&path)).await;
    assert!(missing.contains("neither a public key nor a file to read"), "{missing}");
    for wrong in ["", "\n", "a.log+00000000+AQ==\n", KEY.as_str()] {
        std::fs::write(&file, wrong).unwrap();
        let error = error(with(&path)).await;
        assert!(error.contains("must hold a public key"), "{error}");
    }
    let log = Log::new().await;
    std::fs::write(&file, format!("{}\n\n{}\n", public_key_of(&FOREIGN_KEY), *PUBLIC_KEY)).unwrap();
    assert_eq!(log.verify(with(&path)).await.verdict, Verdict::Pinned);
}

#[tokio::test]
async fn what_cannot_be_read_is_no_verdict() {
    let nowhere = PathBuf::from("/nowhere/at/all");
    let checkpoint = error(extending(&nowhere)).await;
    assert!(checkpoint.starts_with("--checkpoint: cannot read"), "{checkpoint}");
    let file = error(Arguments { file: Some(nowhere), ..pinned() }).await;
    assert!(file.starts_with("--file: cannot read"), "{file}");
    let database = error(pinned()).await;
    assert!(database.starts_with("DATABASE_URL") && !database.contains("hunter2"), "{database}");
}
