//! What must be changeable: secrets and keys, sealed under the master key and written in the append's transaction. Never in the log.

mod cipher;
mod master_key;
mod server_keys;
pub mod store;
mod subject_key;

pub use cipher::{Cipher, Unreadable};
pub use master_key::{MasterKey, MasterKeys};
pub use server_keys::{Carried, MacPurpose, ServerKeys};
pub use subject_key::SubjectKey;

/// The kinds of vault rows.
pub mod kind {
    /// A user's argon2id digest, by user id.
    pub const PASSWORD: &str = "password";
    /// An authenticator application's secret, by user id.
    pub const AUTHENTICATOR: &str = "authenticator";
    /// An imported or chosen client secret's argon2id digest, by secret id.
    pub const CLIENT_SECRET: &str = "client_secret";
    /// A signing key's private part (PKCS #8), by kid.
    pub const SIGNING_KEY: &str = "signing_key";
    /// The key under which a person's data in the log is sealed, by user id. Deleting it erases the person.
    pub const SUBJECT_KEY: &str = "subject_key";
    /// The root of the issuer's own keys.
    pub const SERVER_KEY: &str = "server_key";
    /// The key that signs checkpoints of the tree over the log, by the log's epoch.
    pub const TRANSPARENCY_KEY: &str = "transparency_key";
}

/// The associated data that binds a sealed value to its row.
fn row_name(kind: &str, id: &str) -> String {
    format!("vault/{kind}/{id}")
}
