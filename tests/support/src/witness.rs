//! A witness (C2SP tlog-witness) that knows one log: it checks that each checkpoint goes on from the one before, and cosigns it.

use std::sync::{Arc, Mutex, MutexGuard};

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{Ed25519KeyPair, KeyPair},
};
use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use grantlog::config;
use signed_note::{Note, Signature, StandardVerifier, VerifierList};
use tlog_tiles::{Checkpoint, Hash};
use tokio::net::TcpListener;

/// When it says that it saw every checkpoint.
const SEEN_AT: i64 = 1_679_315_147;
/// The algorithm's byte before an Ed25519 public key that makes cosignatures.
const COSIGNATURE: u8 = 4;

/// A running witness.
pub struct Witness {
    pub settings: config::Witness,
    inner: Arc<Inner>,
}

struct Inner {
    name: String,
    pair: Ed25519KeyPair,
    log: StandardVerifier,
    seen: Mutex<Seen>,
    /// Held by a test, no answer goes out.
    gate: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Seen {
    /// The size and the root that it cosigned last.
    last: (u64, Option<Hash>),
    /// The sizes before and after, of what was cosigned.
    cosigned: Vec<(u64, u64)>,
    /// How often it was asked.
    asked: usize,
    /// What it answers instead.
    refusal: Option<StatusCode>,
}

impl Witness {
    /// Starts a witness that knows a log by its key.
    pub async fn start(name: &str, log: &str) -> Self {
        let private = Ed25519KeyPair::generate_pkcs8v1(&SystemRandom::new()).expect("the system can make a key");
        let pair = Ed25519KeyPair::from_pkcs8(private.as_ref()).expect("it is a key");
        let log = StandardVerifier::new(log.trim()).expect("it is the key of a log");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("the listener has an address");
        let inner = Inner { name: name.to_owned(), pair, log, seen: Mutex::default(), gate: tokio::sync::Mutex::default() };
        let inner = Arc::new(inner);
        let router = Router::new().route("/w/add-checkpoint", post(add_checkpoint)).with_state(inner.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let url = format!("http://{address}/w").parse().expect("an address makes a URL");
        let key = inner.verifier_key().parse().expect("it is the key of a witness");
        Self { settings: config::Witness { url, key }, inner }
    }

    /// Answers with this status alone from now on; `None`: as it should.
    pub fn refuse(&self, refusal: Option<u16>) {
        self.inner.seen().refusal = refusal.map(|status| StatusCode::from_u16(status).expect("it is a status"));
    }

    /// The sizes before and after, of all that it cosigned.
    #[must_use]
    pub fn cosigned(&self) -> Vec<(u64, u64)> {
        self.inner.seen().cosigned.clone()
    }

    /// How often it was asked.
    #[must_use]
    pub fn asked(&self) -> usize {
        self.inner.seen().asked
    }

    /// Loses all that it saw.
    pub fn forget(&self) {
        self.inner.seen().last = (0, None);
    }

    /// Holds all answers back until what is given is dropped.
    pub async fn hold(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.inner.gate.lock().await
    }
}

impl Inner {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().expect("nobody panics with it")
    }

    /// The public key with its algorithm's byte.
    fn public(&self) -> Vec<u8> {
        [&[COSIGNATURE], self.pair.public_key().as_ref()].concat()
    }

    fn key_id(&self) -> u32 {
        signed_note::key_id(&self.name, &self.public())
    }

    fn verifier_key(&self) -> String {
        format!("{}+{:08x}+{}", self.name, self.key_id(), STANDARD.encode(self.public()))
    }

    /// The cosignature of a checkpoint's text, as a line.
    fn cosign(&self, text: &[u8]) -> Vec<u8> {
        let signed = [format!("cosignature/v1\ntime {SEEN_AT}\n").as_bytes(), text].concat();
        let cosignature = [&SEEN_AT.to_be_bytes(), self.pair.sign(&signed).as_ref()].concat();
        Signature::new(self.name.clone(), self.key_id(), cosignature).expect("the name is right").to_bytes()
    }

    fn answer(&self, request: &str) -> Response {
        let mut seen = self.seen();
        if let Some(status) = seen.refusal {
            return status.into_response();
        }
        let Some((old, proof, text, checkpoint)) = self.read(request) else { return StatusCode::FORBIDDEN.into_response() };
        let (size, root) = (checkpoint.size(), *checkpoint.hash());
        if old > size {
            return StatusCode::BAD_REQUEST.into_response();
        }
        if old != seen.last.0 || (old == size && seen.last.1 != Some(root)) {
            let size = format!("{}\n", seen.last.0);
            return (StatusCode::CONFLICT, [(header::CONTENT_TYPE, "text/x.tlog.size")], size).into_response();
        }
        let extends = match seen.last.1 {
            Some(before) => tlog_tiles::check_tree(&proof, size, root, old, before).is_ok(),
            None => proof.is_empty(),
        };
        if !extends {
            return StatusCode::UNPROCESSABLE_ENTITY.into_response();
        }
        seen.last = (size, Some(root));
        seen.cosigned.push((old, size));
        self.cosign(&text).into_response()
    }

    /// The old size, the proof, the checkpoint's text and the checkpoint, where the log signed it.
    fn read(&self, request: &str) -> Option<(u64, Vec<Hash>, Vec<u8>, Checkpoint)> {
        let (head, note) = request.split_once("\n\n")?;
        let mut lines = head.lines();
        let old = lines.next()?.strip_prefix("old ")?.parse().ok()?;
        let proof = lines.map(Hash::parse_hash).collect::<Result<_, _>>().ok()?;
        let note = Note::from_bytes(note.as_bytes()).ok()?;
        note.verify(&VerifierList::new(vec![Box::new(self.log.clone())])).ok()?;
        let text = note.text().to_vec();
        let checkpoint = Checkpoint::from_bytes(&text).ok()?;
        Some((old, proof, text, checkpoint))
    }
}

async fn add_checkpoint(State(witness): State<Arc<Inner>>, request: String) -> Response {
    witness.seen().asked += 1;
    let _open = witness.gate.lock().await;
    witness.answer(&request)
}
