//! A connection that a test can cut: a port that leads to another one, or to nothing.

use std::net::SocketAddr;

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// Leads to a server until it is cut.
pub(crate) struct Wire {
    pub(crate) address: SocketAddr,
    leads_to: watch::Sender<Option<SocketAddr>>,
}

impl Wire {
    /// One that leads there.
    pub(crate) async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (leads_to, led) = watch::channel(Some(server));
        tokio::spawn(async move {
            while let Ok((here, _)) = listener.accept().await {
                let led = led.clone();
                tokio::spawn(carry(here, led));
            }
        });
        Self { address, leads_to }
    }

    /// Breaks what goes through it, and lets nothing through.
    pub(crate) fn cut(&self) {
        self.leads_to.send_replace(None);
    }

    /// Breaks what goes through it, and leads there.
    pub(crate) fn lead_to(&self, server: SocketAddr) {
        self.leads_to.send_replace(Some(server));
    }
}

async fn carry(mut here: TcpStream, mut led: watch::Receiver<Option<SocketAddr>>) {
    let Some(server) = *led.borrow_and_update() else { return };
    let Ok(mut there) = TcpStream::connect(server).await else { return };
    tokio::select! {
        _ = copy_bidirectional(&mut here, &mut there) => {}
        _ = led.changed() => {}
    }
}
