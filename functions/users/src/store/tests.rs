use chrono::TimeDelta;
use shared::account::{self, Email, Name, NewAccount, Username};
use shared::audit::{self, Action, Actor, Entity, Entry};
use shared::{Clock, Error};
use sqlx::PgPool;
use stack::database::TestDatabase;

use super::*;
use crate::last_admin;

/// A database, seen as the role of this function sees it.
struct Fixture {
    db: PgPool,
    clock: Clock,
    _database: TestDatabase,
}

impl Fixture {
    async fn new() -> Self {
        let database = TestDatabase::new().await;
        let db = PgPool::connect(&database.url_for("users")).await.unwrap();
        Self { db, clock: Clock::real(), _database: database }
    }

    async fn user(&self, username: &str, name: &str, role: Role) -> User {
        let account = NewAccount {
            username: Username::parse(username).unwrap(),
            email: Email::parse(&format!("{username}@Example.com")).unwrap(),
            name: Some(Name::parse(name).unwrap()),
            password_hash: "not a hash".into(),
            must_change_password: false,
            role,
            status: Status::Active,
        };
        let mut tx = self.db.begin().await.unwrap();
        let user = account::create(&mut tx, &self.clock, None, account).await.unwrap();
        tx.commit().await.unwrap();
        user
    }

    async fn delete(&self, actor: &User, user: &User) -> shared::Result<()> {
        let mut tx = self.db.begin().await?;
        last_admin::take_turn(&mut tx).await?;
        let found = lock(&mut tx, user.id).await?.ok_or(Error::NotFound("user"))?;
        last_admin::refuse_for(&mut tx, &found.user).await?;
        delete(&mut tx, user.id, self.clock.now()).await?;
        let actor = Actor { user_id: actor.id, username: &actor.username };
        let entry = Entry::done(Action::Delete, actor, Entity::User(user.id));
        audit::record(&mut tx, &self.clock, entry).await?;
        Ok(tx.commit().await?)
    }

    async fn list(&self, filter: &Filter, page: u32, page_size: u32) -> (Vec<String>, i64) {
        let page = PageRequest { page, page_size };
        let (users, total) = list(&self.db, filter, page).await.unwrap();
        (users.into_iter().map(|user| user.username).collect(), total)
    }
}

fn searching(search: &str) -> Filter {
    Filter { search: Some(search.to_owned()), ..Filter::default() }
}

#[tokio::test]
async fn pages_are_newest_first_and_the_total_is_true_past_the_end() {
    let fixture = Fixture::new().await;
    for username in ["ada", "bob", "eve"] {
        fixture.user(username, username, Role::Admin).await;
    }
    let all = Filter::default();

    assert_eq!(fixture.list(&all, 1, 2).await, (vec!["eve".to_owned(), "bob".to_owned()], 3));
    assert_eq!(fixture.list(&all, 2, 2).await, (vec!["ada".to_owned()], 3));
    assert_eq!(fixture.list(&all, 3, 2).await, (vec![], 3));
    assert_eq!(fixture.list(&searching("nobody"), 1, 2).await, (vec![], 0));
}

#[tokio::test]
async fn deleted_users_are_in_no_list_and_those_that_do_not_match_are_not_counted() {
    let fixture = Fixture::new().await;
    let ada = fixture.user("ada", "Ada", Role::Admin).await;
    let bob = fixture.user("bob", "Bob", Role::Admin).await;
    fixture.user("eve", "Eve", Role::Viewer).await;
    fixture.delete(&ada, &bob).await.unwrap();

    let admins = Filter { role: Some(Role::Admin), ..Filter::default() };
    assert_eq!(fixture.list(&admins, 1, 50).await, (vec!["ada".to_owned()], 1));
    let active = Filter { status: Some(Status::Active), ..Filter::default() };
    assert_eq!(fixture.list(&active, 1, 1).await, (vec!["eve".to_owned()], 2));
    let inactive = Filter { status: Some(Status::Inactive), ..Filter::default() };
    assert_eq!(fixture.list(&inactive, 1, 50).await, (vec![], 0));
    assert!(get(&fixture.db, bob.id).await.unwrap().is_none());
}

#[tokio::test]
async fn a_search_is_a_part_in_any_case_and_means_what_it_says() {
    let fixture = Fixture::new().await;
    fixture.user("ada", "Ada Lovelace", Role::Admin).await;
    fixture.user("jo_50", "Jo 100%", Role::Admin).await;
    fixture.user("jo-50", r"Müller \ Söhne", Role::Admin).await;

    for (search, found) in [
        ("LOVE", "ada"),
        ("aDa@example", "ada"),
        ("MÜLLER", "jo-50"),
        ("_", "jo_50"),
        ("%", "jo_50"),
        (r"\", "jo-50"),
    ] {
        let users = fixture.list(&searching(search), 1, 50).await;
        assert_eq!(users, (vec![found.to_owned()], 1), "{search}");
    }
    assert_eq!(fixture.list(&searching(""), 1, 50).await.1, 3);
}

#[tokio::test]
async fn two_admins_who_delete_each_other_leave_one_in_fifty_rounds() {
    let fixture = Fixture::new().await;
    let mut survivor = fixture.user("first", "First", Role::Admin).await;
    for round in 0..50 {
        let other = fixture.user(&format!("other-{round}"), "Other", Role::Admin).await;

        let outcomes =
            tokio::join!(fixture.delete(&survivor, &other), fixture.delete(&other, &survivor));

        survivor = match outcomes {
            (Ok(()), Err(Error::Conflict(_))) => survivor,
            (Err(Error::Conflict(_)), Ok(())) => other,
            outcomes => panic!("round {round}: {outcomes:?}"),
        };
    }
    assert_eq!(fixture.list(&Filter::default(), 1, 50).await, (vec![survivor.username], 1));
}

#[tokio::test]
async fn a_change_counts_a_version_and_only_of_its_user() {
    let fixture = Fixture::new().await;
    let ada = fixture.user("ada", "Ada", Role::Admin).await;
    let bob = fixture.user("bob", "Bob", Role::Admin).await;
    let later = Timestamp(fixture.clock.now() + TimeDelta::seconds(1));
    let changed = User { name: "Countess".to_owned(), updated_at: later, ..ada.clone() };

    let mut tx = fixture.db.begin().await.unwrap();
    assert_eq!(update(&mut tx, &changed).await.unwrap(), 2);

    let found = lock(&mut tx, ada.id).await.unwrap().unwrap();
    assert_eq!((found.user, found.version), (changed, 2));
    let found = lock(&mut tx, bob.id).await.unwrap().unwrap();
    assert_eq!((found.user, found.version), (bob, 1));
}
