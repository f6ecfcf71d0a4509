//! Certificates are renewed while the server serves.

use std::time::Duration;

use tokio::signal::unix::Signal;

use super::Tls;

/// How often the files are looked at.
const TURN: Duration = Duration::from_secs(5);

/// Reads renewed certificates, soon after their files changed, and at once at SIGHUP.
pub async fn follow(all: Vec<Tls>, mut hang_up: Signal) {
    let mut turn = tokio::time::interval(TURN);
    loop {
        tokio::select! {
            _ = turn.tick() => {}
            _ = hang_up.recv() => tracing::info!("told to read the certificates again"),
        }
        all.iter().for_each(Tls::reload);
    }
}
