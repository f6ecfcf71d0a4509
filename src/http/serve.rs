//! The listener: bounded headers, slow senders cut, and a stop that lets requests under way finish.

use std::{future::Future, io, net::SocketAddr, time::Duration};

use axum::{Router, extract::ConnectInfo};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt;

use crate::state::App;

use super::router;

/// How long the listener rests when it cannot accept: too many files are open, say.
const REST: Duration = Duration::from_millis(100);

/// Serves until `stop` is ready; then accepts nothing more, and waits for requests under way as long as the settings say.
///
/// # Errors
/// Where the listener's address cannot be read.
pub async fn serve(app: App, listener: TcpListener, stop: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
    let server = server(&app);
    let patience = Duration::from_secs(app.settings.server.shutdown_seconds);
    let address = listener.local_addr()?;
    tracing::info!(%address, issuer = app.settings.issuer(), "grantlog serves");
    let feed = app.feed.clone();
    let (router, connections) = (router(app), GracefulShutdown::new());
    let mut stop = std::pin::pin!(stop);
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => connection(&server, &router, &connections, (stream, peer)),
                Err(error) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    tokio::time::sleep(REST).await;
                }
            },
            () = &mut stop => break,
        }
    }
    drop(listener);
    feed.close();
    if tokio::time::timeout(patience, connections.shutdown()).await.is_err() {
        tracing::warn!("requests were still under way when the server stopped");
    }
    Ok(())
}

fn server(app: &App) -> auto::Builder<TokioExecutor> {
    let limits = &app.settings.server;
    let mut server = auto::Builder::new(TokioExecutor::new());
    server
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(limits.slow_request_seconds))
        .max_buf_size(limits.max_header_bytes.max(MIN_BUFFER));
    let headers = u32::try_from(limits.max_header_bytes).unwrap_or(u32::MAX);
    server.http2().timer(TokioTimer::new()).max_header_list_size(headers);
    server
}

/// hyper reads into a buffer of at least so many bytes.
const MIN_BUFFER: usize = 8192;

fn connection(
    server: &auto::Builder<TokioExecutor>,
    router: &Router,
    connections: &GracefulShutdown,
    (stream, peer): (TcpStream, SocketAddr),
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection keeps its delay");
    }
    let service = router.clone().map_request(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        request.map(axum::body::Body::new)
    });
    let served = server.serve_connection_with_upgrades(TokioIo::new(stream), TowerToHyperService::new(service)).into_owned();
    let watched = connections.watch(served);
    tokio::spawn(async move {
        if let Err(error) = watched.await {
            tracing::debug!(%error, "a connection ended early");
        }
    });
}
