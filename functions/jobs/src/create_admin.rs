//! Makes an admin: the first one, or one to get back in with.
//!
//! The rules are those of the API, and the audit log gets its entry, by nobody. The password is
//! never on the command line, where every user of the machine could see it.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, ensure};
use secrecy::{ExposeSecret, SecretString};
use shared::account::{self, Email, Name, NewAccount, Username};
use shared::caller::Role;
use shared::config::Environment;
use shared::error::Violations;
use shared::password::{HashingPool, Password};
use shared::user::Status;
use shared::{Clock, Error};
use sqlx::Connection;

use crate::{connect, said};

/// Who it is to be.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The name to sign in with: 3 to 64 of a-z 0-9 . _ -
    #[arg(long)]
    pub username: String,
    /// The e-mail, which serves to sign in, too
    #[arg(long)]
    pub email: String,
    /// What people call the admin; by default the username
    #[arg(long)]
    pub name: Option<String>,
    /// A file with the password and nothing else; - for standard input
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
}

/// Makes the admin, and tells the id on `out`.
pub async fn run(
    env: &Environment,
    clock: &Clock,
    arguments: Arguments,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let (username, email, name) = check(&arguments)?;
    let typed = match &arguments.password_file {
        Some(path) => read(path)?,
        None => ask()?,
    };
    let password = Password::parse(&typed, &[&arguments.username, &arguments.email])
        .map_err(|message| anyhow!("the password {message}"))?;
    let account = NewAccount {
        username,
        email,
        name,
        password_hash: HashingPool::new().hash(&password).await.map_err(plain)?,
        must_change_password: false,
        role: Role::Admin,
        status: Status::Active,
    };
    let mut db = connect(env, "create-admin").await?;
    let mut tx = db.begin().await?;
    let user = account::create(&mut tx, clock, None, account).await.map_err(plain)?;
    tx.commit().await?;
    writeln!(out, "made the admin {} with the id {}", user.username, user.id)?;
    Ok(())
}

/// What is valid of the arguments, or all that is wrong with them.
fn check(arguments: &Arguments) -> anyhow::Result<(Username, Email, Option<Name>)> {
    let mut violations = Violations::default();
    let username = violations.check("username", Username::parse(&arguments.username));
    let email = violations.check("email", Email::parse(&arguments.email));
    let name = arguments.name.as_deref().map(Name::parse).transpose();
    let name = violations.check("name", name);
    match (username, email, name) {
        (Some(username), Some(email), Some(name)) => Ok((username, email, name)),
        _ => Err(plain(violations.into_error())),
    }
}

/// An error in words for a terminal: what the API keeps from its clients is for this reader.
fn plain(error: Error) -> anyhow::Error {
    match error {
        Error::Invalid(fields) => {
            let mut text = String::from("not every argument is valid");
            for field in fields {
                let _ = write!(text, "\n  --{} {}", field.field, field.message);
            }
            anyhow!(text)
        }
        Error::Internal(source) | Error::Unavailable(source) => match source.downcast_ref() {
            Some(error) => anyhow!("the admin was not made: {}", said(error)),
            None => source,
        },
        refusal => anyhow!("{refusal}"),
    }
}

fn read(path: &Path) -> anyhow::Result<SecretString> {
    let text = if path == Path::new("-") {
        io::read_to_string(io::stdin()).context("the password cannot be read from standard input")
    } else {
        std::fs::read_to_string(path).context("--password-file: the file cannot be read")
    };
    let text = SecretString::from(text?);
    Ok(text.expose_secret().trim_end_matches(['\r', '\n']).into())
}

fn ask() -> anyhow::Result<SecretString> {
    let prompt = |text| {
        rpassword::prompt_password(text)
            .context("there is no terminal to ask for the password on: use --password-file")
    };
    let first = SecretString::from(prompt("Password: ")?);
    let second = SecretString::from(prompt("Once more: ")?);
    ensure!(first.expose_secret() == second.expose_secret(), "these are two different passwords");
    Ok(first)
}
