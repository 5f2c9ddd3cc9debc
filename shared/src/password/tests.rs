use std::collections::HashSet;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::*;

fn parse(text: &str, also: &[&str]) -> Result<String, &'static str> {
    Password::parse(&text.into(), also).map(|password| password.reveal().to_owned())
}

const LENGTH: &str = "must be 12 to 128 characters long";
const COMMON_ONE: &str = "is one of the most common passwords";
const GIVEN_AWAY: &str = "must not contain the username or e-mail";

#[test]
fn length_counts_code_points_after_normalisation() {
    assert_eq!(parse("elevenchars", &[]), Err(LENGTH));
    assert_eq!(parse("", &[]), Err(LENGTH));
    assert!(parse("twelve chars", &[]).is_ok());
    assert!(parse(&"äß€𝄞".repeat(32), &[]).is_ok());
    assert_eq!(parse(&("äß€𝄞".repeat(32) + "!"), &[]), Err(LENGTH));
    // Twelve code points as typed, eleven as kept; and one that becomes eighteen.
    assert_eq!(parse("cafe\u{301} cre\u{300}me", &[]), Err(LENGTH));
    assert!(parse("\u{fdfa}", &[]).is_ok());
    assert_eq!(parse(&"\u{fdfa}".repeat(8), &[]), Err(LENGTH));
}

#[test]
fn two_ways_to_type_the_same_letters_are_the_same_password() {
    let composed = "Gr\u{fc}\u{df}e aus K\u{f6}ln";
    let decomposed = "Gru\u{308}\u{df}e aus Ko\u{308}ln";
    assert_eq!(parse(composed, &[]), parse(decomposed, &[]));
    assert_eq!(parse("ｆｕｌｌ ｗｉｄｔｈ letters", &[]).unwrap(), "full width letters");
}

#[test]
fn any_unicode_but_nul_is_welcome_and_nothing_is_required() {
    for text in
        ["ffffjjjjkkkk", "correct hörse battery", "            ", "🔑🔑🔑🔑🔑🔑🔑🔑🔑🔑🔑🔑"]
    {
        assert!(parse(text, &[]).is_ok(), "{text}");
    }
    assert_eq!(parse("twelve\0chars", &[]), Err("must not contain a NUL character"));
}

#[test]
fn common_ones_are_refused_in_any_case_and_width() {
    for text in
        ["password1234", "Password1234", "ADMINISTRATOR", "VokeTag-Password", "ｑｗｅｒｔｙuiop12"]
    {
        assert_eq!(parse(text, &[]), Err(COMMON_ONE), "{text}");
    }
}

#[test]
fn the_list_of_common_ones_is_sorted_folded_unique_and_long_enough() {
    let list: Vec<&str> = COMMON.lines().collect();
    assert!((400..=1000).contains(&list.len()), "{}", list.len());
    assert!(list.is_sorted());
    assert_eq!(list.iter().collect::<HashSet<_>>().len(), list.len());
    for common in list {
        assert_eq!(common.nfkc().collect::<String>().to_lowercase(), common);
        assert!(super::LENGTH.contains(&common.chars().count()), "{common}");
        assert_eq!(common.trim(), common);
    }
}

#[test]
fn username_and_e_mail_must_not_be_part_of_it() {
    let ada = ["Ada.Lovelace", "countess@example.com"];
    for text in [
        "ada.lovelace",
        "my name is ADA.LOVELACE",
        "countess@example.com",
        "xx-Countess-1815",
        "ａｄａ.lovelace!!",
    ] {
        assert_eq!(parse(text, &ada), Err(GIVEN_AWAY), "{text}");
    }
    assert!(parse("lovelace was a countes", &ada).is_ok());
    assert!(parse("the domain example.com", &ada).is_ok());
}

#[test]
fn words_of_less_than_four_characters_give_nothing_away() {
    assert!(parse("ada eats salad", &["ada", "ada@example.com", ""]).is_ok());
    assert_eq!(parse("lisa eats salad", &["lisa"]), Err(GIVEN_AWAY));
}

#[test]
fn a_generated_password_is_strong_and_passes_the_rules() {
    let mut seen = HashSet::new();
    for _ in 0..100 {
        let password = Password::generate().unwrap();
        let text = password.reveal();
        assert_eq!(parse(text, &[]).as_deref(), Ok(text));
        let groups: Vec<&str> = text.split('-').collect();
        assert_eq!(groups.iter().map(|group| group.len()).collect::<Vec<_>>(), [6; 4]);
        assert!(text.bytes().all(|byte| byte == b'-' || UNAMBIGUOUS.contains(&byte)), "{text}");
        assert!(seen.insert(text.to_owned()), "{text} twice");
    }
    let bits = f64::from(24) * f64::from(32).log2();
    assert!(bits >= 110.0, "{bits}");
    assert_eq!(UNAMBIGUOUS.iter().collect::<HashSet<_>>().len(), 32);
}

#[test]
fn nothing_shows_a_password() {
    let password = Password::parse(&"open, sesame!".into(), &[]).unwrap();
    assert!(!format!("{password:?}").contains("sesame"));
}

#[tokio::test]
async fn what_was_hashed_matches_however_it_is_composed_and_nothing_else_does() {
    let slot = HashingPool::new().slot().await.unwrap();
    let password = Password::parse(&"Gr\u{fc}\u{df}e aus K\u{f6}ln".into(), &[]).unwrap();

    let hash = slot.hash(&password).await.unwrap();

    let hash = hash.expose_secret();
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    let typed = "Gru\u{308}\u{df}e aus Ko\u{308}ln".into();
    assert_eq!(slot.verify(&typed, Some(hash)).await.unwrap(), Verdict::Match);
    let typed = "Gruesse aus Koeln".into();
    assert_eq!(slot.verify(&typed, Some(hash)).await.unwrap(), Verdict::Mismatch);
    assert_eq!(slot.verify(&typed, None).await.unwrap(), Verdict::Mismatch);
}

#[tokio::test]
async fn beyond_slots_and_queue_callers_are_told_at_once_and_those_in_it_after_three_seconds() {
    let pool = HashingPool::with_slots(2);
    let (_first, _second) = (pool.slot().await.unwrap(), pool.slot().await.unwrap());
    let waiting: Vec<_> = (0..32)
        .map(|_| {
            let pool = pool.clone();
            tokio::spawn(async move { pool.slot().await.map(drop) })
        })
        .collect();
    let start = Instant::now();
    while pool.queue_is_open() {
        tokio::task::yield_now().await;
    }

    assert_eq!(pool.slot().await.unwrap_err(), Busy);
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    for waiting in waiting {
        assert_eq!(waiting.await.unwrap(), Err(Busy));
    }
    assert!(start.elapsed() >= Duration::from_secs(3), "{:?}", start.elapsed());
    assert!(pool.queue_is_open());
}

#[tokio::test]
async fn a_slot_that_comes_free_goes_to_the_next_in_the_queue() {
    let pool = HashingPool::with_slots(1);
    let slot = pool.slot().await.unwrap();
    let next = tokio::spawn({
        let pool = pool.clone();
        async move { pool.slot().await.map(drop) }
    });
    drop(slot);
    assert_eq!(next.await.unwrap(), Ok(()));
}

#[tokio::test]
async fn hashes_one_after_the_other_fill_the_same_memory() {
    let pool = HashingPool::with_slots(2);
    let place = async || {
        let slot = pool.slot().await.unwrap();
        assert_eq!(slot.verify(&"nobody".into(), None).await.unwrap(), Verdict::Mismatch);
        slot.run(|memory| Ok(memory.as_ptr().addr())).await.unwrap()
    };
    assert_eq!(place().await, place().await);
}

#[tokio::test]
async fn a_caller_that_goes_away_keeps_its_slot_until_the_hash_is_done() {
    let pool = HashingPool::with_slots(1);
    let (started, has_started) = mpsc::channel();
    let (finish, may_finish) = mpsc::channel::<()>();
    let caller = tokio::spawn({
        let pool = pool.clone();
        async move {
            let work = move |_: &mut _| {
                started.send(()).unwrap();
                Ok(may_finish.recv()?)
            };
            pool.slot().await.unwrap().run(work).await
        }
    });
    while has_started.try_recv().is_err() {
        tokio::task::yield_now().await;
    }

    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    assert_eq!(pool.free_slots(), 0);

    finish.send(()).unwrap();
    assert!(pool.slot().await.is_ok());
}
