//! A file that is not whole.

use super::*;

#[tokio::test]
async fn a_file_cut_anywhere_is_not_complete() {
    let source = Source::new(4).await;
    let period = source.text(PERIOD).await;
    let filtered = source.text("action=export").await;

    for file in [period, filtered] {
        for end in 0..file.len() {
            let outcome = source.verify(&file.as_bytes()[..end]).await;
            assert_eq!((outcome.code(), outcome.first_bad()), (1, None), "{end}");
            assert!(outcome.told.contains("the file is not complete"), "{end}: {}", outcome.told);
        }
    }
}

#[tokio::test]
async fn a_large_file_cut_between_two_lines_or_in_one_is_not_complete() {
    let source = Source::new(600).await;
    let file = source.text(PERIOD).await;
    let feeds = file.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at);

    for end in feeds.flat_map(|feed| [feed, feed + 1, feed.saturating_sub(57)]) {
        if end < file.len() {
            let outcome = source.verify(&file.as_bytes()[..end]).await;
            assert!(outcome.told.contains("the file is not complete"), "{end}: {}", outcome.told);
        }
    }
}

#[tokio::test]
async fn a_file_without_its_beginning_is_not_complete() {
    let source = Source::new(5).await;
    let file = source.text(PERIOD).await;

    for start in 1..file.len() {
        let outcome = source.verify(&file.as_bytes()[start..]).await;
        assert_eq!(outcome.code(), 1, "{start}: {}", outcome.told);
    }
    let whole_lines = file.split_once('\n').unwrap().1;
    let outcome = source.verify(whole_lines).await;
    let last = parts(&file).1["verification"]["last_number"].as_u64().unwrap();
    assert_eq!(outcome.first_bad(), Some((last, last)), "{}", outcome.told);
    assert!(outcome.told.contains("beginning is missing"), "{}", outcome.told);
    let (mut lines, end) = parts(&source.text("action=export").await);
    lines.remove(0);
    let outcome = source.verify(joined(&lines, &end)).await;
    assert!(outcome.told.contains("1 entries fewer"), "{}", outcome.told);
}
