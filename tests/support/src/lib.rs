//! What grantlog's tests stand on: a store of its own for each test, and the real server over it, with a clock that the test sets.

mod app;
pub mod archive;
mod authority;
mod browser;
mod certificate;
pub mod chance;
mod client;
mod device;
mod grant;
mod key;
mod mail;
mod mail_server;
mod nats;
mod nodes;
mod passkey;
mod port;
mod process;
mod receiver;
mod response;
pub mod sizes;
mod store;
pub mod traffic;
mod witness;

pub use app::{ADMINISTRATOR, PASSWORD, TestApp, USER};
pub use authority::Authority;
pub use browser::{Browser, PageForm};
pub use certificate::{ClientIdentity, without_certificate};
pub use client::TestClient;
pub use device::{DEVICE_CODE, Device};
pub use grant::{CHALLENGE, REDIRECT_URI, VERIFIER};
pub use key::{ClientKey, tampered, with};
pub use mail::Mail;
pub use mail_server::MailServer;
pub use nats::NatsServer;
pub use nodes::{Cluster, Node};
pub use passkey::Passkey;
pub use port::free_port;
pub use process::ServerProcess;
pub use receiver::LogoutReceiver;
pub use response::{Answer, Tokens};
pub use store::{Kind, Store};
pub use witness::Witness;

/// Runs a test over both stores: `both_stores!(a_code_is_redeemed_once);` runs `async fn a_code_is_redeemed_once(kind: Kind)`.
#[macro_export]
macro_rules! both_stores {
    ($($(#[$meta:meta])* $name:ident),+ $(,)?) => {$(
        mod $name {
            $(#[$meta])*
            #[tokio::test(flavor = "multi_thread")]
            async fn on_sqlite() {
                super::$name($crate::Kind::Sqlite).await;
            }

            $(#[$meta])*
            #[tokio::test(flavor = "multi_thread")]
            async fn on_postgres() {
                super::$name($crate::Kind::Postgres).await;
            }
        }
    )+};
}
