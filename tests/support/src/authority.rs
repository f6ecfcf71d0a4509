//! An authority that nobody knows but who is told of it, and the certificates for this machine that it signs.

use std::{fs, path::PathBuf, process::Command};

use tempfile::TempDir;

use crate::ClientIdentity;

/// For openssl: a new key on P-256.
const NEW_KEY: &str = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";

/// An authority with a folder of its own.
pub struct Authority {
    folder: TempDir,
}

impl Authority {
    /// A new one.
    #[must_use]
    pub fn new() -> Self {
        let authority = Self { folder: TempDir::new().expect("a folder can be made") };
        authority.openssl("req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.pem");
        fs::write(authority.file("san"), "subjectAltName=IP:127.0.0.1\n").expect("a file can be written");
        authority
    }

    /// The file of its own certificate.
    #[must_use]
    pub fn certificate(&self) -> PathBuf {
        self.file("ca.pem")
    }

    /// The files of a certificate for this machine that it signs now, and of its key.
    #[must_use]
    pub fn signed(&self, name: &str) -> (PathBuf, PathBuf) {
        self.openssl(&format!("req -newkey rsa:2048 -nodes -subj /CN={name} -keyout {name}.key -out {name}.csr"));
        let sign = "-CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile san";
        self.openssl(&format!("x509 -req -in {name}.csr {sign} -out {name}.pem"));
        (self.file(&format!("{name}.pem")), self.file(&format!("{name}.key")))
    }

    /// A client's certificate that it signs now, for this subject (as openssl writes it), of this use, by this other name.
    #[must_use]
    pub fn client(&self, subject: &str, (usage, name): (&str, &str)) -> ClientIdentity {
        let extensions = format!("extendedKeyUsage={usage}\nsubjectAltName={name}\n");
        fs::write(self.file("client.ext"), extensions).expect("a file can be written");
        self.openssl(&format!("req {NEW_KEY} -subj {subject} -keyout client.key -out client.csr"));
        let sign = "-CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile client.ext";
        self.openssl(&format!("x509 -req -in client.csr {sign} -out client.pem"));
        self.identity()
    }

    /// A client's certificate that is signed by nobody but itself.
    #[must_use]
    pub fn self_signed(&self, subject: &str) -> ClientIdentity {
        self.openssl(&format!("req -x509 {NEW_KEY} -days 2 -subj {subject} -keyout client.key -out client.pem"));
        self.identity()
    }

    fn identity(&self) -> ClientIdentity {
        let read = |name| fs::read_to_string(self.file(name)).expect("openssl wrote it");
        ClientIdentity { certificate: read("client.pem"), key: read("client.key") }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn openssl(&self, arguments: &str) {
        let done = Command::new("openssl").args(arguments.split(' ')).current_dir(self.folder.path()).output();
        let done = done.expect("openssl is installed");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}
