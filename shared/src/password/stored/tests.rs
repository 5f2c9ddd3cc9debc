use super::*;

/// Made by Python's bcrypt, cost 4.
const BCRYPT_2B: &str = "$2b$04$b7itmGiTawSfYqiwrt3xCeMxSOVp2cgS8Gp26INs.B0qwiQzXgJdy";
const BCRYPT_2A: &str = "$2a$04$TDRcB4haGpMeB3bkc2jGneWk4eWXZzkMTHHOdVzwpVLGvHuI9Wzsm";
/// Made by Python's argon2-cffi, the first with our costs and the second with others.
const ARGON2: &str = "$argon2id$v=19$m=19456,t=2,p=1$Du7PREUlyWV9wKIRYl96aw$YJIh/EZjM6LCuQB3cOcPuV2CyNrL4AjPXLi1oZRqIf4";
const ARGON2_OTHER: &str = "$argon2id$v=19$m=8192,t=3,p=4$qgNNjZuSzTgoGAbBay7xXw$4MH4Ou2i5lT2UWxYeNHO0C9IPxVAQdEHJLwd2yvwnJ8";
const TYPED: &str = "Grüße aus Köln";

fn verdict(typed: &str, stored: Option<&str>) -> Verdict {
    verify(&typed.into(), stored, &mut Memory::new()).unwrap()
}

#[test]
fn passwords_of_the_python_service_match_and_are_to_be_rehashed() {
    let of_2y = BCRYPT_2B.replace("$2b$", "$2y$");
    for stored in [BCRYPT_2B, BCRYPT_2A, &of_2y, ARGON2_OTHER] {
        assert_eq!(verdict(TYPED, Some(stored)), Verdict::MatchNeedsRehash, "{stored}");
        assert_eq!(verdict("Grüße aus Bonn", Some(stored)), Verdict::Mismatch, "{stored}");
    }
    assert_eq!(verdict(TYPED, Some(ARGON2)), Verdict::Match);
}

#[test]
fn bcrypt_sees_the_password_as_typed() {
    let decomposed: String = TYPED.nfd().collect();
    assert_eq!(verdict(&decomposed, Some(BCRYPT_2B)), Verdict::Mismatch);
    assert_eq!(verdict(&decomposed, Some(ARGON2)), Verdict::Match);
}

#[test]
fn a_password_longer_than_bcrypt_reads_matches_and_stays_with_bcrypt() {
    let stored = "$2b$04$lTqXLMXG.QhL/JRDcNf1lOH6KN8K9R/Td.BKf9IXfvorAuVRW6ofC";
    assert_eq!(verdict(&"x".repeat(72), Some(stored)), Verdict::MatchNeedsRehash);
    assert_eq!(verdict(&"x".repeat(80), Some(stored)), Verdict::Match);
    assert_eq!(verdict(&"x".repeat(71), Some(stored)), Verdict::Mismatch);
}

#[test]
fn a_stored_hash_that_cannot_be_read_matches_nothing() {
    for stored in [
        "",
        "Grüße aus Köln",
        "$2b$04$",
        "$2x$04$b7itmGiTawSfYqiwrt3xCeMxSOVp2cgS8Gp26INs.B0qwiQzXgJdy",
        "$2b$31$b7itmGiTawSfYqiwrt3xCeMxSOVp2cgS8Gp26INs.B0qwiQzXgJdy",
        "$2b$04$ü7itmGiTawSfYqiwrt3xCeMxSOVp2cgS8Gp26INs.B0qwiQzXgJdy",
        "$argon2id$v=19$m=19456,t=2,p=1$Du7PREUlyWV9wKIRYl96aw",
        "$argon2id$v=7$m=19456,t=2,p=1$Du7PREUlyWV9wKIRYl96aw$YJIh/EZjM6LCuQB3cOcPuQ",
        "$argon2id$v=19$m=4194304,t=2,p=1$Du7PREUlyWV9wKIRYl96aw$YJIh/EZjM6LCuQB3cOcPuQ",
        "$argon2id$v=19$m=8,t=4294967295,p=1$Du7PREUlyWV9wKIRYl96aw$YJIh/EZjM6LCuQB3cOcPuQ",
        "$argon2xx$v=19$m=19456,t=2,p=1$Du7PREUlyWV9wKIRYl96aw$YJIh/EZjM6LCuQB3cOcPuQ",
    ] {
        assert_eq!(verdict(TYPED, Some(stored)), Verdict::Mismatch, "{stored}");
    }
}

#[test]
fn what_no_password_can_be_costs_the_same_and_matches_nothing() {
    let huge = "x".repeat(64 * 1024);
    assert_eq!(verdict(&huge, Some(ARGON2)), Verdict::Mismatch);
    // bcrypt repeats a short password, NUL and all, so this would be the same one.
    let stored = bcrypt::hash("pass", 4).unwrap();
    assert_eq!(verdict("pass", Some(&stored)), Verdict::MatchNeedsRehash);
    assert_eq!(verdict("pass\0pass", Some(&stored)), Verdict::Mismatch);
}

#[test]
fn a_verified_password_is_rehashed_as_it_is_even_a_short_one() {
    let hash = hash(&Password::verified(&"short".into()), &mut Memory::new()).unwrap();
    assert_eq!(verdict("short", Some(hash.expose_secret())), Verdict::Match);
}

#[test]
fn nobody_of_that_name_takes_as_long_as_somebody() {
    let mut memory = Memory::new();
    let mut time = |stored: Option<&str>| {
        let start = std::time::Instant::now();
        let verdict = verify(&"wrong".into(), stored, &mut memory).unwrap();
        assert_eq!(verdict, Verdict::Mismatch);
        start.elapsed()
    };
    // The quickest of a few, so that a busy machine does not decide.
    let mut quickest = |stored| (0..5).map(|_| time(stored)).min().unwrap();
    let (somebody, nobody) = (quickest(Some(ARGON2)), quickest(None));
    assert!(nobody * 2 > somebody && somebody * 2 > nobody, "{somebody:?} and {nobody:?}");
}
