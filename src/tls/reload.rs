//! Certificates are renewed while the server serves.

use std::{sync::Arc, time::Duration};

use tokio::signal::unix::Signal;

use super::{Authorities, Tls};

/// How often the files are looked at.
const TURN: Duration = Duration::from_secs(5);

/// Reads renewed certificates, of the listeners and of the clients' authorities, soon after their files changed, and at once at SIGHUP.
pub async fn follow(listeners: Vec<Tls>, authorities: Arc<Authorities>, mut hang_up: Signal) {
    let mut turn = tokio::time::interval(TURN);
    loop {
        tokio::select! {
            _ = turn.tick() => {}
            _ = hang_up.recv() => tracing::info!("told to read the certificates again"),
        }
        listeners.iter().for_each(Tls::reload);
        authorities.reload();
    }
}
