//! The whole Admin API on one machine: `make run` is made of this crate, and so are the tests.
//!
//! ```text
//! layout  ports  probe  terminal  user   where things are, and who may have them
//! process  supervisor                    children that cannot be left behind
//! postgres  redis  pubsub  neighbours    what stands around the API
//! functions  schedule  secrets  seed     the API itself, its jobs, its keys, something to look at
//! gateway                                Google's API Gateway, as far as clients can tell
//! openapi                                the API's document
//! run  services  retry_demo              all of it · what tests need · one retry, to be watched
//! alone                                  a part by itself, as `compose.yml` runs it
//! database  local  client  actors        a database, the functions and clients for one test
//! collector  traced                      who is told spans and metrics, and those who tell some
//! eventually                             waiting, for a test
//! ```
//!
//! Two promises hold everywhere: nothing here needs a fixed port or a service that was there before,
//! and no process outlives the one that started it, however that one ends.

pub mod access_log;
pub mod actors;
pub mod alone;
pub mod client;
pub mod collector;
pub mod database;
pub mod eventually;
pub mod functions;
pub mod gateway;
pub mod layout;
pub mod local;
pub mod neighbours;
pub mod openapi;
pub mod ports;
pub mod postgres;
pub mod probe;
pub mod process;
pub mod pubsub;
pub mod redis;
pub mod retry_demo;
pub mod run;
pub mod schedule;
pub mod secrets;
pub mod seed;
pub mod services;
pub mod supervisor;
pub mod terminal;
mod traced;
pub mod user;
