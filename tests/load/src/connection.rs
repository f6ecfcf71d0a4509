//! One connection that is kept: HTTP/1.1 with as little work for the generator as will do, because it runs beside what it measures.

use std::{io, path::Path, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

use crate::Options;

const END_OF_HEAD: &[u8] = b"\r\n\r\n";
/// How much is asked of the socket at a time, in bytes.
const READ: usize = 4096;

pub(crate) struct Connection {
    stream: Box<dyn Stream>,
    address: String,
    received: Vec<u8>,
}

/// What bytes go over: TCP, or TLS over that.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// An answer, as long as the connection is not used again.
#[derive(Debug)]
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    head: &'a str,
    pub(crate) body: &'a [u8],
}

impl Connection {
    /// With the certificate that the options name, over TLS.
    pub(crate) async fn open(options: &Options) -> io::Result<Self> {
        let address = &options.address;
        let plain = TcpStream::connect(address).await?;
        plain.set_nodelay(true)?;
        let stream: Box<dyn Stream> = match &options.certificate {
            None => Box::new(plain),
            Some(certificate) => {
                let key = options.key.as_ref().ok_or(io::ErrorKind::NotFound)?;
                let (host, _) = address.rsplit_once(':').ok_or(io::ErrorKind::InvalidInput)?;
                let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
                Box::new(TlsConnector::from(Arc::new(tls(certificate, key)?)).connect(name, plain).await?)
            }
        };
        Ok(Self { stream, address: address.clone(), received: Vec::with_capacity(READ) })
    }

    /// A request for a page, with the browser's cookies.
    pub(crate) fn get(&self, path: &str, cookies: &str) -> Vec<u8> {
        format!("GET {path} HTTP/1.1\r\nhost: {}\r\ncookie: {cookies}\r\n\r\n", self.address).into_bytes()
    }

    /// A request that sends a form. `header` is a line of its own.
    pub(crate) fn post(&self, path: &str, header: &str, form: &str) -> Vec<u8> {
        let length = form.len();
        let kind = "content-type: application/x-www-form-urlencoded";
        format!("POST {path} HTTP/1.1\r\nhost: {}\r\n{header}\r\n{kind}\r\ncontent-length: {length}\r\n\r\n{form}", self.address)
            .into_bytes()
    }

    /// Sends a request, and waits for the whole answer.
    pub(crate) async fn send(&mut self, request: &[u8]) -> io::Result<Answer<'_>> {
        self.stream.write_all(request).await?;
        self.received.clear();
        let head = loop {
            self.receive().await?;
            let found = self.received.windows(END_OF_HEAD.len()).position(|window| window == END_OF_HEAD);
            if let Some(end) = found {
                break end + END_OF_HEAD.len();
            }
        };
        let length = content_length(as_text(&self.received[..head])?);
        while self.received.len() < head + length {
            self.receive().await?;
        }
        let head_text = as_text(&self.received[..head])?;
        let status = head_text.get(9..12).and_then(|status| status.parse().ok());
        let status = status.ok_or_else(|| io::Error::other("the answer has no status"))?;
        Ok(Answer { status, head: head_text, body: &self.received[head..] })
    }

    async fn receive(&mut self) -> io::Result<()> {
        self.received.reserve(READ);
        match self.stream.read_buf(&mut self.received).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

impl<'a> Answer<'a> {
    /// The answer, if it has this status.
    ///
    /// # Errors
    /// That it has another; the error holds the answer.
    pub(crate) fn with_status(self, status: u16) -> io::Result<Self> {
        if self.status == status {
            return Ok(self);
        }
        Err(io::Error::other(format!("not {status}: {}{}", self.head, String::from_utf8_lossy(self.body))))
    }

    /// The values of a header.
    pub(crate) fn header(&self, name: &str) -> impl Iterator<Item = &'a str> {
        values(self.head, name)
    }
}

/// With a certificate that both sides show: it is its own authority.
fn tls(certificate: &Path, key: &Path) -> io::Result<ClientConfig> {
    let certificate = CertificateDer::from_pem_file(certificate).map_err(io::Error::other)?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(io::Error::other)?;
    let mut trusted = RootCertStore::empty();
    trusted.add(certificate.clone()).map_err(io::Error::other)?;
    let builder =
        ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider())).with_safe_default_protocol_versions();
    let builder = builder.map_err(io::Error::other)?.with_root_certificates(trusted);
    builder.with_client_auth_cert(vec![certificate], key).map_err(io::Error::other)
}

/// The header by which a client with a secret authenticates (RFC 6749 section 2.3.1).
pub(crate) fn basic(client_id: &str, secret: &str) -> String {
    format!("authorization: Basic {}", STANDARD.encode(format!("{client_id}:{secret}")))
}

fn as_text(head: &[u8]) -> io::Result<&str> {
    std::str::from_utf8(head).map_err(io::Error::other)
}

fn content_length(head: &str) -> usize {
    values(head, "content-length").next().and_then(|value| value.parse().ok()).unwrap_or(0)
}

fn values<'a>(head: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    let headers = head.split("\r\n").filter_map(|line| line.split_once(':'));
    headers.filter(move |(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}
