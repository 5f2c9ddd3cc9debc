//! What every function of the VokeTag Admin API shares.
//!
//! Layers, top to bottom; a module imports only from layers above its own:
//!
//! ```text
//! clock  id  caller  trace  request  client_address
//! error  page  period  rollup
//! config
//! http_client  telemetry
//! db  cache
//! answers
//! audit  outbox  password  user
//! account
//! rate_limit  http
//! auth
//! runtime
//! ```

pub mod account;
pub mod answers;
pub mod audit;
pub mod auth;
pub mod cache;
pub mod caller;
pub mod client_address;
pub mod clock;
pub mod config;
pub mod db;
pub mod error;
pub mod http;
mod http_client;
pub mod id;
pub mod outbox;
pub mod page;
pub mod password;
pub mod period;
pub mod rate_limit;
pub mod request;
pub mod rollup;
pub mod runtime;
pub mod telemetry;
pub mod trace;
pub mod user;

pub use clock::Clock;
pub use error::{Error, Result};
