//! The schemes by which tokens are presented (RFC 6750 section 2.1, RFC 9449 section 7.1).

/// By which scheme a token is presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// Whoever holds it may use it, or whoever shows the certificate that it is bound to.
    Bearer,
    /// With a proof that its bearer holds the key that it is bound to.
    Dpop,
}

impl Scheme {
    const ALL: [Self; 2] = [Self::Bearer, Self::Dpop];

    /// As it stands in headers.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
            Self::Dpop => "DPoP",
        }
    }

    /// The one of this name, in any case.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scheme| name.eq_ignore_ascii_case(scheme.name()))
    }
}
