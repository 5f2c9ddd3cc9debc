//! What the functions of one test find: a database through Cloud SQL's socket, and settings that
//! production accepts.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use reqwest::Client;
use serde_json::{Value, json};
use stack::database::TestDatabase;
use stack::local::{REFRESH_KEY, SIGNING_KEY};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpStream, UnixListener};
use url::Url;

use crate::container::{Container, Image, Settings};

const PASSWORD: &str = "a pass phrase of a test";

/// A database with one admin, and a file system for the containers.
pub struct World {
    pub database: TestDatabase,
    pub image: Image,
    pub http: Client,
}

/// Somebody signed in.
#[derive(Debug, Clone)]
pub struct Tokens {
    pub access: String,
    pub refresh: String,
}

impl World {
    pub async fn new() -> Self {
        let world = Self::over(TestDatabase::new().await).await;
        let password = world.image.path().join("password");
        fs::write(&password, PASSWORD).unwrap();
        let arguments = ["create-admin", "--username", "admin", "--email", "admin@example.com"];
        let create = world.image.launch("jobs", &world.owner()).args(arguments);
        let create = create.args(["--password-file".into(), password.into_os_string()]);
        create.finish(Duration::from_secs(60)).await.unwrap();
        world
    }

    pub async fn over(database: TestDatabase) -> Self {
        let image = Image::new();
        serve_socket(&image, &database).await;
        Self { database, image, http: Client::new() }
    }

    /// The settings of a function in production, given as variables alone.
    pub fn settings(&self, function: &str) -> Settings {
        let mut settings = vec![
            ("ENV", "production".to_owned()),
            ("DATABASE_URL", self.database_url(&self.database.url_for(function))),
            ("JWT_PUBLIC_KEY", bare(&SIGNING_KEY.public).to_owned()),
            ("GOOGLE_CLOUD_PROJECT", "voketag-test".to_owned()),
        ];
        let neighbours = ["SCAN_SERVICE_URL", "FACTORY_SERVICE_URL", "BLOCKCHAIN_SERVICE_URL"];
        let nowhere = "https://127.0.0.1:1".to_owned();
        settings.extend(neighbours.map(|name| (name, nowhere.clone())));
        match function {
            "auth" => settings.extend([
                ("JWT_PRIVATE_KEY", bare(&SIGNING_KEY.private).to_owned()),
                ("REFRESH_TOKEN_KEY", REFRESH_KEY.to_owned()),
            ]),
            // A push that it believes can be had from Google alone, so it runs as at a desk.
            "retry-worker" => {
                settings[0].1 = "development".to_owned();
                settings.push(("PUSH_OIDC", "off".to_owned()));
            }
            _ => {}
        }
        settings.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// The settings of a job that is run by the owner of the tables.
    pub fn owner(&self) -> Settings {
        let url = self.database_url(self.database.url());
        [("ENV", "production".to_owned()), ("DATABASE_URL", url)]
            .map(|(name, value)| (name.to_owned(), value))
            .into()
    }

    /// The same database and user, through the socket.
    fn database_url(&self, url: &str) -> String {
        let url: Url = url.parse().unwrap();
        let mut through_socket: Url =
            format!("postgresql:///{}", &url.path()[1..]).parse().unwrap();
        through_socket
            .query_pairs_mut()
            .append_pair("host", self.image.path().to_str().unwrap())
            .append_pair("user", url.username())
            .append_pair("password", url.password().unwrap());
        through_socket.into()
    }

    pub async fn sign_in(&self, auth: &Container) -> Tokens {
        let login = json!({ "username": "admin", "password": PASSWORD });
        let url = format!("{}/v1/admin/auth/login", auth.url());
        let answer = self.http.post(url).json(&login).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        Tokens::of(&answer.json().await.unwrap())
    }
}

impl Tokens {
    pub fn of(answer: &Value) -> Self {
        let token = |name: &str| answer[name].as_str().unwrap().to_owned();
        Self { access: token("access_token"), refresh: token("refresh_token") }
    }
}

/// A setting of the same name in place of the one that is there.
pub fn set(settings: &mut Settings, name: &str, value: &str) {
    settings.retain(|(there, _)| there != name);
    settings.push((name.to_owned(), value.to_owned()));
}

/// A key without the line that says it was made for development.
pub fn bare(pem: &str) -> &str {
    &pem[pem.find("-----BEGIN").unwrap()..]
}

/// Stands where Cloud Run mounts the socket of Cloud SQL, which production takes for encrypted.
async fn serve_socket(image: &Image, database: &TestDatabase) {
    let url: Url = database.url().parse().unwrap();
    let server = (url.host_str().unwrap().to_owned(), url.port().unwrap());
    let path = image.path().join(".s.PGSQL.5432");
    let listener = UnixListener::bind(&path).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o777)).unwrap();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let server = server.clone();
            tokio::spawn(async move {
                let mut server = TcpStream::connect(server).await?;
                copy_bidirectional(&mut client, &mut server).await
            });
        }
    });
}
