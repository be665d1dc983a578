//! A network between a store and PostgreSQL that can be slow, or fall silent.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, UnixStream};

/// What a network does with what comes by.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Network {
    /// How long an answer takes.
    pub(crate) delay: Duration,
    /// What is sent with this text in it gets lost on its way, or else the answer to it does.
    pub(crate) loses: Option<(&'static str, Lost)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    Question,
    Answer,
}

/// A port of this machine behind which there is the server. Once something got lost of a connection, so does all
/// that comes later.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    network: Arc<Mutex<Network>>,
}

impl Proxy {
    pub(crate) async fn to(socket: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let network: Arc<Mutex<Network>> = Arc::default();
        let shared = Arc::clone(&network);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = UnixStream::connect(&socket).await else { continue };
                let network = Arc::clone(&shared);
                tokio::spawn(async move {
                    let silent = Mutex::new(false);
                    let (from_client, to_client) = client.into_split();
                    let (from_server, to_server) = server.into_split();
                    // Where one side ends, so does the other.
                    tokio::select! {
                        () = carry(from_client, to_server, &network, &silent, true) => {}
                        () = carry(from_server, to_client, &network, &silent, false) => {}
                    }
                });
            }
        });
        Self { port, network }
    }

    pub(crate) fn set(&self, network: Network) {
        *self.network.lock().unwrap() = network;
    }
}

async fn carry(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    network: &Mutex<Network>,
    silent: &Mutex<bool>,
    asks: bool,
) {
    let mut buffer = vec![0; 1 << 16];
    loop {
        let Ok(read @ 1..) = from.read(&mut buffer).await else { return };
        let part = buffer.get(..read).unwrap_or_default();
        let Network { delay, loses } = *network.lock().unwrap();
        let mut lost = *silent.lock().unwrap();
        if let (true, Some((text, what))) = (asks, loses)
            && part.windows(text.len()).any(|window| window == text.as_bytes())
        {
            *silent.lock().unwrap() = true;
            lost |= what == Lost::Question;
        }
        if lost {
            continue;
        }
        if !asks && !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        if to.write_all(part).await.is_err() {
            return;
        }
    }
}
