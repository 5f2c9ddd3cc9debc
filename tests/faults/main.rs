//! What the API promises when something breaks. The functions run here as they do in production, as
//! processes with database users of their own, and are killed as such; between them and what they
//! need stand proxies that can go silent, deaf or away.
//!
//! `make test` runs these, one after another: each has the machine to itself.

mod at_once;
mod cluster;
mod killed_system;
mod killed_worker;
mod neighbours;
mod postgres_gone;
mod pubsub_gone;
mod pushes;
mod redis_gone;
mod status;
