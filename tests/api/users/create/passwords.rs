//! Which passwords a new user may have. The same rules hold wherever one is chosen.

use serde_json::json;
use shared::caller::Role;
use stack::local::Local;

use crate::auth::{USERS, log_in};
use crate::users::{create, everything, row, viewer, with};

#[tokio::test]
async fn what_counts_are_12_to_128_code_points_of_any_unicode_and_no_composition() {
    let local = Local::new().await;
    let api = local.api();
    let admin = local.actor(&api, Role::Admin).await.client;

    // The ligature and the sign of U+FDFA are two and eighteen characters in NFKC.
    for (number, password) in [
        "bqzkwxvjfmhd".to_owned(),
        "é".repeat(128),
        "😀🐎🔋📎🪄🧵🪐🫖🧭🪵🛶🧲".to_owned(),
        "\u{fb01}ve letters".to_owned(),
        "\u{fdfa}".repeat(7),
        " \tspaces all over\n ".to_owned(),
        "мой пароль длинный".to_owned(),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("number-{number}");
        create(&admin, with(viewer(&name), json!({ "password": password }))).await;
        assert_eq!(log_in(&api, &name, &password).await.status, 200, "{password:?}");
    }
}

#[tokio::test]
async fn what_is_too_short_too_long_common_or_a_name_is_refused() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await.client;
    let before = everything(&local).await;
    let countess = with(viewer("countess"), json!({ "email": "lovelace@example.com" }));

    for password in [
        "",
        "bqzkwxvjfmh",
        &"é".repeat(129),
        // Twelve as they are typed, eleven as they are kept.
        "bqzkwxvjfme\u{301}",
        &"\u{fdfa}".repeat(8),
        "password1234",
        "PassWord1234",
        "ｐａｓｓｗｏｒｄ１２３４",
        "123456789012",
        "i am Countess now",
        "ＣＯＵＮＴＥＳＳ of all",
        "my Lovelace@Example.com",
        "augusta lovelace",
    ] {
        let body = with(countess.clone(), json!({ "password": password }));
        let reply = admin.post(USERS, body).await;
        assert_eq!(reply.fields(), ["password"], "{password:?}");
        let told = reply.body["errors"].to_string();
        assert!(password.is_empty() || !told.contains(password), "{told}");
    }
    let nul = with(countess, json!({ "password": "bqzkwx\0vjfmhd" }));
    assert_eq!(admin.post(USERS, nul).await.fields(), ["body"]);
    assert_eq!(everything(&local).await, before);
}

#[tokio::test]
async fn a_password_is_the_same_however_its_letters_are_composed_and_in_no_other_way() {
    let local = Local::new().await;
    let api = local.api();
    let admin = local.actor(&api, Role::Admin).await.client;
    let password = json!({ "password": "cafe\u{301} au lait ｘ " });
    create(&admin, with(viewer("ada"), password)).await;

    assert_eq!(log_in(&api, "ada", "caf\u{e9} au lait x ").await.status, 200);
    for other in ["café au lait x", "Café au lait x ", "cafe au lait x "] {
        assert_eq!(log_in(&api, "ada", other).await.status, 401, "{other:?}");
    }
}

#[tokio::test]
async fn a_password_is_kept_as_a_hash_and_shown_nowhere() {
    let local = Local::new().await;
    let admin = local.actor(&local.api(), Role::Admin).await.client;
    let password = "bqzkwx vjfmhd";

    let reply = admin.post(USERS, with(viewer("ada"), json!({ "password": password }))).await;

    let ada = shared::id::UserId(reply.text("id").parse().unwrap());
    let hash = row(&local, ada, "password_hash").await;
    assert!(hash.as_str().unwrap().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    let list = admin.get(USERS).await.body.to_string();
    let log = format!("{:?}", local.log().await);
    for text in [reply.body.to_string(), list, log] {
        assert!(!text.contains(password) && !text.contains("argon2"), "{text}");
    }
}
