//! `grantlog serve`: the server, until it is told to stop.

mod demo;
mod demo_lines;
mod dev;

use std::{future::Future, io, net::SocketAddr, sync::Arc};

use secrecy::ExposeSecret;
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
    task::JoinSet,
};

use crate::{
    clock::Clock,
    config::{KeyPair, Settings},
    dispatch::OpenError,
    fetch::Fetcher,
    follow::{self, logout, relay::Relay, transparency},
    http::{self, Listeners},
    log::Log,
    mail::Mailer,
    state::App,
    sweep, telemetry,
    tls::{self, ClientCertificates, Tls},
    unused_clients, verify,
};

use super::{failure::Failure, migrate, output, store::Context};

/// Run the server
///
/// Brings the store to this program's form first (of several nodes one does it, the others wait), then answers until SIGINT or
/// SIGTERM: then it accepts nothing more and finishes what is under way, at most for server.shutdown_seconds.
///
/// With --dev it runs at once on this machine: plain http on loopback, SQLite in ./data/ (or the store that DATABASE_URL names), a
/// master key, a client and a user to try things with, kept in data/dev.json. Without --dev it needs a public https URL and a master
/// key, and says how to give them. As long as nobody administers the issuer, it prints a one-time link to make the first
/// administrator.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  On this machine, to try it out:
    grantlog serve --dev
  The same on PostgreSQL, and on another port:
    DATABASE_URL=postgres://grantlog@localhost/grantlog \\
      grantlog serve --dev
    GRANTLOG_SERVER__LISTEN=127.0.0.1:9000 grantlog serve --dev
  In production, with a certificate of its own:
    GRANTLOG_SERVER__PUBLIC_URL=https://id.example.com \\
    GRANTLOG_SERVER__LISTEN=0.0.0.0:443 \\
    GRANTLOG_SERVER__TLS__CERTIFICATE_FILE=/etc/grantlog/tls.pem \\
    GRANTLOG_SERVER__TLS__KEY_FILE=/etc/grantlog/tls.key grantlog serve
  Behind a proxy that ends TLS:
    openssl rand -base64 32 > /etc/grantlog/master.key
    DATABASE_URL=postgres://grantlog@db.example/grantlog \\
    GRANTLOG_SERVER__PUBLIC_URL=https://id.example.com \\
    GRANTLOG_SERVER__BEHIND_PROXY=true \\
    GRANTLOG_VAULT__MASTER_KEY_FILE=/etc/grantlog/master.key \\
      grantlog serve")]
pub(super) struct Serve {
    /// Run on this machine alone, with everything that is needed to try it
    #[arg(long)]
    pub(super) dev: bool,
}

impl Serve {
    pub(super) async fn run(self, context: Context) -> Result<(), Failure> {
        let mut settings = context.settings;
        settings.check_server(self.dev)?;
        let metrics = if settings.telemetry.metrics { Some(telemetry::record_metrics()?) } else { None };
        let listeners = listen(&settings).await?;
        if self.dev {
            dev::follow_listener(&mut settings, &listeners.ordinary.0)?;
            dev::keep_mails(&mut settings);
        }
        let mailer = Mailer::of_settings(&settings)?;
        let app = self.open(settings).await?.with_metrics(metrics);
        if self.dev {
            demo::prepare(&app).await?;
        }
        // Before it says that it serves: whoever waits for that may stop it at once.
        let stop = stop_signal()?;
        tell(&app).await?;
        // What runs beside the requests ends with this function.
        let mut beside = JoinSet::new();
        beside.spawn(sweep::run(app.log.clone(), app.clock.clone()));
        beside.spawn(unused_clients::run(app.dispatch.clone()));
        beside.spawn(verify::run(app.log.clone(), app.clock.clone(), app.settings.store.verified_streams));
        if app.settings.relay.is_on() {
            beside.spawn(Relay::new(app.clone()).run());
        }
        if app.settings.transparency.enabled {
            beside.spawn(transparency::run(app.transparency.clone(), app.settings.transparency.checkpoint_file.clone()));
            let witnesses = app.settings.transparency.witness.clone();
            if !witnesses.is_empty() {
                let fetcher = Fetcher::of_settings(&app.settings.fetch).map_err(OpenError::Fetch)?;
                beside.spawn(transparency::ask_witnesses(app.transparency.clone(), witnesses, fetcher));
            }
        }
        beside.spawn(logout::run(app.clone()));
        let certificates: Vec<_> = listeners.tls().cloned().collect();
        let authorities = app.dispatch.authorities();
        if !certificates.is_empty() || authorities.are_named() {
            let hang_up = signal(SignalKind::hangup()).map_err(|error| Failure::io("the signals", &error))?;
            beside.spawn(tls::follow(certificates, authorities, hang_up));
        }
        match mailer {
            Some(mailer) => drop(beside.spawn(follow::mail::run(app.clone(), mailer))),
            None => follow::mail::leave_off(&app.log).await?,
        }
        http::serve(app, listeners, stop).await.map_err(|error| Failure::io("the server", &error))
    }

    async fn open(&self, settings: Settings) -> Result<App, Failure> {
        let made_key = if self.dev { dev::make_master_key(&settings)? } else { None };
        let master = settings.master_keys()?;
        let store = settings.log_settings();
        migrate::prepare(&store, migrate::ALL_THE_TIME).await?;
        let log = Log::open(&store).await?;
        let opened = App::open(log, Arc::new(settings), master, Clock::default()).await;
        if let (Err(OpenError::WrongMasterKey), Some(made_key)) = (&opened, made_key) {
            made_key.take_back();
        }
        Ok(opened?)
    }
}

async fn listen(settings: &Settings) -> Result<Listeners, Failure> {
    let server = &settings.server;
    let open = |files: KeyPair, clients| {
        Tls::open(&files, server.tls.tls12, clients)
            .map_err(|error| Failure::Usage(format!("the settings' certificate: {error}")))
    };
    let tls = server.key_pair().map(|files| open(files, ClientCertificates::NotAsked)).transpose()?;
    let ordinary = (bind(("server.listen", "GRANTLOG_SERVER__LISTEN"), server.listen).await?, tls);
    let certificates = match (server.mtls.listen, server.mtls_key_pair()) {
        (Some(address), Some(files)) => {
            let tls = open(files, ClientCertificates::Asked)?;
            Some((bind(("server.mtls.listen", "GRANTLOG_SERVER__MTLS__LISTEN"), address).await?, tls))
        }
        (None, _) | (_, None) => None,
    };
    Ok(Listeners { ordinary, certificates })
}

async fn bind((setting, variable): (&str, &str), address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        let why = match error.kind() {
            io::ErrorKind::AddrInUse => "another program listens there already".to_owned(),
            io::ErrorKind::PermissionDenied => "this user may not listen there (ports below 1024 are the system's)".to_owned(),
            io::ErrorKind::AddrNotAvailable => "this machine has no such address".to_owned(),
            _ => error.to_string(),
        };
        Failure::Usage(format!(
            "{setting} is {address}, but {why}.\nStop that program, or set another: {variable}={}:{}",
            address.ip(),
            address.port().saturating_add(1)
        ))
    })
}

/// Says how the first administrator is made, and, last, where the server is.
async fn tell(app: &App) -> Result<(), Failure> {
    let public_url = app.settings.public_url();
    if let Some(token) = app.dispatch.setup_token().await? {
        let token = token.expose_secret();
        output::line("\nNobody administers this issuer yet. Make the first administrator with this link, once, within a day:")?;
        output::line(format_args!("{public_url}/setup/{token}"))?;
    }
    if let Some(folder) = &app.settings.mail.folder {
        output::line(format_args!("\nMails are not sent, but written to {}/.", folder.display()))?;
    }
    output::line(format_args!("\ngrantlog serves {public_url}, issuer {}. Ctrl-C stops it.", app.settings.issuer()))
}

/// What the program ends with where a second signal would not wait.
const CUT_SHORT: i32 = 1;

/// Is ready at the first SIGINT or SIGTERM. A second one ends the program at once.
fn stop_signal() -> Result<impl Future<Output = ()> + Send + 'static, Failure> {
    let failed = |error| Failure::io("the signals", &error);
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    Ok(async move {
        either(&mut interrupt, &mut terminate).await;
        tracing::info!("told to stop: requests under way are finished");
        tokio::spawn(async move {
            either(&mut interrupt, &mut terminate).await;
            std::process::exit(CUT_SHORT);
        });
    })
}

async fn either(interrupt: &mut Signal, terminate: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
