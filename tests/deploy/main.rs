//! What a deployment promises. The functions run here as their containers do, by themselves, and are
//! replaced while people work.
//!
//! `make test` runs these; they need no Docker and no Pub/Sub.

mod changed;
mod container;
mod containers;
mod files;
mod key_rotation;
mod world;
