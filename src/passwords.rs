//! argon2id for what people choose: passwords, and client secrets that were imported or chosen. Hashed in a bounded number of threads.

use std::sync::Arc;

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;

/// argon2id with m = 19 MiB, t = 2, p = 1 (OWASP's first choice): about 15 ms of a core.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Hashes and verifies, at most so many at a time.
#[derive(Clone)]
pub struct Passwords {
    permits: Arc<Semaphore>,
    /// Verified against where there is no user, so that known and unknown names cost the same.
    decoy: Arc<str>,
}

/// A digest that is not argon2's PHC string.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the digest is no argon2 PHC string ($argon2id$...)")]
pub struct UnknownDigest;

impl Passwords {
    /// Takes how many may be hashed at a time.
    #[must_use]
    pub fn new(threads: usize) -> Self {
        let decoy = hash("no such user");
        Self { permits: Arc::new(Semaphore::new(threads.max(1))), decoy: decoy.into() }
    }

    /// The PHC string of a password.
    pub async fn hash(&self, password: SecretString) -> String {
        self.run(move || hash(password.expose_secret())).await
    }

    /// Whether the password is the one whose PHC string this is; at the same cost `false` where there is none.
    pub async fn verify(&self, password: SecretString, digest: Option<String>) -> bool {
        let known = digest.is_some();
        let digest = digest.unwrap_or_else(|| self.decoy.to_string());
        let matches = self.run(move || verify(password.expose_secret(), &digest)).await;
        known && matches
    }

    /// Checks that an imported digest can be verified.
    ///
    /// # Errors
    /// `UnknownDigest` when it is not argon2's.
    pub fn check_digest(digest: &str) -> Result<(), UnknownDigest> {
        let parsed = PasswordHash::new(digest).map_err(|_| UnknownDigest)?;
        if parsed.algorithm.as_str().starts_with("argon2") { Ok(()) } else { Err(UnknownDigest) }
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let permit = self.permits.clone().acquire_owned().await.expect("the semaphore is never closed");
        // The permit goes with the work: whoever waited may have gone, and the hash is made all the same.
        let permitted = move || {
            let _permit = permit;
            work()
        };
        tokio::task::spawn_blocking(permitted).await.expect("hashing does not panic")
    }
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).expect("the parameters are argon2's own");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn hash(password: &str) -> String {
    argon2().hash_password(password.as_bytes()).expect("a bounded password can be hashed").to_string()
}

fn verify(password: &str, digest: &str) -> bool {
    PasswordHash::new(digest).is_ok_and(|parsed| argon2().verify_password(password.as_bytes(), &parsed).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_right_password_alone_is_accepted() {
        let passwords = Passwords::new(1);
        let digest = passwords.hash("correct horse".into()).await;
        assert!(digest.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(passwords.verify("correct horse".into(), Some(digest.clone())).await);
        assert!(!passwords.verify("correct Horse".into(), Some(digest)).await);
        assert!(!passwords.verify("no such user".into(), None).await);
    }

    #[tokio::test]
    async fn a_hash_that_nobody_waits_for_any_longer_keeps_its_place() {
        let passwords = Passwords::new(1);
        let (release, released) = std::sync::mpsc::channel::<()>();
        let (begun, has_begun) = tokio::sync::oneshot::channel();
        let first = passwords.run(move || {
            begun.send(()).expect("the test waits");
            released.recv().expect("the test releases it");
        });
        tokio::select! {
            () = first => panic!("it waits to be released"),
            begun = has_begun => begun.expect("it has begun"),
        }
        assert_eq!(passwords.permits.available_permits(), 0);
        release.send(()).expect("it waits");
        drop(passwords.permits.acquire().await.expect("the semaphore is never closed"));
    }

    #[test]
    fn only_argon2_digests_can_be_imported() {
        assert!(Passwords::check_digest(&hash("x")).is_ok());
        for digest in ["", "plain", "$pbkdf2-sha256$i=1000$c2FsdA$aGFzaA", "pbkdf2_sha256$1000$salt$hash"] {
            assert_eq!(Passwords::check_digest(digest), Err(UnknownDigest), "{digest}");
        }
    }
}
