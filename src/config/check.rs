//! What the settings must be for a server to start, and what to do where they are not.

use std::{collections::BTreeMap, fs, path::PathBuf};

use domain::catalogue::is_resource;
use secrecy::{ExposeSecret, SecretString};

use crate::{
    fetch,
    log::{LogSettings, archive::ArchiveSettings},
    vault::{MasterKey, MasterKeys},
};

use super::{Settings, Witness, tls::is_origin};

/// A setting that is wrong, and the fix.
#[derive(Debug, thiserror::Error)]
pub enum SettingError {
    #[error("a setting is wrong: {0}\nEvery setting is explained in config.default.toml.")]
    Value(String),
    #[error(
        "{0} is no setting: an environment variable is GRANTLOG_<SECTION>__<KEY>, with two underscores (GRANTLOG_SERVER__LISTEN)"
    )]
    Variable(String),
    #[error(
        "server.public_url is {0}, but must be https.\nSet GRANTLOG_SERVER__PUBLIC_URL=https://..., and GRANTLOG_SERVER__BEHIND_PROXY=true \
         where a proxy ends TLS, or certificate_file and key_file of server.tls where grantlog does. To try grantlog on this machine, run `grantlog serve --dev`."
    )]
    NotHttps(String),
    #[error(
        "server.public_url must be an origin such as https://id.example.com: no path, query, fragment or user name, but is {0}"
    )]
    NotAnOrigin(String),
    #[error(
        "server.listen is {0}, where anybody could speak plain http to it.\nGive it a certificate (GRANTLOG_SERVER__TLS__CERTIFICATE_FILE \
         and GRANTLOG_SERVER__TLS__KEY_FILE); or put a proxy in front of it that ends TLS, set GRANTLOG_SERVER__BEHIND_PROXY=true and name \
         the proxy's address in server.trusted_proxies."
    )]
    PlainHttp(String),
    #[error("{0}.certificate_file and {0}.key_file stand together")]
    HalfAPair(&'static str),
    #[error("{0}")]
    Mtls(&'static str),
    #[error("with --dev grantlog listens on loopback alone, but server.listen is {0}")]
    NotLoopback(String),
    #[error(
        "there is no master key: vault.master_key_file names {path}, which cannot be read ({cause}).\nMake one with\n    \
         openssl rand -base64 32 > {path} && chmod 600 {path}\nand keep a copy of it apart from the store's backups."
    )]
    NoMasterKey { path: PathBuf, cause: std::io::Error },
    #[error("the master key in {0} is not 32 bytes in base64: `openssl rand -base64 32` makes one")]
    BadMasterKey(String),
    #[error("transparency.witness.{0}.url must be https, or http on loopback, without a query or a fragment")]
    WitnessUrl(String),
    #[error("transparency.witness.{0} and transparency.witness.{1} have the same key: a witness is named once")]
    SameWitness(String, String),
    #[error("{0}")]
    Mail(String),
    #[error("tokens.default_resource must be an absolute URI without a fragment (RFC 8707 section 2), but is {0}")]
    DefaultResource(String),
    #[error("issuers.\"{0}\" needs its keys: jwks_uri or jwks_file, one of both")]
    IssuerKeys(String),
    #[error("issuers.\"{issuer}\".jwks_file names {}, which cannot be read as JSON: {cause}", path.display())]
    IssuerKeysFile { issuer: String, path: PathBuf, cause: std::io::Error },
    #[error("{0} must be at least 1")]
    Zero(&'static str),
}

impl Settings {
    /// Checks what a server needs. `dev`: on loopback, over plain http.
    ///
    /// # Errors
    /// The first setting that is wrong.
    pub fn check_server(&self, dev: bool) -> Result<(), SettingError> {
        let url = &self.server.public_url;
        if !is_origin(url) {
            return Err(SettingError::NotAnOrigin(url.to_string()));
        }
        let speaks_tls = self.server.key_pair().is_some();
        if !(self.is_https() || (dev && fetch::is_loopback(url) && !speaks_tls)) {
            return Err(SettingError::NotHttps(url.to_string()));
        }
        if dev && !self.server.listen.ip().is_loopback() {
            return Err(SettingError::NotLoopback(self.server.listen.to_string()));
        }
        let is_behind_proxy = self.server.behind_proxy && !self.server.trusted_proxies.is_empty();
        if !speaks_tls && !is_behind_proxy && !self.server.listen.ip().is_loopback() {
            return Err(SettingError::PlainHttp(self.server.listen.to_string()));
        }
        self.server.check_tls()?;
        self.check_witnesses()
    }

    /// Checks what nothing can be done without, server or not.
    ///
    /// # Errors
    /// The first setting that is wrong.
    pub(super) fn check_counts(&self) -> Result<(), SettingError> {
        let counts = [
            ("store.connections", self.store.connections as usize),
            ("store.queue", self.store.queue),
            ("archive.after", self.archive.after.map_or(1, |seconds| seconds as usize)),
            ("archive.segment_events", self.archive.segment_events as usize),
            ("limits.hash_threads", self.limits.hash_threads),
            ("tokens.code_lifetime", self.tokens.code_lifetime as usize),
            ("tokens.pushed_request_lifetime", self.tokens.pushed_request_lifetime as usize),
            ("tokens.access_token_lifetime", self.tokens.access_token_lifetime as usize),
            ("tokens.id_token_lifetime", self.tokens.id_token_lifetime as usize),
            ("sessions.lifetime", self.sessions.lifetime as usize),
            ("devices.code_lifetime", self.devices.code_lifetime as usize),
            ("mail.password_link_lifetime", self.mail.password_link_lifetime as usize),
            ("mail.email_link_lifetime", self.mail.email_link_lifetime as usize),
        ];
        if let Some((name, _)) = counts.iter().find(|(_, count)| *count == 0) {
            return Err(SettingError::Zero(name));
        }
        match &self.tokens.default_resource {
            Some(resource) if !is_resource(resource) => Err(SettingError::DefaultResource(resource.clone())),
            Some(_) | None => self.mail.check(),
        }
    }

    fn check_witnesses(&self) -> Result<(), SettingError> {
        let mut names = BTreeMap::new();
        for (name, Witness { url, key }) in &self.transparency.witness {
            if !fetch::is_allowed(url) || url.query().is_some() || url.fragment().is_some() {
                return Err(SettingError::WitnessUrl(name.clone()));
            }
            if let Some(other) = names.insert(key.to_string(), name) {
                return Err(SettingError::SameWitness(other.clone(), name.clone()));
            }
        }
        Ok(())
    }

    /// The master keys that the settings name.
    ///
    /// # Errors
    /// The one that is not there, or is none.
    pub fn master_keys(&self) -> Result<MasterKeys, SettingError> {
        let current = match &self.vault.master_key {
            Some(key) => MasterKey::parse(key).map_err(|_| SettingError::BadMasterKey("vault.master_key".to_owned()))?,
            None => read_master_key(&self.vault.master_key_file)?,
        };
        let previous = self.vault.previous_master_key_files.iter().map(read_master_key).collect::<Result<_, _>>()?;
        Ok(MasterKeys::new(current, previous))
    }

    /// How the log is opened.
    #[must_use]
    pub fn log_settings(&self) -> LogSettings {
        LogSettings {
            url: self.store.url.expose_secret().to_owned(),
            connections: self.store.connections,
            queue: self.store.queue,
            archive: self.archive.folder.clone().map(|folder| ArchiveSettings {
                folder,
                after_events: self.archive.after_events,
                after: self.archive.after,
                segment_events: self.archive.segment_events,
                rooted: self.transparency.enabled,
            }),
        }
    }
}

fn read_master_key(path: &PathBuf) -> Result<MasterKey, SettingError> {
    let text = fs::read_to_string(path).map_err(|cause| SettingError::NoMasterKey { path: path.clone(), cause })?;
    MasterKey::parse(&SecretString::from(text)).map_err(|_| SettingError::BadMasterKey(path.display().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(variables: &[(&str, &str)]) -> Settings {
        let environment = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Settings::read(None, environment).unwrap()
    }

    #[test]
    fn plain_http_is_for_loopback_and_dev_alone() {
        assert!(with(&[]).check_server(true).is_ok());
        assert!(matches!(with(&[]).check_server(false), Err(SettingError::NotHttps(_))));
        let elsewhere = with(&[("GRANTLOG_SERVER__PUBLIC_URL", "http://id.example")]);
        assert!(matches!(elsewhere.check_server(true), Err(SettingError::NotHttps(_))));
        let behind = with(&[
            ("GRANTLOG_SERVER__PUBLIC_URL", "https://id.example"),
            ("GRANTLOG_SERVER__LISTEN", "0.0.0.0:8000"),
            ("GRANTLOG_SERVER__BEHIND_PROXY", "true"),
        ]);
        assert!(matches!(behind.check_server(false), Err(SettingError::PlainHttp(_))));
        let mut named = behind;
        named.server.trusted_proxies = vec!["10.0.0.9".parse().unwrap()];
        assert!(named.check_server(false).is_ok());
    }

    #[test]
    fn a_witness_has_a_key_of_its_own_and_a_url_that_may_be_asked() {
        const KEY: &str = "witness.example.com/w1+a0059f11+BAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";
        let key = ("GRANTLOG_TRANSPARENCY__WITNESS__NEAR__KEY", KEY);
        let at = |url| with(&[key, ("GRANTLOG_TRANSPARENCY__WITNESS__NEAR__URL", url)]).check_server(true);
        assert!(at("https://witness.example.com/w1").is_ok() && at("http://127.0.0.1:7380").is_ok());
        for url in [
            "http://witness.example.com/w1",
            "ftp://127.0.0.1/",
            "https://witness.example.com/?w=1",
            "https://witness.example.com/#1",
        ] {
            assert!(matches!(at(url), Err(SettingError::WitnessUrl(name)) if name == "near"), "{url}");
        }
        let twice = with(&[
            key,
            ("GRANTLOG_TRANSPARENCY__WITNESS__NEAR__URL", "https://witness.example.com/w1"),
            ("GRANTLOG_TRANSPARENCY__WITNESS__FAR__KEY", KEY),
            ("GRANTLOG_TRANSPARENCY__WITNESS__FAR__URL", "https://witness.example.org/"),
        ]);
        assert!(matches!(twice.check_server(true), Err(SettingError::SameWitness(..))));
    }

    #[test]
    fn a_missing_master_key_says_how_to_make_one() {
        let settings = with(&[("GRANTLOG_VAULT__MASTER_KEY_FILE", "/nowhere/master.key")]);
        let error = settings.master_keys().err().unwrap().to_string();
        assert!(error.contains("openssl rand -base64 32 > /nowhere/master.key"), "{error}");
    }
}
