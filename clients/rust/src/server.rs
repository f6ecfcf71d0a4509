//! The resource server: it follows the issuer's news for as long as anybody holds it, and checks tokens by them.

use std::{fmt, sync::Arc, time::Duration};

use tokio::task::AbortHandle;

use crate::{
    check::check,
    claims::Claims,
    feed,
    introspection::Introspector,
    keys::Keys,
    knowledge::{Knowledge, Standing},
    layer::BearerLayer,
    presented::Presented,
    refusal::Refusal,
    scheme::Scheme,
    sender::Sender,
    settings::{Settings, SettingsError},
    used_proofs::UsedProofs,
};

/// The longest that the issuer may take to let us in, and to answer.
const CONNECT: Duration = Duration::from_secs(2);
const ANSWER: Duration = Duration::from_secs(4);

/// Checks access tokens. Cheap to clone.
#[derive(Clone)]
pub struct ResourceServer(Arc<Inner>);

/// The task that follows the news, ended with the last who holds this.
struct Inner {
    shared: Arc<Shared>,
    follower: AbortHandle,
}

/// What the requests and the feed share.
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    /// For what goes on as long as something comes.
    pub(crate) listening: reqwest::Client,
    pub(crate) keys: Keys,
    pub(crate) introspector: Introspector,
    pub(crate) knowledge: Knowledge,
    pub(crate) used_proofs: UsedProofs,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.follower.abort();
    }
}

impl fmt::Debug for ResourceServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResourceServer").field("settings", &self.0.shared.settings).finish_non_exhaustive()
    }
}

impl ResourceServer {
    /// Begins to follow the issuer's news; until it knows all of them it asks about each token. Needs a tokio runtime.
    ///
    /// # Errors
    /// For settings that cannot be worked with. That the issuer does not answer is none: it may later.
    pub fn start(settings: Settings) -> Result<Self, SettingsError> {
        settings.check()?;
        // Whoever redirects is not the issuer: neither tokens nor the secret go there.
        let client = || reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).connect_timeout(CONNECT);
        let asking = client().timeout(ANSWER).build()?;
        let listening = client().read_timeout(settings.cut_off_after).build()?;
        let keys = Keys::new(asking.clone(), settings.at_issuer("/.well-known/jwks.json"));
        let introspector = Introspector::new(asking, &settings);
        let knowledge = Knowledge::new(&settings);
        let shared = Arc::new(Shared { settings, listening, keys, introspector, knowledge, used_proofs: UsedProofs::default() });
        let following = shared.clone();
        let following = async move { tokio::join!(feed::follow(&following), following.keys.keep_fresh()) };
        let follower = tokio::spawn(following).abort_handle();
        Ok(Self(Arc::new(Inner { shared, follower })))
    }

    /// The layer that lets in who has a good token.
    #[must_use]
    pub fn layer(&self) -> BearerLayer {
        BearerLayer::new(self.clone())
    }

    /// Checks an access token that was presented as a bearer token. One that is bound is for the layer, which sees the request.
    ///
    /// # Errors
    /// Why it is not let in.
    pub async fn check(&self, token: &str) -> Result<Claims, Refusal> {
        let presented = Presented { scheme: Scheme::Bearer, token: token.to_owned() };
        self.check_from(&presented, &Sender::default()).await
    }

    /// Checks an access token that this sender presented.
    pub(crate) async fn check_from(&self, presented: &Presented, sender: &Sender) -> Result<Claims, Refusal> {
        check(&self.0.shared, presented, sender).await
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.0.shared.settings
    }

    /// How far it knows what is dead, for health checks and metrics.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.0.shared.knowledge.standing()
    }
}
