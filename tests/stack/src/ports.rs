//! Free ports on loopback.
//!
//! They are taken from below the kernel's own range for outgoing connections (32768 and up), so that
//! between the choice and the use no passing connection sits down on one. Two stacks that start in
//! the same moment can still choose the same one; with 12,000 to choose from, that is rare.

use std::{
    collections::BTreeSet,
    net::{Ipv4Addr, TcpListener},
    sync::Mutex,
};

use anyhow::Context;

const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// What this process has handed out already.
static TAKEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

/// A port that nothing listens on, and that this process gives to nobody else.
pub fn free() -> anyhow::Result<u16> {
    let mut taken = TAKEN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    (0..1_000)
        .map(|_| FIRST + random_u16() % COUNT)
        .find(|&port| {
            !taken.contains(&port) && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
        })
        .inspect(|&port| {
            taken.insert(port);
        })
        .context("no free port between 20000 and 32000 on 127.0.0.1")
}

fn random_u16() -> u16 {
    let [a, b, ..] = *uuid::Uuid::new_v4().as_bytes();
    u16::from_be_bytes([a, b])
}
