//! The single checks of an authorization request. `super` has their order.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{
    ClientId, Scope,
    client::{ApplicationType, GrantType, Registration},
    redirect_uri,
    session::ContextClass,
};

use crate::protocol::{
    ErrorCode, OAuthError, Parameters, claims::ClaimsRequest, id_token_hint::IdTokenHint, interaction::unmet_context, wanted,
};

use super::{
    AuthorizationRequest, Contexts, Given, Object, Prompt, ResponseMode, SignedReply, Way, asked_in_object::AskedInObject,
};

/// The longest `state` that is sent back, and the longest `nonce` that is kept, in bytes.
const MAX_STATE: usize = 4096;
const MAX_NONCE: usize = 1024;
/// In bytes.
const SHA256_LENGTH: usize = 32;
/// The longest hint that is shown or used, in bytes: a longer one is left out.
const MAX_HINT: usize = 255;

/// RFC 6749 section 2.2.
pub(super) fn client<'a>(
    parameters: &Parameters,
    client: Option<(ClientId, &'a Registration)>,
) -> Result<(ClientId, &'a Registration), OAuthError> {
    let identifier = parameters.required("client_id")?;
    client.ok_or_else(|| {
        OAuthError::invalid_request("unknown_client", "client_id names no application that may act here")
            .saw("client_id", identifier)
    })
}

/// RFC 6749 section 3.1.2.3, RFC 9700 section 2.1: byte for byte; it may be left out where one alone is registered.
pub(super) fn redirect_uri(parameters: &Parameters, client: &Registration) -> Result<String, OAuthError> {
    let registered = &client.metadata.redirect_uris;
    let fault =
        |rule, description: String| Err(OAuthError::invalid_request(rule, description).saw("client_id", &client.identifier));
    match (parameters.get("redirect_uri"), registered.as_slice()) {
        (Some(sent), _) => {
            let native = client.metadata.application_type == ApplicationType::Native;
            match redirect_uri::matches(registered, sent, native) {
                Ok(()) => Ok(sent.to_owned()),
                Err(mismatch) => fault("redirect_uri_mismatch", format!("redirect_uri is not a registered one: {mismatch}"))
                    .map_err(|error| error.saw("redirect_uri", sent).saw("registered", registered.join(" "))),
            }
        }
        (None, [_]) if client.metadata.policy.requires_redirect_uri() => {
            fault("redirect_uri_missing", "redirect_uri is missing".to_owned())
        }
        (None, [only]) => Ok(only.clone()),
        (None, []) => fault("no_redirect_uri", "the application has registered no redirect_uri".to_owned()),
        (None, [_, _, ..]) => {
            fault("redirect_uri_missing", "redirect_uri is missing, and the application has registered several".to_owned())
        }
    }
}

/// First, so that every refusal after it sends the state back.
pub(super) fn state(given: &Given<'_>, request: &mut AuthorizationRequest) -> Result<(), OAuthError> {
    take_state(given.parameters.get("state"), request)
}

fn take_state(state: Option<&str>, request: &mut AuthorizationRequest) -> Result<(), OAuthError> {
    if state.is_some_and(|state| state.len() > MAX_STATE) {
        return Err(OAuthError::invalid_request("state_too_long", format!("state is longer than {MAX_STATE} bytes")));
    }
    request.reply.state = state.map(str::to_owned);
    Ok(())
}

pub(super) fn response_mode(given: &Given<'_>, request: &mut AuthorizationRequest) -> Result<(), OAuthError> {
    given.parameters.get("response_mode").map_or(Ok(()), |name| take_response_mode(given, name, request))
}

/// A form can be posted to http and https alone.
fn take_response_mode(given: &Given<'_>, name: &str, request: &mut AuthorizationRequest) -> Result<(), OAuthError> {
    let (plain, signed) = match name.strip_suffix("jwt") {
        Some("") => (ResponseMode::default().name(), true),
        Some(dotted) => (dotted.strip_suffix('.').unwrap_or(name), true),
        None => (name, false),
    };
    let mode = ResponseMode::NAMES.into_iter().find(|(own, _)| *own == plain).map(|(_, mode)| mode);
    match mode {
        Some(ResponseMode::FormPost) if !request.reply.redirect_uri.starts_with("http") => {
            let description = "response_mode=form_post needs a redirect_uri of http or https";
            Err(OAuthError::invalid_request("form_post_to_an_app", description))
        }
        Some(mode) => {
            request.reply.mode = mode;
            request.reply.signed = signed.then(|| SignedReply {
                audience: given.client.identifier.clone(),
                algorithm: given.client.metadata.authorization_response_algorithm(),
            });
            Ok(())
        }
        None => {
            let description = "response_mode must be query, fragment, form_post, or one of these with .jwt, or jwt";
            Err(OAuthError::invalid_request("unknown_response_mode", description).saw("response_mode", name))
        }
    }
}

/// RFC 9126: a client that is to push its requests pushes all of them, and pushes no reference to another (section 2.1).
pub(super) fn pushed(given: &Given<'_>, _request: &mut AuthorizationRequest) -> Result<(), OAuthError> {
    let refused = |rule, description| Err(OAuthError::invalid_request(rule, description));
    match given.way {
        Way::Browser if given.client.metadata.pushes_requests() => {
            refused("pushed_request_required", "the application must push its request first, and send request_uri alone")
        }
        Way::Pushed if given.parameters.get("request_uri").is_some() => {
            refused("request_uri_pushed", "request_uri must not stand in a pushed request")
        }
        Way::Browser | Way::Pushed => Ok(()),
    }
}

/// RFC 9101 sections 6 and 10.5. How a refusal is told may stand in the object alone: that is looked at, since whoever made the URL could have
/// written it there as well.
pub(super) fn request_object(given: &Given<'_>, request: &mut AuthorizationRequest) -> Result<(), OAuthError> {
    match given.object {
        Object::Signed => Ok(()),
        Object::None if given.client.metadata.signs_requests() => Err(OAuthError::invalid_request(
            "signed_request_required",
            "the application must sign its request: request is missing",
        )),
        Object::None => Ok(()),
        Object::Refused(refused) => {
            let asked = given.parameters.get("request").map(AskedInObject::read).unwrap_or_default();
            if let Some(name) = asked.response_mode.filter(|_| given.parameters.get("response_mode").is_none()) {
                take_response_mode(given, &name, request)?;
            }
            if let Some(state) = asked.state.filter(|_| request.reply.state.is_none()) {
                take_state(Some(&state), request)?;
            }
            Err(refused.clone())
        }
    }
}

/// RFC 9700 section 2.1.2: `code` alone.
pub(super) fn response_type(given: &Given<'_>, _request: &mut AuthorizationRequest) -> Result<(), OAuthError> {
    match given.parameters.required("response_type")? {
        "code" => Ok(()),
        other => Err(OAuthError::new(ErrorCode::UnsupportedResponseType, "response_type", "response_type must be code")
            .saw("response_type", other)),
    }
}

pub(super) fn grant_type(given: &Given<'_>, _request: &mut AuthorizationRequest) -> Result<(), OAuthError> {
    if given.client.may_use(GrantType::AuthorizationCode) {
        return Ok(());
    }
    let description = "the application is not registered for authorization_code";
    Err(OAuthError::new(ErrorCode::UnauthorizedClient, "grant_type_not_registered", description))
}

/// OpenID Connect Core section 3.1.2.1 (also of requests without openid), and django-oauth-toolkit's `approval_prompt`.
pub(super) fn prompt(given: &Given<'_>, request: &mut AuthorizationRequest) -> Result<(), OAuthError> {
    let mut prompt = Prompt::default();
    for word in given.parameters.get("prompt").unwrap_or_default().split(' ').filter(|word| !word.is_empty()) {
        match word {
            "none" => prompt.none = true,
            "login" => prompt.login = true,
            "consent" => prompt.consent = true,
            "select_account" => prompt.select_account = true,
            other => {
                let description = "prompt must be of none, login, consent, select_account";
                return Err(OAuthError::invalid_request("unknown_prompt", description).saw("prompt", other));
            }
        }
    }
    if prompt.none && (prompt.login || prompt.consent || prompt.select_account) {
        return Err(OAuthError::invalid_request("prompt_none_with_others", "prompt=none stands alone"));
    }
    request.prompt = prompt;
    request.approval_forced = match given.parameters.get("approval_prompt") {
        None | Some("auto") => false,
        Some("force") => true,
        Some(other) => {
            let description = "approval_prompt must be auto or force";
            return Err(OAuthError::invalid_request("unknown_approval_prompt", description).saw("approval_prompt", other));
        }
    };
    Ok(())
}

/// OpenID Connect Core section 3.1.2.1; left out, what the client registered.
pub(super) fn max_age(given: &Given<'_>, request: &mut AuthorizationRequest) -> Result<(), OAuthError> {
    let Some(text) = given.parameters.get("max_age") else {
        request.max_age = given.client.metadata.default_max_age();
        return Ok(());
    };
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = if digits { text.parse().ok() } else { None };
    let refusal = || OAuthError::invalid_request("max_age", "max_age must be a number of seconds").saw("max_age", text);
    request.max_age = Some(seconds.ok_or_else(refusal)?);
    Ok(())
}

/// RFC 6749 section 3.3.
pub(super) fn scope(given: &Given<'_>, request: &mut AuthorizationRequest) -> Result<(), OAuthError> {
    request.scope = wanted::scope(given.parameters, given.client, given.issuer.catalogue)?;
    Ok(())
}

/// RFC 8707 section 2.
pub(super) fn resource(given: &Given<'_>, request: &mut AuthorizationRequest) -> Result<(), OAuthError> {
    let known = (given.issuer.catalogue, given.issuer.default_resource);
    request.resources = wanted::resources(given.parameters, given.client, &request.scope, known)?;
    Ok(())
}

/// RFC 7636 section 4.3; S256 alone, so that a method left out (`plain`) is refused too.
pub(super) fn pkce(given: &Given<'_>, request: &mut AuthorizationRequest) -> Result<(), OAuthError> {
    let (challenge, method) = (given.parameters.get("code_challenge"), given.parameters.get("code_challenge_method"));
    match (challenge, method) {
        (None, None) if given.client.requires_pkce() => {
            Err(OAuthError::invalid_request("pkce_required", "code_challenge is missing: PKCE with S256 is required"))
        }
        (None, None) => Ok(()),
        (None, Some(_)) => {
            Err(OAuthError::invalid_request("challenge_missing", "code_challenge_method stands without code_challenge"))
        }
        (Some(challenge), Some("S256")) => {
            let parsed =
                challenge.parse().map_err(|error| OAuthError::invalid_request("malformed_challenge", format!("{error}")))?;
            request.code_challenge = Some(parsed);
            Ok(())
        }
        (Some(_), _) => Err(OAuthError::invalid_request("challenge_method", "code_challenge_method must be S256")
            .saw("code_challenge_method", method.unwrap_or("left out"))),
    }
}

/// RFC 9449 section 10: the base64url of a SHA-256 digest.
pub(super) fn dpop_jkt(given: &Given<'_>, request: &mut AuthorizationRequest) -> Result<(), OAuthError> {
    let jkt = given.parameters.get("dpop_jkt");
    if jkt.is_some_and(|jkt| URL_SAFE_NO_PAD.decode(jkt).map_or(0, |digest| digest.len()) != SHA256_LENGTH) {
        return Err(OAuthError::invalid_request("malformed_dpop_jkt", "dpop_jkt must be the SHA-256 thumbprint of a key"));
    }
    request.dpop_jkt = jkt.map(str::to_owned);
    Ok(())
}

pub(super) fn nonce_and_hints(given: &Given<'_>, request: &mut AuthorizationRequest) -> Result<(), OAuthError> {
    let nonce = given.parameters.get("nonce");
    if nonce.is_some_and(|nonce| nonce.len() > MAX_NONCE) {
        return Err(OAuthError::invalid_request("nonce_too_long", format!("nonce is longer than {MAX_NONCE} bytes")));
    }
    let hint = |name| given.parameters.get(name).filter(|hint| hint.len() <= MAX_HINT).map(str::to_owned);
    request.nonce = nonce.map(str::to_owned);
    request.login_hint = hint("login_hint");
    request.ui_locales = hint("ui_locales");
    Ok(())
}

/// OpenID Connect Core section 3.1.2.1; left out, what the client registered. A context that no sign-in here has is not minded.
pub(super) fn contexts(given: &Given<'_>, request: &mut AuthorizationRequest) -> Result<(), OAuthError> {
    request.contexts.wanted = match given.parameters.get("acr_values") {
        Some(values) => values.split_ascii_whitespace().filter_map(ContextClass::named).collect(),
        None => given.client.metadata.default_acr_values().filter_map(ContextClass::named).collect(),
    };
    Ok(())
}

/// OpenID Connect Core section 5.5. Without `openid` there is nobody to tell anything of.
pub(super) fn claims(given: &Given<'_>, request: &mut AuthorizationRequest) -> Result<(), OAuthError> {
    if !request.scope.contains(Scope::OPENID) {
        return Ok(());
    }
    let asked = given.parameters.get("claims").map(ClaimsRequest::parse).transpose()?.unwrap_or_default();
    if let Some(contexts) = asked.contexts() {
        request.contexts = Contexts {
            wanted: contexts.iter().filter_map(|context| ContextClass::named(context)).collect(),
            required: asked.requires_context(),
        };
        if request.contexts.required && request.contexts.wanted.is_empty() {
            return Err(unmet_context().saw("acr", contexts.join(" ")));
        }
    }
    let locales = given.parameters.get("claims_locales").filter(|locales| locales.len() <= MAX_HINT).unwrap_or_default();
    request.subjects = asked.subjects();
    request.claims = ClaimsRequest {
        locales: locales.split_ascii_whitespace().map(str::to_owned).collect(),
        ..asked.allowed(given.client, given.issuer.catalogue)
    };
    Ok(())
}

/// OpenID Connect Core section 3.1.2.1: whom the client expects. A hint that is none is refused, so that nobody else is taken for them.
pub(super) fn id_token_hint(given: &Given<'_>, request: &mut AuthorizationRequest) -> Result<(), OAuthError> {
    let (Some(text), Some(keys)) = (given.parameters.get("id_token_hint"), given.issuer.keys) else { return Ok(()) };
    let refused = |why: &str| Err(OAuthError::invalid_request("id_token_hint", format!("id_token_hint: {why}")));
    let hint = match IdTokenHint::read(keys, given.issuer.identifier, text) {
        Ok(hint) if hint.aud == given.client.identifier => hint,
        Ok(_) => return refused("it was made for another application"),
        Err(invalid) => return refused(&invalid.to_string()),
    };
    if !request.subjects.is_empty() && !request.subjects.contains(&hint.sub) {
        return refused("claims asks for another user");
    }
    request.subjects = vec![hint.sub];
    Ok(())
}
