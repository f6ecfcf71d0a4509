//! The flags of `client register`: RFC 7591's metadata names and OpenID's, and ours. One table; what they give is the metadata's JSON.

use clap::{
    Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, builder::PossibleValuesParser, error::ErrorKind, value_parser,
};
use serde_json::{Map, Value};

use super::uri_list::split_uris;
use crate::protocol::{device, exchange};

/// What a flag takes.
#[derive(Clone, Copy)]
enum Takes {
    Text(&'static str),
    /// One of these words.
    Word(&'static [&'static str]),
    /// Some of these words: repeated, or separated by commas.
    Words(&'static [&'static str]),
    /// Texts: repeated, or separated by commas.
    Texts(&'static str),
    /// URIs: repeated, or separated by commas.
    Uris,
    /// Names in one text, separated by spaces (or commas).
    Scope,
    /// Nothing, or `=false`.
    Switch,
    Seconds,
    /// JSON, or a file with it.
    Json,
}

struct Flag {
    member: &'static str,
    takes: Takes,
    help: &'static str,
}

const fn flag(member: &'static str, takes: Takes, help: &'static str) -> Flag {
    Flag { member, takes, help }
}

const GRANT_TYPES: &[&str] =
    &["authorization_code", "refresh_token", "client_credentials", device::GRANT_TYPE, exchange::GRANT_TYPE];
const AUTH_METHODS: &[&str] =
    &["client_secret_basic", "client_secret_post", "private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth", "none"];
const ALGORITHMS: &[&str] = &["ES256", "EdDSA", "RS256", "PS256"];

const FLAGS: &[(&str, &[Flag])] = &[
    (
        "What it is and may do",
        &[
            flag("client_name", Takes::Text("NAME"), "What people see when they are asked"),
            flag("redirect_uris", Takes::Uris, "Where people may be sent back to with a code; compared exactly"),
            flag("grant_types", Takes::Words(GRANT_TYPES), "How it may get tokens [default: authorization_code]"),
            flag("response_types", Takes::Words(&["code"]), "What the authorization endpoint may answer [default: code]"),
            flag("scope", Takes::Scope, "The scopes it may ask for, in quotes [default: all that people can grant]"),
            flag(
                "token_endpoint_auth_method",
                Takes::Word(AUTH_METHODS),
                "How it proves who it is; none makes it public, for apps that cannot keep a secret [default: client_secret_basic]",
            ),
            flag("application_type", Takes::Word(&["web", "native"]), "native: a loopback redirect URI may differ in its port"),
        ],
    ),
    (
        "Its rules and tokens",
        &[
            flag(
                "policy",
                Takes::Word(&["default", "compatible", "fapi2"]),
                "Which rules it lives under; compatible: what django-oauth-toolkit's clients expect; fapi2: the FAPI 2.0 Security Profile [default: default]",
            ),
            flag("access_token_format", Takes::Word(&["jwt", "opaque"]), "What its access tokens look like [default: jwt]"),
            flag("access_token_signed_response_alg", Takes::Word(ALGORITHMS), "What signs its JWTs [default: ES256]"),
            flag("access_token_lifetime", Takes::Seconds, "How long its access tokens live, if not as the settings say"),
            flag("refresh_token_idle_lifetime", Takes::Seconds, "How long a refresh token lives unused"),
            flag("refresh_token_lifetime", Takes::Seconds, "How long its refresh tokens live in all"),
            flag("resources", Takes::Uris, "What it may ask tokens for, or answers for as a resource server"),
            flag("skip_consent", Takes::Switch, "First-party: its users are not asked"),
        ],
    ),
    (
        "What people can read about it",
        &[
            flag("client_uri", Takes::Text("URI"), "Its home page"),
            flag("logo_uri", Takes::Text("URI"), "Its logo"),
            flag("policy_uri", Takes::Text("URI"), "How it treats personal data"),
            flag("tos_uri", Takes::Text("URI"), "Its terms of service"),
            flag("contacts", Takes::Texts("MAIL"), "Who answers for it"),
            flag("software_id", Takes::Text("ID"), "What software it is"),
            flag("software_version", Takes::Text("VERSION"), "Which version of it"),
        ],
    ),
    (
        "Keys and signed messages",
        &[
            flag("jwks_uri", Takes::Text("URI"), "Where its public keys are"),
            flag("jwks", Takes::Json, "Its public keys themselves, or @FILE"),
            flag("id_token_signed_response_alg", Takes::Word(ALGORITHMS), "What signs its ID tokens [default: RS256]"),
            flag(
                "userinfo_signed_response_alg",
                Takes::Word(ALGORITHMS),
                "What signs its userinfo answers [default: they are JSON]",
            ),
            flag("token_endpoint_auth_signing_alg", Takes::Word(ALGORITHMS), "What it signs its assertions with [default: any]"),
            flag("request_object_signing_alg", Takes::Word(ALGORITHMS), "What it signs its requests with [default: any]"),
            flag("request_uris", Takes::Uris, "Where its signed requests may be fetched"),
            flag("require_signed_request_object", Takes::Switch, "It signs all its requests"),
            flag("require_pushed_authorization_requests", Takes::Switch, "It pushes all its requests before the browser comes"),
            flag(
                "authorization_signed_response_alg",
                Takes::Word(ALGORITHMS),
                "What signs the answers to its requests [default: RS256]",
            ),
            flag(
                "introspection_signed_response_alg",
                Takes::Word(ALGORITHMS),
                "What signs introspection answers that it asks to be signed [default: RS256]",
            ),
            flag("dpop_bound_access_tokens", Takes::Switch, "It gets only tokens that are bound to a key of its own"),
            flag("authorization_details_types", Takes::Texts("TYPE"), "The types of authorization details it may ask for"),
        ],
    ),
    (
        "Encrypted requests, and client certificates",
        &[
            flag("request_object_encryption_alg", Takes::Text("ALG"), "What it encrypts the key of request objects with"),
            flag("request_object_encryption_enc", Takes::Text("ENC"), "What it encrypts request objects with"),
            flag("tls_client_auth_subject_dn", Takes::Text("DN"), "Whom its certificate names, as RFC 4514 writes it"),
            flag("tls_client_auth_san_dns", Takes::Text("NAME"), "Or the host that its certificate names"),
            flag("tls_client_auth_san_uri", Takes::Text("URI"), "Or the URI"),
            flag("tls_client_auth_san_ip", Takes::Text("IP"), "Or the address"),
            flag("tls_client_auth_san_email", Takes::Text("MAIL"), "Or the mail address"),
            flag(
                "tls_client_certificate_bound_access_tokens",
                Takes::Switch,
                "It gets only tokens that are bound to the certificate of its connection",
            ),
        ],
    ),
    (
        "Signing in and out",
        &[
            flag("post_logout_redirect_uris", Takes::Uris, "Where people may be sent back to after signing out"),
            flag("backchannel_logout_uri", Takes::Text("URI"), "What is called when people sign out"),
            flag("backchannel_logout_session_required", Takes::Switch, "That call names the session"),
            flag("frontchannel_logout_uri", Takes::Text("URI"), "What their browser opens when they sign out"),
            flag("frontchannel_logout_session_required", Takes::Switch, "That address names the session"),
            flag("initiate_login_uri", Takes::Text("URI"), "Where a sign-in can be begun from outside"),
            flag("subject_type", Takes::Word(&["public", "pairwise"]), "Whether other clients see the same user id"),
            flag("sector_identifier_uri", Takes::Text("URI"), "Which clients share pairwise user ids"),
            flag("default_max_age", Takes::Seconds, "How old a sign-in may be"),
            flag("require_auth_time", Takes::Switch, "ID tokens say when the person signed in"),
            flag("default_acr_values", Takes::Texts("ACR"), "How it wants people to sign in"),
        ],
    ),
];

/// What was given, as a JSON object of RFC 7591 metadata.
#[derive(Clone, Debug, Default)]
pub(super) struct MetadataFlags(pub(super) Map<String, Value>);

impl Args for MetadataFlags {
    fn augment_args(command: Command) -> Command {
        FLAGS.iter().fold(command, |command, (heading, flags)| {
            let command = command.next_help_heading(*heading);
            flags.iter().fold(command, |command, flag| command.arg(flag.arg())).next_help_heading(None)
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for MetadataFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut given = Map::new();
        for flag in FLAGS.iter().flat_map(|(_, flags)| flags.iter()) {
            given.extend(flag.value(matches)?.map(|value| (flag.member.to_owned(), value)));
        }
        Ok(Self(given))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.0.extend(Self::from_arg_matches(matches)?.0);
        Ok(())
    }
}

impl Flag {
    fn arg(&self) -> Arg {
        let arg = Arg::new(self.member).long(self.member.replace('_', "-")).help(self.help);
        match self.takes {
            Takes::Text(name) => arg.value_name(name),
            Takes::Word(words) => arg.value_name("WORD").value_parser(PossibleValuesParser::new(words)),
            Takes::Words(words) => {
                let words = PossibleValuesParser::new(words);
                arg.value_name("WORD,..").value_parser(words).value_delimiter(',').action(ArgAction::Append)
            }
            Takes::Texts(name) => arg.value_name(name).value_delimiter(',').action(ArgAction::Append),
            Takes::Uris => arg.value_name("URI,..").action(ArgAction::Append),
            Takes::Scope => arg.value_name("\"NAME ..\"").action(ArgAction::Append),
            Takes::Switch => arg
                .value_name("BOOL")
                .value_parser(value_parser!(bool))
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value("true"),
            Takes::Seconds => arg.value_name("SECONDS").value_parser(value_parser!(u32)),
            Takes::Json => arg.value_name("JSON"),
        }
    }

    /// What was given for it; `None` where nothing was.
    fn value(&self, matches: &ArgMatches) -> Result<Option<Value>, clap::Error> {
        let texts = || matches.get_many::<String>(self.member).map(|texts| texts.cloned().collect::<Vec<_>>());
        let value = match self.takes {
            Takes::Text(_) | Takes::Word(_) => matches.get_one::<String>(self.member).cloned().map(Value::from),
            Takes::Words(_) | Takes::Texts(_) => texts().map(Value::from),
            Takes::Uris => texts().map(|texts| texts.iter().flat_map(|text| split_uris(text)).collect::<Vec<_>>().into()),
            Takes::Scope => texts().map(|texts| texts.join(" ").replace(',', " ").into()),
            Takes::Switch => matches.get_one::<bool>(self.member).copied().map(Value::from),
            Takes::Seconds => matches.get_one::<u32>(self.member).copied().map(Value::from),
            Takes::Json => matches.get_one::<String>(self.member).map(|text| self.read_json(text)).transpose()?,
        };
        Ok(value)
    }

    fn read_json(&self, text: &str) -> Result<Value, clap::Error> {
        let read = match text.strip_prefix('@') {
            Some(file) => std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}")),
            None => Ok(text.to_owned()),
        };
        read.and_then(|text| serde_json::from_str(&text).map_err(|error| format!("it is no JSON: {error}")))
            .map_err(|why| clap::Error::raw(ErrorKind::ValueValidation, format!("--{}: {why}\n", self.member.replace('_', "-"))))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn given(arguments: &[&str]) -> Value {
        let command = MetadataFlags::augment_args(Command::new("register").no_binary_name(true));
        let matches = command.try_get_matches_from(arguments).unwrap();
        Value::Object(MetadataFlags::from_arg_matches(&matches).unwrap().0)
    }

    #[test]
    fn nothing_given_is_nothing_said() {
        assert_eq!(given(&[]), json!({}));
    }

    #[test]
    fn lists_come_by_repeating_or_by_comma() {
        let repeated = given(&["--redirect-uris", "https://a.example/cb", "--redirect-uris", "https://b.example/cb"]);
        let joined = given(&["--redirect-uris", "https://a.example/cb,https://b.example/cb"]);
        assert_eq!(repeated, json!({"redirect_uris": ["https://a.example/cb", "https://b.example/cb"]}));
        assert_eq!(joined, repeated);
        let grants = given(&["--grant-types", "refresh_token,authorization_code"]);
        assert_eq!(grants, json!({"grant_types": ["refresh_token", "authorization_code"]}));
    }

    #[test]
    fn a_scope_is_one_text_however_it_is_given() {
        for arguments in
            [vec!["--scope", "read write"], vec!["--scope", "read,write"], vec!["--scope", "read", "--scope", "write"]]
        {
            assert_eq!(given(&arguments), json!({"scope": "read write"}));
        }
    }

    #[test]
    fn switches_numbers_and_json_keep_their_kind() {
        let flags =
            given(&["--skip-consent", "--default-max-age", "60", "--jwks", r#"{"keys": []}"#, "--require-auth-time=false"]);
        let wanted = json!({"skip_consent": true, "default_max_age": 60, "jwks": {"keys": []}, "require_auth_time": false});
        assert_eq!(flags, wanted);
    }
}
