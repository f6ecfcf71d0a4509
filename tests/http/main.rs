//! The endpoints over HTTP: the real router over both stores.
#![cfg(test)]

mod admin;
mod admin_audit;
mod advertised;
mod applications;
mod audit;
mod audit_proof;
mod audit_revoke;
mod authorize;
mod authorized_tokens;
mod back_channel_logout;
mod claims;
mod client_authentication;
mod client_credentials;
mod code;
mod consent;
mod expected_user;
mod explain;
mod front_channel_logout;
mod health;
mod id_token;
mod introspection;
mod keys;
mod limits;
mod logout;
mod metadata;
mod pairwise;
mod refresh;
mod registration;
mod resource;
mod revocation;
mod revocations;
mod setup;
mod sign_in;
mod sweep;
mod userinfo;
