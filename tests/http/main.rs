//! The endpoints over HTTP: the real router over both stores.

mod client_credentials;
mod sign_in;
