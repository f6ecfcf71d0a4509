//! The listeners: bounded headers, slow senders cut, handshakes that hold up nobody else, and a stop that lets requests under way finish.

use std::{
    future::{Future, pending},
    io,
    net::SocketAddr,
    time::Duration,
};

use axum::{Router, extract::ConnectInfo};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tower::ServiceExt;

use crate::{protocol::client_certificate::ClientCertificate, state::App, tls::Tls};

use super::{router, router_for_programs, sender::Shown};

/// How long a listener rests when it cannot accept: too many files are open, say.
const REST: Duration = Duration::from_millis(100);

/// Where the server listens.
pub struct Listeners {
    /// For everybody, over plain http where there is no TLS.
    pub ordinary: (TcpListener, Option<Tls>),
    /// For programs, with client certificates.
    pub certificates: Option<(TcpListener, Tls)>,
}

impl Listeners {
    /// One, over plain http.
    #[must_use]
    pub const fn plain(listener: TcpListener) -> Self {
        Self { ordinary: (listener, None), certificates: None }
    }

    /// What ends TLS on any of them.
    pub fn tls(&self) -> impl Iterator<Item = &Tls> {
        self.ordinary.1.iter().chain(self.certificates.iter().map(|(_, tls)| tls))
    }
}

/// What its connections are served with.
struct Door {
    server: auto::Builder<TokioExecutor>,
    router: Router,
    /// How long a handshake may take.
    patience: Duration,
    /// Whether clients are asked for certificates.
    asks: bool,
}

/// Serves until `stop` is ready; then accepts nothing more, and waits for requests under way as long as the settings say.
///
/// # Errors
/// Where a listener's address cannot be read.
pub async fn serve(app: App, listeners: Listeners, stop: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
    let limits = &app.settings.server;
    let (patience, slow) = (Duration::from_secs(limits.shutdown_seconds), Duration::from_secs(limits.slow_request_seconds));
    let Listeners { ordinary: (ordinary, tls), certificates } = listeners;
    let address = ordinary.local_addr()?;
    tracing::info!(%address, tls = tls.is_some(), issuer = app.settings.issuer(), "grantlog serves");
    if let Some((listener, _)) = &certificates {
        tracing::info!(address = %listener.local_addr()?, "client certificates are asked for");
    }
    let (feed, connections) = (app.feed.clone(), GracefulShutdown::new());
    let door = |router, asks| Door { server: server(&app), router, patience: slow, asks };
    let at_ordinary = door(router(app.clone()), false);
    let at_certificates = door(router_for_programs(app.clone()), true);
    let for_certificates = async {
        match certificates {
            Some((listener, tls)) => at_certificates.attend(listener, Some(tls), &connections).await,
            None => pending().await,
        }
    };
    tokio::select! {
        () = at_ordinary.attend(ordinary, tls, &connections) => {}
        () = for_certificates => {}
        () = stop => {}
    }
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

impl Door {
    /// Accepts connections for ever. Handshakes go on beside one another, and end with this.
    async fn attend(&self, listener: TcpListener, tls: Option<Tls>, connections: &GracefulShutdown) {
        let acceptor = tls.map(|tls| TlsAcceptor::from(tls.config()));
        let mut handshakes = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => match (accepted, &acceptor) {
                    (Ok((stream, peer)), None) => self.serve(without_delay(stream), (peer, None), connections),
                    (Ok((stream, peer)), Some(acceptor)) => {
                        handshakes.spawn(handshake(acceptor.clone(), without_delay(stream), (peer, self.patience)));
                    }
                    (Err(error), _) => {
                        tracing::warn!(%error, "a connection was not accepted");
                        tokio::time::sleep(REST).await;
                    }
                },
                Some(done) = handshakes.join_next() => if let Ok(Some((stream, peer))) = done {
                    let shown = self.asks.then(|| Shown(certificate(&stream)));
                    self.serve(stream, (peer, shown), connections);
                },
            }
        }
    }

    fn serve<S>(&self, stream: S, (peer, shown): (SocketAddr, Option<Shown>), connections: &GracefulShutdown)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let service = self.router.clone().map_request(move |mut request: hyper::Request<hyper::body::Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            if let Some(shown) = &shown {
                request.extensions_mut().insert(shown.clone());
            }
            request.map(axum::body::Body::new)
        });
        let served = self.server.serve_connection_with_upgrades(TokioIo::new(stream), TowerToHyperService::new(service));
        let watched = connections.watch(served.into_owned());
        tokio::spawn(async move {
            if let Err(error) = watched.await {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
}

fn without_delay(stream: TcpStream) -> TcpStream {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection keeps its delay");
    }
    stream
}

async fn handshake(
    acceptor: TlsAcceptor,
    stream: TcpStream,
    (peer, patience): (SocketAddr, Duration),
) -> Option<(TlsStream<TcpStream>, SocketAddr)> {
    match tokio::time::timeout(patience, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => Some((stream, peer)),
        Ok(Err(error)) => {
            tracing::debug!(%error, "a handshake failed");
            None
        }
        Err(_) => {
            tracing::debug!("a handshake took too long");
            None
        }
    }
}

fn certificate(stream: &TlsStream<TcpStream>) -> Option<ClientCertificate> {
    let chain = stream.get_ref().1.peer_certificates()?;
    ClientCertificate::of_chain(chain.iter().map(|certificate| certificate.clone().into_owned()).collect())
}
