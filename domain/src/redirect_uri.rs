//! Redirect URIs: what may be registered, and what a request must equal (RFC 9700 section 2.1, RFC 8252 section 7.3).
