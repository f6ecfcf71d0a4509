//! The checks of an authorization request, in their order (RFC 6749 section 4.1.1, RFC 7636 section 4.3, RFC 8707 section 2, OpenID
//! Connect Core section 3.1.2.1).

mod asked_in_object;
mod checks;
mod reply;

use domain::{
    ClientId, Confirmation, Scope,
    catalogue::Catalogue,
    client::{Registration, SigningAlgorithm},
    key_set::KeySet,
    pkce::CodeChallenge,
    session::ContextClass,
};
use serde::{Deserialize, Serialize};

use super::{ErrorCode, OAuthError, Parameters, claims::ClaimsRequest};

/// An authorization request that passed all checks. It travels sealed in the browser until it is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationRequest {
    pub client_id: ClientId,
    /// The client's `client_id` on the wire.
    pub client_identifier: String,
    /// The client's metadata version that the request was checked against.
    pub client_version: u32,
    pub reply: Reply,
    /// As sent: `None` when it was left out (RFC 6749 section 4.1.3).
    pub redirect_uri: Option<String>,
    pub scope: Scope,
    pub resources: Vec<String>,
    pub code_challenge: Option<CodeChallenge>,
    pub nonce: Option<String>,
    /// The thumbprint of the key that the code is for (RFC 9449 section 10).
    #[serde(default)]
    pub dpop_jkt: Option<String>,
    pub prompt: Prompt,
    /// django-oauth-toolkit's `approval_prompt=force`: a remembered consent does not serve.
    pub approval_forced: bool,
    /// In seconds.
    pub max_age: Option<u32>,
    pub login_hint: Option<String>,
    pub ui_locales: Option<String>,
    /// What it asks to know beside the scopes, as far as that may be told to the client.
    #[serde(default)]
    pub claims: ClaimsRequest,
    /// The users, as the client knows them, that an answer may be for: those of `id_token_hint` and of `claims`; none where any may.
    #[serde(default)]
    pub subjects: Vec<String>,
    #[serde(default)]
    pub contexts: Contexts,
}

impl AuthorizationRequest {
    /// The same, its code for whoever proved to hold a key when it was pushed (RFC 9449 section 10.1).
    ///
    /// # Errors
    /// `invalid_dpop_proof` where the request names another key.
    pub fn for_holder_of(self, proved: &Confirmation) -> Result<Self, OAuthError> {
        let Confirmation::KeyThumbprint(jkt) = proved else { return Ok(self) };
        match &self.dpop_jkt {
            Some(named) if named != jkt => {
                let description = "dpop_jkt names another key than the DPoP proof holds";
                Err(OAuthError::new(ErrorCode::InvalidDpopProof, "dpop_jkt_differs", description))
            }
            Some(_) | None => Ok(Self { dpop_jkt: Some(jkt.clone()), ..self }),
        }
    }
}

/// In which contexts the client wants the user to sign in (OpenID Connect Core sections 3.1.2.1 and 5.5.1.1, RFC 9470).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contexts {
    /// Those that there are here of the ones it names; none where any will do.
    pub wanted: Vec<ContextClass>,
    /// Whether there is to be no answer in another.
    pub required: bool,
}

/// The issuer that is asked.
pub struct Issuer<'a> {
    /// Its `iss`.
    pub identifier: &'a str,
    pub catalogue: &'a Catalogue,
    pub default_resource: &'a str,
    /// All its keys: they are needed where the request carries what one of them signed.
    pub keys: Option<&'a KeySet>,
}

/// Where the answer goes, and what goes back with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// A registered URI of the client.
    pub redirect_uri: String,
    pub mode: ResponseMode,
    /// Whether it goes as a JWT (JARM).
    #[serde(default)]
    pub signed: Option<SignedReply>,
    pub state: Option<String>,
}

/// An answer that is signed (JARM section 2.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedReply {
    /// The client's `client_id`.
    pub audience: String,
    pub algorithm: SigningAlgorithm,
}

/// OAuth 2.0 Multiple Response Type Encoding Practices section 2.1, OAuth 2.0 Form Post Response Mode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseMode {
    #[default]
    Query,
    Fragment,
    FormPost,
}

impl ResponseMode {
    /// As they stand on the wire.
    pub const NAMES: [(&'static str, Self); 3] =
        [("query", Self::Query), ("fragment", Self::Fragment), ("form_post", Self::FormPost)];
    /// The same with a signed answer, and the usual one of them (JARM section 2.3).
    pub const SIGNED: [&'static str; 4] = ["query.jwt", "fragment.jwt", "form_post.jwt", "jwt"];

    /// As it stands on the wire, unsigned.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Fragment => "fragment",
            Self::FormPost => "form_post",
        }
    }
}

/// What the client wants the user to be asked for (OpenID Connect Core section 3.1.2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    pub none: bool,
    pub login: bool,
    pub consent: bool,
    pub select_account: bool,
}

/// An authorization request that is refused, and how that is told (RFC 6749 section 4.1.2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Client or redirect URI are at fault: the user is told, and nobody is sent anywhere.
    Page(OAuthError),
    /// The client is told, by redirect.
    Redirect(OAuthError, Box<Reply>),
}

/// How a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// By the browser of whom it asks.
    Browser,
    /// By the client itself, before the browser (RFC 9126).
    Pushed,
}

/// What the checks look at.
struct Given<'a> {
    parameters: &'a Parameters,
    client: &'a Registration,
    issuer: &'a Issuer<'a>,
    way: Way,
    object: &'a Object,
}

/// Whether a request came as an object that its client signed (RFC 9101).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Object {
    /// It came in plain parameters.
    None,
    /// It did, and the parameters are what that says.
    Signed,
    /// What came is none.
    Refused(OAuthError),
}

type Check = fn(&Given<'_>, &mut AuthorizationRequest) -> Result<(), OAuthError>;

/// The checks whose refusal goes to the client: the first that refuses is told.
const CHECKS: [Check; 16] = [
    checks::state,
    checks::response_mode,
    checks::pushed,
    checks::request_object,
    checks::response_type,
    checks::grant_type,
    checks::prompt,
    checks::max_age,
    checks::scope,
    checks::resource,
    checks::pkce,
    checks::dpop_jkt,
    checks::nonce_and_hints,
    checks::contexts,
    checks::claims,
    checks::id_token_hint,
];

/// Checks a request of `client`: the enabled client that `client_id` names, if there is one.
///
/// # Errors
/// What is at fault, and whether user or client is told.
pub fn check(
    parameters: &Parameters,
    client: Option<(ClientId, &Registration)>,
    issuer: &Issuer<'_>,
    (way, object): (Way, &Object),
) -> Result<AuthorizationRequest, Fault> {
    let (client_id, client) = checks::client(parameters, client).map_err(Fault::Page)?;
    let redirect_uri = checks::redirect_uri(parameters, client).map_err(|error| match object {
        // It was to stand there.
        Object::Refused(refused) => Fault::Page(refused.clone()),
        Object::None | Object::Signed => Fault::Page(error),
    })?;
    let mut request = AuthorizationRequest {
        client_id,
        client_identifier: client.identifier.clone(),
        client_version: client.metadata_version,
        reply: Reply { redirect_uri, mode: ResponseMode::default(), signed: None, state: None },
        redirect_uri: parameters.get("redirect_uri").map(str::to_owned),
        scope: Scope::default(),
        resources: Vec::new(),
        code_challenge: None,
        nonce: None,
        dpop_jkt: None,
        prompt: Prompt::default(),
        approval_forced: false,
        max_age: None,
        login_hint: None,
        ui_locales: None,
        claims: ClaimsRequest::default(),
        subjects: Vec::new(),
        contexts: Contexts::default(),
    };
    let given = Given { parameters, client, issuer, way, object };
    for check in CHECKS {
        if let Err(error) = check(&given, &mut request) {
            return Err(Fault::Redirect(error, Box::new(request.reply)));
        }
    }
    Ok(request)
}
