//! A client's back-channel logout endpoint (OpenID Connect Back-Channel Logout 1.0 section 2.8): it keeps what it is told, and answers as a
//! test wants it to.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use tokio::{net::TcpListener, sync::watch};

/// The longest that a test waits to hear something.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running endpoint.
pub struct LogoutReceiver {
    pub url: String,
    inner: Arc<Inner>,
}

struct Inner {
    answers: Mutex<VecDeque<u16>>,
    /// The logout tokens, in the order in which they came.
    told: watch::Sender<Vec<String>>,
    /// Held by a test, no answer goes out.
    gate: tokio::sync::Mutex<()>,
}

impl LogoutReceiver {
    /// Starts one that acknowledges all that it is told.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("the listener has an address");
        let inner =
            Arc::new(Inner { answers: Mutex::default(), told: watch::Sender::default(), gate: tokio::sync::Mutex::default() });
        let router = Router::new().route("/logout", post(receive)).with_state(inner.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url: format!("http://{address}/logout"), inner }
    }

    /// Answers the next requests with these statuses, and acknowledges what comes after them.
    pub fn answer(&self, statuses: &[u16]) {
        *self.inner.answers() = statuses.iter().copied().collect();
    }

    /// Lets no answer go out as long as this is held.
    pub async fn hold(&self) -> impl Drop + '_ {
        self.inner.gate.lock().await
    }

    /// The logout tokens so far.
    #[must_use]
    pub fn told(&self) -> Vec<String> {
        self.inner.told.borrow().clone()
    }

    /// Waits until it was told so often, and gives the logout tokens.
    ///
    /// # Panics
    /// Where it is not.
    pub async fn wait_for(&self, count: usize) -> Vec<String> {
        let mut told = self.inner.told.subscribe();
        let heard = tokio::time::timeout(PATIENCE, told.wait_for(|told| told.len() >= count)).await;
        heard.unwrap_or_else(|_| panic!("told {} times, not {count}", self.told().len())).expect("the receiver is there").clone()
    }
}

impl Inner {
    fn answers(&self) -> MutexGuard<'_, VecDeque<u16>> {
        self.answers.lock().expect("nobody panics with it")
    }
}

async fn receive(State(inner): State<Arc<Inner>>, headers: HeaderMap, form: String) -> StatusCode {
    assert_eq!(headers["content-type"], "application/x-www-form-urlencoded");
    // A JWT is written in characters that a form leaves as they are.
    let token = form.strip_prefix("logout_token=").expect("it is told by a logout token").to_owned();
    inner.told.send_modify(|tokens| tokens.push(token));
    drop(inner.gate.lock().await);
    let status = inner.answers().pop_front().unwrap_or(200);
    StatusCode::from_u16(status).expect("it is a status")
}
