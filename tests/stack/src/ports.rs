//! Free ports on loopback.
//!
//! They are taken from below the kernel's own range for outgoing connections (32768 and up), so that
//! between the choice and the use no passing connection sits down on one. Against another stack that
//! chooses in the same moment, each is reserved for as long as this process lives: by an abstract
//! Unix socket of the port's name, of which the kernel allows one.

use std::{
    net::{Ipv4Addr, TcpListener},
    os::{linux::net::SocketAddrExt, unix::net},
    sync::{Mutex, PoisonError},
};

use anyhow::Context;

const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

static RESERVED: Mutex<Vec<net::UnixListener>> = Mutex::new(Vec::new());

/// A port that nothing listens on, and that no stack on this machine gives to anybody else.
pub fn free() -> anyhow::Result<u16> {
    let (port, reservation) = (0..1_000)
        .map(|_| FIRST + random_u16() % COUNT)
        .filter_map(|port| Some((port, reserve(port)?)))
        .find(|&(port, _)| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok())
        .context("no free port between 20000 and 32000 on 127.0.0.1")?;
    RESERVED.lock().unwrap_or_else(PoisonError::into_inner).push(reservation);
    Ok(port)
}

fn reserve(port: u16) -> Option<net::UnixListener> {
    let name = net::SocketAddr::from_abstract_name(format!("voketag-admin-port-{port}")).ok()?;
    net::UnixListener::bind_addr(&name).ok()
}

fn random_u16() -> u16 {
    let [a, b, ..] = *uuid::Uuid::new_v4().as_bytes();
    u16::from_be_bytes([a, b])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_given_away_once() {
        let port = free().unwrap();

        assert!(reserve(port).is_none());
        assert_ne!(free().unwrap(), port);
    }
}
