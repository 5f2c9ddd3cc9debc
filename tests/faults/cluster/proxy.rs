//! A TCP proxy that can be told to misbehave.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How it treats what it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Passes,
    /// Takes connections and questions, and keeps them to itself.
    Silent,
    /// Hands on questions, and keeps the answers to itself.
    Deaf,
    /// Takes connections and resets them at once.
    Gone,
}

#[derive(Debug, Clone, Copy)]
struct State {
    mode: Mode,
    /// A connection of an older age is cut.
    age: u32,
}

/// A proxy on loopback, for as long as it is kept.
pub struct Proxy {
    pub port: u16,
    target: Arc<AtomicU16>,
    state: watch::Sender<State>,
}

impl Proxy {
    pub async fn to(target: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let target = Arc::new(AtomicU16::new(target));
        let (state, seen) = watch::channel(State { mode: Mode::Passes, age: 0 });
        tokio::spawn(accept(listener, Arc::clone(&target), seen));
        Self { port, target, state }
    }

    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.host())
    }

    /// From now on; connections that are open stay open.
    pub fn becomes(&self, mode: Mode) {
        self.state.send_modify(|state| state.mode = mode);
    }

    /// Cuts all connections, with whatever was on its way.
    pub fn cuts(&self) {
        self.state.send_modify(|state| state.age += 1);
    }

    /// What is behind it has moved.
    pub fn leads_to(&self, target: u16) {
        self.target.store(target, Ordering::Relaxed);
    }
}

async fn accept(listener: TcpListener, target: Arc<AtomicU16>, seen: watch::Receiver<State>) {
    loop {
        let Ok((client, _)) = listener.accept().await else { return };
        // The proxy was dropped, and with it the test.
        if seen.has_changed().is_err() {
            return;
        }
        let (target, seen) = (target.load(Ordering::Relaxed), seen.clone());
        tokio::spawn(serve(client, target, seen));
    }
}

async fn serve(client: TcpStream, target: u16, mut seen: watch::Receiver<State>) {
    let state = *seen.borrow();
    if state.mode == Mode::Gone {
        client.set_zero_linger().ok();
        return;
    }
    let (questions, answers) = (seen.clone(), seen.clone());
    let piped = async {
        let Ok(server) = TcpStream::connect(("127.0.0.1", target)).await else { return };
        server.set_nodelay(true).ok();
        client.set_nodelay(true).ok();
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        tokio::select! {
            () = pump(from_client, to_server, questions, &[Mode::Passes, Mode::Deaf]) => {}
            () = pump(from_server, to_client, answers, &[Mode::Passes]) => {}
        }
    };
    tokio::select! {
        () = piped => {}
        _ = seen.wait_for(|now| now.age != state.age || now.mode == Mode::Gone) => {}
    }
}

async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut seen: watch::Receiver<State>,
    passing: &[Mode],
) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        if seen.wait_for(|state| passing.contains(&state.mode)).await.is_err() {
            return;
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
