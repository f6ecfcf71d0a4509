//! A mail server (SMTP, RFC 5321): it keeps what it is brought, answers as a test wants it to, and speaks TLS where a test has it.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};

use crate::{free_port, mail::Mail};

/// The longest that a test waits for a mail.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running server. It stops when it is dropped, and what it was brought goes with it.
pub struct MailServer {
    pub address: SocketAddr,
    inner: Arc<Inner>,
    running: Mutex<Option<JoinSet<()>>>,
}

struct Inner {
    /// What is answered to whom the next mails are for, instead of 250.
    answers: Mutex<VecDeque<u16>>,
    /// The user and password that it asks for.
    login: Option<(&'static str, &'static str)>,
    tls: Option<(TlsAcceptor, bool)>,
    mails: watch::Sender<Vec<Mail>>,
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

impl MailServer {
    /// Starts one that takes all that it is brought, in plain text.
    pub async fn start() -> Self {
        Self::with(None, None).await
    }

    /// Starts one that lets in nobody but this user.
    pub async fn start_with_login(user: &'static str, password: &'static str) -> Self {
        Self::with(Some((user, password)), None).await
    }

    /// Starts one that speaks TLS with this certificate: from the first byte, or from STARTTLS on.
    pub async fn start_with_tls((certificate, key): (&Path, &Path), implicit: bool) -> Self {
        let certificates: Vec<_> = CertificateDer::pem_file_iter(certificate)
            .expect("the file can be read")
            .collect::<Result<_, _>>()
            .expect("they are certificates");
        let key = PrivateKeyDer::from_pem_file(key).expect("it is a key");
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("it speaks TLS")
            .with_no_client_auth()
            .with_single_cert(certificates, key)
            .expect("the key is the certificate's");
        Self::with(None, Some((TlsAcceptor::from(Arc::new(config)), implicit))).await
    }

    async fn with(login: Option<(&'static str, &'static str)>, tls: Option<(TlsAcceptor, bool)>) -> Self {
        // One that nobody takes while it is down.
        let listener = TcpListener::bind(("127.0.0.1", free_port())).await.expect("a port is free");
        let address = listener.local_addr().expect("the listener has an address");
        let inner = Arc::new(Inner { answers: Mutex::default(), login, tls, mails: watch::Sender::default() });
        let server = Self { address, inner, running: Mutex::default() };
        server.listen(listener);
        server
    }

    fn listen(&self, listener: TcpListener) {
        let (inner, mut connections) = (self.inner.clone(), JoinSet::new());
        let mut running = JoinSet::new();
        running.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let inner = inner.clone();
                // A connection that breaks is the client's to notice.
                connections.spawn(async move { drop(serve(stream, &inner).await) });
            }
        });
        *self.running.lock().expect("nobody panics with it") = Some(running);
    }

    /// Goes down, with every connection.
    pub async fn stop(&self) {
        let running = self.running.lock().expect("nobody panics with it").take();
        if let Some(mut running) = running {
            running.shutdown().await;
        }
    }

    /// Comes back up where it was.
    pub async fn resume(&self) {
        self.listen(TcpListener::bind(self.address).await.expect("the port is free again"));
    }

    /// Answers with these codes to whom the next mails are for, and takes what comes after them.
    pub fn answer(&self, codes: &[u16]) {
        *self.inner.answers() = codes.iter().copied().collect();
    }

    /// The mails so far.
    #[must_use]
    pub fn mails(&self) -> Vec<Mail> {
        self.inner.mails.borrow().clone()
    }

    /// Waits until there are so many mails, and gives them.
    ///
    /// # Panics
    /// Where there are not.
    pub async fn wait_for(&self, count: usize) -> Vec<Mail> {
        let mut mails = self.inner.mails.subscribe();
        let came = tokio::time::timeout(PATIENCE, mails.wait_for(|mails| mails.len() >= count)).await;
        came.unwrap_or_else(|_| panic!("{} mails came, not {count}", self.mails().len())).expect("the server is there").clone()
    }

    /// Waits for the next mail after so many.
    pub async fn after(&self, count: usize) -> Mail {
        self.wait_for(count + 1).await.swap_remove(count)
    }
}

impl Inner {
    fn answers(&self) -> MutexGuard<'_, VecDeque<u16>> {
        self.answers.lock().expect("nobody panics with it")
    }

    fn lets_in(&self, line: &str) -> bool {
        use base64::{Engine, engine::general_purpose::STANDARD};
        let given = line.split(' ').nth(2).and_then(|coded| STANDARD.decode(coded).ok()).unwrap_or_default();
        self.login.is_some_and(|(user, password)| given == format!("\0{user}\0{password}").into_bytes())
    }
}

async fn serve(stream: TcpStream, inner: &Inner) -> std::io::Result<()> {
    match &inner.tls {
        Some((tls, true)) => talk(Box::new(tls.accept(stream).await?), inner, Said::new(true)).await,
        Some((_, false)) | None => talk(Box::new(stream), inner, Said::new(false)).await,
    }
}

/// What was said on a connection.
struct Said {
    protected: bool,
    greeted: bool,
    let_in: bool,
    to: String,
}

impl Said {
    fn new(protected: bool) -> Self {
        Self { protected, greeted: false, let_in: false, to: String::new() }
    }
}

async fn talk(stream: Box<dyn Stream>, inner: &Inner, mut said: Said) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    if !said.greeted {
        stream.write_all(b"220 mail.test ready\r\n").await?;
    }
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let line = line.trim_end();
        let verb = line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
        let answer = match verb.as_str() {
            "EHLO" => {
                let mut answer = "250-mail.test\r\n".to_owned();
                if inner.tls.is_some() && !said.protected {
                    answer.push_str("250-STARTTLS\r\n");
                }
                if inner.login.is_some() {
                    answer.push_str("250-AUTH PLAIN\r\n");
                }
                answer + "250 8BITMIME"
            }
            "STARTTLS" if inner.tls.is_some() && !said.protected => {
                stream.write_all(b"220 go on\r\n").await?;
                let (tls, _) = inner.tls.as_ref().expect("it was just seen");
                let protected = tls.accept(stream.into_inner()).await?;
                let said = Said { greeted: true, ..Said::new(true) };
                return Box::pin(talk(Box::new(protected), inner, said)).await;
            }
            "AUTH" if inner.lets_in(line) => {
                said.let_in = true;
                "235 welcome".to_owned()
            }
            "AUTH" => "535 go away".to_owned(),
            "MAIL" if inner.login.is_some() && !said.let_in => "530 who are you?".to_owned(),
            "RCPT" => match inner.answers().pop_front() {
                Some(code) => format!("{code} not that one"),
                None => {
                    said.to = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
                    "250 ok".to_owned()
                }
            },
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await?;
                let raw = message(&mut stream).await?;
                inner.mails.send_modify(|mails| mails.push(Mail { to: said.to.clone(), raw }));
                "250 ok".to_owned()
            }
            "QUIT" => {
                stream.write_all(b"221 bye\r\n").await?;
                return Ok(());
            }
            "MAIL" | "RSET" | "NOOP" => "250 ok".to_owned(),
            _ => "502 what?".to_owned(),
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
}

/// A message up to the line with a dot alone (RFC 5321 section 4.5.2).
async fn message(stream: &mut BufReader<Box<dyn Stream>>) -> std::io::Result<String> {
    let mut message = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        match line.as_str() {
            ".\r\n" => return Ok(message),
            _ => message.push_str(line.strip_prefix("..").map_or(line.as_str(), |_| &line[1..])),
        }
    }
}
