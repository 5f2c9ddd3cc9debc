use super::*;

/// The example key of the Go reference implementation (golang.org/x/mod/sumdb/note): what stands
/// between the algorithm and the end of `PRIVATE+KEY+PeterNeumann+c74f20a3+…`.
fn peter_neumann() -> SigningKey {
    let seed = BASE64.decode(b"AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz").unwrap();
    let pair = Ed25519KeyPair::from_seed_unchecked(&seed[1..]).unwrap();
    SigningKey::new(pair, "PeterNeumann".to_owned())
}

fn key_named(origin: &str) -> SigningKey {
    SigningKey::new(Ed25519KeyPair::generate().unwrap(), origin.to_owned())
}

#[test]
fn the_reference_implementations_example_is_signed_byte_for_byte() {
    let text = "If you think cryptography is the answer to your problem,\n\
                then you don't know what your problem is.\n";
    let key = peter_neumann();

    assert_eq!(
        key.public_key(),
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    );
    assert_eq!(
        key.sign_text(text.as_bytes()).unwrap(),
        format!(
            "{text}\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSN\
             XgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
        )
    );
}

#[test]
fn the_example_of_the_signed_note_specification_verifies_and_then_holds_no_checkpoint() {
    let public_key = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    let note = "This is an example message.\n\n\
                — example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOB\
                H3mFXmRKuwHjG1Yu72IneyaQM=\n";

    let error = open(note, public_key).unwrap_err().to_string();
    assert!(error.starts_with("the note holds no checkpoint"), "{error}");

    let error = open(&note.replace("example message", "Example message"), public_key);
    assert!(error.unwrap_err().to_string().starts_with("invalid signature"));
}

#[test]
fn a_checkpoint_is_written_as_in_the_example_of_its_specification() {
    let key = key_named("example.com/behind-the-sofa");
    let root = BASE64.decode(b"CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=").unwrap();
    let root: Hash = root.try_into().unwrap();

    let note = key.sign(20_852_163, root).unwrap();

    assert!(note.starts_with(
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\
         — example.com/behind-the-sofa "
    ));
    let origin = "example.com/behind-the-sofa".to_owned();
    let checkpoint = Checkpoint { origin, size: 20_852_163, root };
    assert_eq!(open(&note, key.public_key()).unwrap(), checkpoint);
}

#[test]
fn only_what_the_keys_owner_signed_under_that_name_is_opened() {
    let key = key_named("a.log");
    let note = key.sign(7, [1; 32]).unwrap();
    open(&note, key.public_key()).unwrap();

    for other in [key_named("a.log"), key_named("another.log")] {
        open(&note, other.public_key()).unwrap_err();
    }
    for changed in [
        note.replace("\n7\n", "\n8\n"),
        note.replace("\n7\n", "\n07\n"),
        note.replace("a.log", "b.log"),
        note.replacen("a.log", "b.log", 1),
        format!("{note}\n"),
        note[..note.len() - 1].to_owned(),
        note.replacen('\n', "\r\n", 1),
        note.split_once("\n\n").unwrap().0.to_owned(),
        String::new(),
    ] {
        assert!(open(&changed, key.public_key()).is_err(), "{changed}");
    }
    for public_key in ["", "a.log", "a.log+00000000+AQ==", &key.public_key().replace('+', " ")] {
        assert!(open(&note, public_key).is_err(), "{public_key}");
    }
    // Signed by the log itself, but as another one's checkpoint.
    let foreign = "b.log\n7\nAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n";
    let error = open(&key.sign_text(foreign.as_bytes()).unwrap(), key.public_key()).unwrap_err();
    assert_eq!(error.to_string(), "the checkpoint is another log's");
}
