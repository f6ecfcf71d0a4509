//! How a client presents itself at an endpoint (RFC 6749 section 2.3): by Basic, in the body, by an assertion, or by its id alone.

use base64::{Engine, engine::general_purpose::STANDARD};
use domain::client::AuthenticationMethod;
use percent_encoding::percent_decode;
use secrecy::{ExposeSecret, SecretString};

use super::{ErrorCode, OAuthError, Parameters, assertion::Claims, client_assertion::JWT_BEARER};

/// Credentials longer than this are nobody's, in bytes.
const MAX_CREDENTIALS: usize = 8192;

/// A client's id, and how it means to prove that it is its own.
#[derive(Clone, Debug)]
pub struct ClientCredentials {
    /// Its `client_id`.
    pub identifier: String,
    pub proof: ClientProof,
}

/// Where a client put its secret.
#[derive(Clone, Debug)]
pub enum ClientProof {
    /// `client_id` alone: a public client.
    None,
    Basic(SecretString),
    Body(SecretString),
    /// A JWT that it signed (RFC 7523 section 2.2).
    Assertion(SecretString),
}

impl ClientProof {
    /// The method that this is.
    #[must_use]
    pub const fn method(&self) -> AuthenticationMethod {
        match self {
            Self::None => AuthenticationMethod::None,
            Self::Basic(_) => AuthenticationMethod::ClientSecretBasic,
            Self::Body(_) => AuthenticationMethod::ClientSecretPost,
            Self::Assertion(_) => AuthenticationMethod::PrivateKeyJwt,
        }
    }
}

/// Reads the credentials of a request; `authorization` is the header's value.
///
/// # Errors
/// `invalid_request` for two methods at once, `invalid_client` for none and for malformed ones.
pub fn read(authorization: Option<&[u8]>, parameters: &Parameters) -> Result<ClientCredentials, OAuthError> {
    let body = (parameters.get("client_id"), parameters.get("client_secret"));
    if let Some(credentials) = in_assertion(parameters)? {
        if authorization.is_some() || body.1.is_some() {
            let description = "the client authenticates by an assertion and by a secret: use one of them";
            let refusal = OAuthError::invalid_request("two_authentication_methods", description);
            return Err(refusal.saw("client_id", &credentials.identifier));
        }
        return Ok(credentials);
    }
    let Some(header) = authorization else {
        return in_body(body);
    };
    let credentials = basic(header)?;
    match body {
        (_, Some(_)) => Err(OAuthError::invalid_request(
            "two_authentication_methods",
            "the client authenticates by the Authorization header and in the body: use one of them",
        )
        .saw("client_id", &credentials.identifier)),
        (Some(client_id), None) if client_id != credentials.identifier => {
            Err(OAuthError::invalid_request("two_client_ids", "client_id differs from the Authorization header's")
                .saw("client_id", client_id)
                .saw("header_client_id", &credentials.identifier))
        }
        (_, None) => Ok(credentials),
    }
}

/// The client need not say who it is beside the assertion (RFC 7521 section 4.2).
fn in_assertion(parameters: &Parameters) -> Result<Option<ClientCredentials>, OAuthError> {
    match (parameters.get("client_assertion_type"), parameters.get("client_assertion")) {
        (None, None) => Ok(None),
        (Some(JWT_BEARER), Some(assertion)) => {
            let own = parameters.get("client_id").map(str::to_owned);
            let identifier = own.or_else(|| Claims::unverified(assertion).map(|claims| claims.sub));
            let malformed = || invalid_client("malformed_assertion", "client_assertion is no JWT of a client");
            let identifier =
                identifier.filter(|own| own.len() <= MAX_CREDENTIALS && !own.contains('\0')).ok_or_else(malformed)?;
            Ok(Some(ClientCredentials { identifier, proof: ClientProof::Assertion(assertion.into()) }))
        }
        (Some(other), Some(_)) => {
            let description = "client_assertion_type must be urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
            Err(invalid_client("client_assertion_type", description).saw("client_assertion_type", other))
        }
        (Some(_), None) | (None, Some(_)) => {
            Err(OAuthError::invalid_request("half_an_assertion", "client_assertion and client_assertion_type stand together"))
        }
    }
}

fn in_body(body: (Option<&str>, Option<&str>)) -> Result<ClientCredentials, OAuthError> {
    let (Some(client_id), secret) = body else {
        return Err(invalid_client("client_missing", "the request does not say which client makes it"));
    };
    let too_long = |text: &str| text.len() > MAX_CREDENTIALS;
    if too_long(client_id) || secret.is_some_and(too_long) {
        return Err(invalid_client("credentials_too_long", "the client's credentials are too long"));
    }
    let proof = secret.map_or(ClientProof::None, |secret| ClientProof::Body(secret.into()));
    Ok(ClientCredentials { identifier: client_id.to_owned(), proof })
}

/// `Basic` (RFC 7617), its two parts form-encoded (RFC 6749 section 2.3.1).
fn basic(header: &[u8]) -> Result<ClientCredentials, OAuthError> {
    let malformed = || invalid_client("malformed_basic", "the Authorization header is not Basic with a client_id and a secret");
    let header = str::from_utf8(header).map_err(|_| malformed())?;
    let (scheme, encoded) = header.split_once(' ').ok_or_else(malformed)?;
    if !scheme.eq_ignore_ascii_case("basic") || encoded.len() > MAX_CREDENTIALS {
        return Err(malformed());
    }
    let decoded = SecretString::from(
        String::from_utf8(STANDARD.decode(encoded.trim()).map_err(|_| malformed())?).map_err(|_| malformed())?,
    );
    let (identifier, secret) = decoded.expose_secret().split_once(':').ok_or_else(malformed)?;
    let (identifier, secret) = (form_decoded(identifier).ok_or_else(malformed)?, form_decoded(secret).ok_or_else(malformed)?);
    if identifier.is_empty() || identifier.contains('\0') {
        return Err(malformed());
    }
    Ok(ClientCredentials { identifier, proof: ClientProof::Basic(secret.into()) })
}

fn form_decoded(text: &str) -> Option<String> {
    percent_decode(text.replace('+', " ").as_bytes()).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

/// The client is not believed.
pub(crate) fn invalid_client(rule: &'static str, description: &str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidClient, rule, description)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(credentials: &str) -> Vec<u8> {
        format!("Basic {}", STANDARD.encode(credentials)).into_bytes()
    }

    fn read_with(header: Option<&[u8]>, body: &str) -> Result<ClientCredentials, OAuthError> {
        read(header, &Parameters::parse(body.as_bytes()).unwrap())
    }

    fn rule(header: Option<&[u8]>, body: &str) -> &'static str {
        read_with(header, body).expect_err("it is refused").rule
    }

    #[test]
    fn basic_is_percent_encoded() {
        let read = read_with(Some(&header("my%20client:a%3Ab%2B+c")), "").unwrap();
        assert_eq!(read.identifier, "my client");
        assert!(matches!(&read.proof, ClientProof::Basic(secret) if secret.expose_secret() == "a:b+ c"));
    }

    #[test]
    fn the_body_holds_a_secret_or_the_id_alone() {
        assert!(matches!(read_with(None, "client_id=a&client_secret=b").unwrap().proof, ClientProof::Body(_)));
        assert!(matches!(read_with(None, "client_id=a").unwrap().proof, ClientProof::None));
        assert!(matches!(read_with(None, "client_id=a&client_secret=").unwrap().proof, ClientProof::None));
        assert_eq!(rule(None, "client_secret=b"), "client_missing");
    }

    #[test]
    fn two_methods_at_once_are_refused() {
        assert_eq!(rule(Some(&header("a:b")), "client_id=a&client_secret=b"), "two_authentication_methods");
        assert_eq!(rule(Some(&header("a:b")), "client_id=c"), "two_client_ids");
        assert!(read_with(Some(&header("a:b")), "client_id=a").is_ok());
    }

    #[test]
    fn an_assertion_stands_with_its_type_and_without_a_secret() {
        let typed = format!("client_assertion_type={}", JWT_BEARER.replace(':', "%3A"));
        // {"alg":"ES256"}.{"iss":"a","sub":"a","aud":"b","exp":1}
        let assertion = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJhIiwic3ViIjoiYSIsImF1ZCI6ImIiLCJleHAiOjF9.c2ln";
        for body in [format!("{typed}&client_assertion={assertion}"), format!("{typed}&client_assertion=x.y.z&client_id=a")] {
            let read = read_with(None, &body).unwrap();
            assert_eq!(read.identifier, "a");
            assert!(matches!(read.proof, ClientProof::Assertion(_)));
        }
        assert_eq!(rule(None, &format!("{typed}&client_assertion=x.y.z")), "malformed_assertion");
        assert_eq!(rule(None, &typed), "half_an_assertion");
        assert_eq!(rule(None, "client_id=a&client_assertion=x.y.z"), "half_an_assertion");
        assert_eq!(rule(None, "client_assertion_type=saml&client_assertion=x.y.z"), "client_assertion_type");
        let whole = format!("{typed}&client_assertion={assertion}");
        assert_eq!(rule(None, &format!("{whole}&client_secret=b")), "two_authentication_methods");
        assert_eq!(rule(Some(&header("a:b")), &whole), "two_authentication_methods");
    }

    #[test]
    fn malformed_and_oversized_basic_is_refused() {
        let long = header(&format!("a:{}", "b".repeat(MAX_CREDENTIALS)));
        for bad in [
            &b"Basic"[..],
            b"Basic !!",
            b"Bearer abc",
            b"Basic \xff",
            &header("no colon"),
            &header(":b"),
            &header("a%ff:b"),
            &long,
        ] {
            assert_eq!(rule(Some(bad), ""), "malformed_basic");
        }
    }
}
