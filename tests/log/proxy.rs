//! A wire to PostgreSQL that a test cuts: before the server hears, after it has answered, or for good.

use std::sync::Arc;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// What the wire does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    Whole,
    /// The next that a client sends is not heard: the wire is cut.
    CutBeforeRequest,
    /// The next that a client sends is heard; the wire is cut before the answer comes.
    CutBeforeAnswer,
    /// Nobody answers: connections are closed, and new ones too.
    Down,
    /// Nobody answers, and nobody says so.
    Silent,
}

/// A wire between a node and the server.
pub(crate) struct Proxy {
    pub(crate) address: String,
    wire: Arc<watch::Sender<Wire>>,
}

impl Proxy {
    pub(crate) async fn to(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let wire = Arc::new(watch::Sender::new(Wire::Whole));
        let state = wire.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, server.clone(), state.clone()));
            }
        });
        Self { address, wire }
    }

    pub(crate) fn set(&self, wire: Wire) {
        self.wire.send_replace(wire);
    }
}

async fn carry(mut client: TcpStream, server: String, wire: Arc<watch::Sender<Wire>>) {
    let mut changes = wire.subscribe();
    let Ok(mut server) = TcpStream::connect(server).await else { return };
    let (mut asked, mut answered) = (vec![0; 65_536], vec![0; 65_536]);
    loop {
        let state = *changes.borrow_and_update();
        match state {
            Wire::Down => return,
            Wire::Silent => {
                drop(changes.changed().await);
                continue;
            }
            Wire::Whole | Wire::CutBeforeRequest | Wire::CutBeforeAnswer => {}
        }
        tokio::select! {
            biased;
            _ = changes.changed() => {}
            read = client.read(&mut asked) => {
                let length = read.unwrap_or_default();
                if length == 0 || state == Wire::CutBeforeRequest {
                    once(&wire, state);
                    return;
                }
                if server.write_all(&asked[..length]).await.is_err() {
                    return;
                }
                if state == Wire::CutBeforeAnswer {
                    drop(server.read(&mut answered).await);
                    once(&wire, state);
                    return;
                }
            }
            read = server.read(&mut answered) => {
                let length = read.unwrap_or_default();
                if length == 0 || client.write_all(&answered[..length]).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// What is cut once is whole again for the next connection.
fn once(wire: &watch::Sender<Wire>, state: Wire) {
    wire.send_if_modified(|now| {
        let done = *now == state && matches!(state, Wire::CutBeforeRequest | Wire::CutBeforeAnswer);
        if done {
            *now = Wire::Whole;
        }
        done
    });
}
