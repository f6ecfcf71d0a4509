//! The name by which a client's certificate is known, which an authority put there (RFC 8705 section 2.1.2).

use core::{net::IpAddr, str::FromStr};

use serde_json::Value;
use x509_cert::{
    Certificate,
    der::{Tag, Tagged, asn1::Any},
    ext::pkix::{SubjectAltName, name::GeneralName},
    name::{Name, RelativeDistinguishedName},
};

use super::{AuthenticationMethod, ClientError, ClientMetadata, metadata_check::invalid};

pub(super) const SUBJECT_DN: &str = "tls_client_auth_subject_dn";
pub(super) const SAN_DNS: &str = "tls_client_auth_san_dns";
pub(super) const SAN_URI: &str = "tls_client_auth_san_uri";
pub(super) const SAN_IP: &str = "tls_client_auth_san_ip";
pub(super) const SAN_EMAIL: &str = "tls_client_auth_san_email";
const MEMBERS: [&str; 5] = [SUBJECT_DN, SAN_DNS, SAN_URI, SAN_IP, SAN_EMAIL];

/// Whom a certificate must name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CertificateName {
    Subject(Name),
    Dns(String),
    Uri(String),
    Ip(IpAddr),
    Email(String),
}

impl ClientMetadata {
    /// Whom its certificate must name, where that is how it proves who it is.
    #[must_use]
    pub fn certificate_name(&self) -> Option<CertificateName> {
        let (member, text) = self.certificate_names().next()?;
        CertificateName::read(member, text).ok()
    }

    fn certificate_names(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let is_named = self.token_endpoint_auth_method == AuthenticationMethod::TlsClientAuth;
        let members = MEMBERS.into_iter().filter(move |_| is_named);
        members.filter_map(|member| Some((member, self.other.get(member).and_then(Value::as_str)?)))
    }

    /// There is exactly one, and it can be compared.
    pub(super) fn check_certificate_name(&self) -> Result<(), ClientError> {
        if self.token_endpoint_auth_method != AuthenticationMethod::TlsClientAuth {
            return Ok(());
        }
        let mut names = self.certificate_names();
        let (Some((member, text)), None) = (names.next(), names.next()) else {
            let why = "tls_client_auth needs exactly one of tls_client_auth_subject_dn, tls_client_auth_san_dns, \
                       tls_client_auth_san_uri, tls_client_auth_san_ip, tls_client_auth_san_email";
            return Err(invalid("token_endpoint_auth_method", why));
        };
        CertificateName::read(member, text).map(drop).map_err(|why| invalid(member, why))
    }
}

impl CertificateName {
    fn read(member: &str, text: &str) -> Result<Self, &'static str> {
        const NOT_A_NAME: &str = "it must be a distinguished name as RFC 4514 writes it, the last part of the certificate's first: \
                                  `openssl x509 -noout -subject -nameopt RFC2253` prints it";
        if text.is_empty() {
            return Err("it is empty");
        }
        match member {
            SUBJECT_DN => Name::from_str(text).map(Self::Subject).map_err(|_| NOT_A_NAME),
            SAN_IP => text.parse().map(Self::Ip).map_err(|_| "it must be an IP address"),
            SAN_DNS => Ok(Self::Dns(text.to_owned())),
            SAN_URI => Ok(Self::Uri(text.to_owned())),
            _ => Ok(Self::Email(text.to_owned())),
        }
    }

    /// Whether a certificate bears it. Whether the certificate is to be believed is another question.
    #[must_use]
    pub fn is_of(&self, certificate: &Certificate) -> bool {
        let certificate = certificate.tbs_certificate();
        if let Self::Subject(name) = self {
            return is_same_name(name, certificate.subject());
        }
        // One that cannot be read names nobody.
        let names = certificate.get_extension::<SubjectAltName>().ok().flatten();
        names.is_some_and(|(_, SubjectAltName(names))| names.iter().any(|name| self.is(name)))
    }

    fn is(&self, name: &GeneralName) -> bool {
        match (self, name) {
            (Self::Dns(own), GeneralName::DnsName(name)) => own.eq_ignore_ascii_case(name.as_str()),
            (Self::Uri(own), GeneralName::UniformResourceIdentifier(name)) => own == name.as_str(),
            (Self::Email(own), GeneralName::Rfc822Name(name)) => is_same_mailbox(own, name.as_str()),
            (Self::Ip(IpAddr::V4(own)), GeneralName::IpAddress(address)) => own.octets() == address.as_bytes(),
            (Self::Ip(IpAddr::V6(own)), GeneralName::IpAddress(address)) => own.octets() == address.as_bytes(),
            (Self::Subject(_) | Self::Dns(_) | Self::Uri(_) | Self::Email(_) | Self::Ip(_), _) => false,
        }
    }
}

/// The host's letters have no case, those before it may have one (RFC 5280 section 7.5).
fn is_same_mailbox(one: &str, other: &str) -> bool {
    match (one.rsplit_once('@'), other.rsplit_once('@')) {
        (Some((one, at)), Some((other, other_at))) => one == other && at.eq_ignore_ascii_case(other_at),
        _ => false,
    }
}

/// `distinguishedNameMatch` (RFC 4517 section 4.2.15): part by part, the parts of one part in any order.
fn is_same_name(one: &Name, other: &Name) -> bool {
    !one.is_empty()
        && one.len() == other.len()
        && one.iter_rdn().zip(other.iter_rdn()).all(|(one, other)| is_same_part(one, other))
}

fn is_same_part(one: &RelativeDistinguishedName, other: &RelativeDistinguishedName) -> bool {
    let within = |one: &RelativeDistinguishedName, other: &RelativeDistinguishedName| {
        one.iter().all(|own| other.iter().any(|its| own.oid == its.oid && is_same_value(&own.value, &its.value)))
    };
    within(one, other) && within(other, one)
}

/// Texts without regard to case and to how many spaces stand somewhere (`caseIgnoreMatch`, section 4.2.11), all else octet by octet.
fn is_same_value(one: &Any, other: &Any) -> bool {
    match (text_of(one), text_of(other)) {
        (Some(one), Some(other)) => one == other,
        (None, None) => one == other,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

fn text_of(value: &Any) -> Option<String> {
    let octets = value.value();
    let text = match value.tag() {
        Tag::Utf8String | Tag::PrintableString | Tag::Ia5String => str::from_utf8(octets).ok()?.to_owned(),
        Tag::TeletexString if octets.is_ascii() => str::from_utf8(octets).ok()?.to_owned(),
        Tag::BmpString if octets.len().is_multiple_of(2) => {
            let units: Vec<u16> = octets.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
            String::from_utf16(&units).ok()?
        }
        _ => return None,
    };
    Some(text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase())
}
