//! The jobs, as their command line runs them.

mod create_admin;
mod import;
mod migrate;

use shared::config::Environment;
use stack::database::TestDatabase;

/// The environment of a job.
fn environment(database: &TestDatabase) -> Environment {
    Environment::from_iter([("DATABASE_URL", database.url())])
}

/// Runs the migrations; what they tell, or why they stopped.
async fn migrate(database: &TestDatabase) -> Result<String, String> {
    migrate_with(database, &[]).await
}

/// The same, and puts logins into roles.
async fn migrate_with(database: &TestDatabase, members: &[(&str, &str)]) -> Result<String, String> {
    let members = members.iter().map(|(role, login)| ((*role).to_owned(), (*login).to_owned()));
    let arguments = jobs::migrate::Arguments { members: members.collect() };
    let mut out = vec![];
    match jobs::migrate::run(&environment(database), arguments, &mut out).await {
        Ok(()) => Ok(String::from_utf8(out).unwrap()),
        Err(error) => Err(format!("{error:#}")),
    }
}
