//! The choices of the form as its template shows them, and where in it a problem is told.

use domain::{
    catalogue::Catalogue,
    client::{AccessTokenFormat, AuthenticationMethod, ClientError, Policy, SigningAlgorithm},
};

use super::{
    super::{
        client_view::{ClientKind, format_key, grant_key},
        consent::in_words,
        language::Language,
        shown::shown,
    },
    entered::{BY_ADMINISTRATOR, Entered, GRANTS, Problem, grant_name, scope_field},
};

/// The longest text of a rule that is shown, in characters.
const MAX_DETAIL: usize = 400;

/// A radio button or a checkbox.
pub(super) struct Choice {
    pub(super) kind: &'static str,
    pub(super) name: String,
    pub(super) value: &'static str,
    pub(super) words: String,
    pub(super) hint: &'static str,
    /// A technical name beside the words.
    pub(super) code: Option<String>,
    pub(super) chosen: bool,
}

/// What is wrong, and with which field.
pub(super) struct FieldProblem {
    /// The member of the metadata; empty where it is about none of the fields.
    pub(super) field: String,
    pub(super) words: String,
    /// The rule's own words, in English.
    pub(super) detail: Option<String>,
}

pub(super) fn kinds(entered: &Entered, language: &'static Language) -> Vec<Choice> {
    let hint = |kind| match kind {
        ClientKind::Confidential => language.say("application.kind_confidential_hint"),
        ClientKind::Browser => language.say("application.kind_browser_hint"),
        ClientKind::Native => language.say("application.kind_native_hint"),
    };
    let choice =
        |kind: ClientKind| Choice::radio("kind", kind.value(), (language.say(kind.key()), hint(kind)), entered.kind == kind);
    ClientKind::ALL.into_iter().map(choice).collect()
}

pub(super) fn grants(entered: &Entered, language: &'static Language, by_administrator: bool) -> Vec<Choice> {
    let choice = |grant| {
        let (name, words) = (grant_name(grant), language.say(grant_key(grant)));
        Choice::checkbox(format!("grant.{name}"), (words.to_owned(), name), entered.grant_types.contains(&grant))
    };
    let offered = GRANTS.into_iter().filter(|grant| by_administrator || !BY_ADMINISTRATOR.contains(grant));
    offered.map(choice).collect()
}

/// The catalogue's scopes: those that users can grant, or the privileged ones.
pub(super) fn scopes(entered: &Entered, catalogue: &Catalogue, language: &'static Language, privileged: bool) -> Vec<Choice> {
    let own = catalogue.scopes.iter().filter(|entry| entry.privileged == privileged);
    own.map(|entry| {
        let words = (in_words(&entry.name, catalogue, language), entry.name.as_str());
        Choice::checkbox(scope_field(&entry.name), words, entered.scope.contains(&entry.name))
    })
    .collect()
}

impl Choice {
    fn radio(name: &str, value: &'static str, (words, hint): (&str, &'static str), chosen: bool) -> Self {
        Self { kind: "radio", name: name.to_owned(), value, words: words.to_owned(), hint, code: None, chosen }
    }

    fn checkbox(name: String, (words, code): (String, &str), chosen: bool) -> Self {
        Self { kind: "checkbox", name, value: "on", words, hint: "", code: Some(code.to_owned()), chosen }
    }
}

pub(super) fn formats(entered: &Entered, language: &'static Language) -> Vec<Choice> {
    let value = |format| match format {
        AccessTokenFormat::Jwt => ("jwt", language.say("application.format_jwt_hint")),
        AccessTokenFormat::Opaque => ("opaque", language.say("application.format_opaque_hint")),
    };
    let choice = |format| {
        let (value, hint) = value(format);
        Choice::radio("access_token_format", value, (language.say(format_key(format)), hint), entered.format == format)
    };
    [AccessTokenFormat::Jwt, AccessTokenFormat::Opaque].map(choice).into()
}

pub(super) fn algorithms(entered: &Entered) -> Vec<Choice> {
    let choice = |own: SigningAlgorithm| {
        let name = own.name();
        Choice::radio("access_token_signed_response_alg", name, (name, ""), entered.algorithm == own)
    };
    SigningAlgorithm::ALL.map(choice).into()
}

pub(super) fn methods(entered: &Entered, language: &'static Language) -> Vec<Choice> {
    let choice = |method, words| {
        let chosen = entered.method == method;
        Choice::radio("token_endpoint_auth_method", method.name(), (language.say(words), ""), chosen)
    };
    let mut methods = vec![
        choice(AuthenticationMethod::ClientSecretBasic, "application.method_basic"),
        choice(AuthenticationMethod::ClientSecretPost, "application.method_post"),
    ];
    // The page takes no keys and no names of certificates: it only leaves those alone that are there.
    let by_what_is_there = match entered.method {
        AuthenticationMethod::None | AuthenticationMethod::ClientSecretBasic | AuthenticationMethod::ClientSecretPost => None,
        AuthenticationMethod::PrivateKeyJwt => Some("application.method_key"),
        AuthenticationMethod::TlsClientAuth | AuthenticationMethod::SelfSignedTlsClientAuth => {
            Some("application.method_certificate")
        }
    };
    methods.extend(by_what_is_there.map(|words| choice(entered.method, words)));
    methods
}

pub(super) fn policies(entered: &Entered, language: &'static Language) -> Vec<Choice> {
    let words = |policy| match policy {
        Policy::Default => (language.say("application.policy_default"), language.say("application.policy_default_hint")),
        Policy::Compatible => (language.say("application.policy_compatible"), language.say("application.policy_compatible_hint")),
        Policy::Fapi2 => (language.say("application.policy_fapi2"), language.say("application.policy_fapi2_hint")),
    };
    let choice = |policy: Policy| Choice::radio("policy", policy.name(), words(policy), entered.policy == policy);
    // What needs keys cannot be chosen here, as above.
    Policy::ALL.into_iter().filter(|policy| *policy != Policy::Fapi2 || entered.policy == *policy).map(choice).collect()
}

impl FieldProblem {
    pub(super) fn new(problem: Problem, language: &'static Language) -> Self {
        let told = |field: &str, key| Self { field: field.to_owned(), words: language.say(key).to_owned(), detail: None };
        match problem {
            Problem::NoName => told("client_name", "application.problem_name"),
            Problem::NoGrant => told("grant_types", "application.problem_grant"),
            Problem::NoScope => told("scope", "application.problem_scope"),
            Problem::Changed => told("", "application.problem_changed"),
            Problem::PublicCredentials => told("kind", "application.problem_public_credentials"),
            Problem::Refused(error) => Self::refused(&error, language),
        }
    }

    fn refused(error: &ClientError, language: &'static Language) -> Self {
        let detail = error.to_string();
        let member: String = detail.chars().take_while(|own| own.is_ascii_lowercase() || *own == '_').collect();
        let field = match member.as_str() {
            "token_endpoint_auth_method" => "kind".to_owned(),
            "response_types" => "grant_types".to_owned(),
            _ => member,
        };
        let (field, words) = match label(&field, language) {
            Some(label) => (field, language.fill("application.problem_field", "field", label)),
            None => (String::new(), language.say("application.problem_other").to_owned()),
        };
        Self { field, words, detail: Some(shown(&detail, MAX_DETAIL)) }
    }
}

fn label(field: &str, language: &'static Language) -> Option<&'static str> {
    Some(match field {
        "client_name" => language.say("application.client_name"),
        "kind" => language.say("application.kind"),
        "redirect_uris" => language.say("application.redirect_uris"),
        "grant_types" => language.say("application.grant_types"),
        "scope" => language.say("application.scope"),
        "post_logout_redirect_uris" => language.say("application.post_logout_redirect_uris"),
        "client_uri" => language.say("application.client_uri"),
        "logo_uri" => language.say("application.logo_uri"),
        "policy_uri" => language.say("application.policy_uri"),
        "tos_uri" => language.say("application.tos_uri"),
        "resources" => language.say("application.resources"),
        _ => return None,
    })
}
