//! What the settings say of scopes, resources, and issuers beside us.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::BufReader,
    path::PathBuf,
};

use domain::{
    catalogue::{Entries, IssuerEntry, IssuerKeys, ResourceEntry, ScopeEntry, SubjectIs},
    client::{AccessTokenFormat, SigningAlgorithm},
};
use serde::Deserialize;
use serde_json::Value;

use super::{SettingError, Settings};

/// How long an assertion may be good where nothing is said, in seconds.
const ASSERTION_LIFETIME: u32 = 300;

/// A scope: whether it is privileged, what it opens beside the standard's claims, and its words by language.
#[derive(Clone, Debug, Deserialize)]
pub struct ScopeSetting {
    #[serde(default)]
    pub privileged: bool,
    #[serde(default)]
    pub claims: BTreeSet<String>,
    #[serde(flatten)]
    pub descriptions: BTreeMap<String, String>,
}

/// A resource: the scopes that it understands, its tokens, and its name by language.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ResourceSetting {
    #[serde(default)]
    pub scopes: BTreeSet<String>,
    pub token_format: Option<AccessTokenFormat>,
    pub access_token_lifetime: Option<u32>,
    #[serde(default)]
    pub open: bool,
    pub exchange_by: Option<BTreeSet<String>>,
    #[serde(default)]
    pub exchange_needs_actor: bool,
    #[serde(flatten)]
    pub names: BTreeMap<String, String>,
}

/// An issuer whose assertions clients may present (RFC 7523), and what comes of them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerSetting {
    pub jwks_uri: Option<String>,
    pub jwks_file: Option<PathBuf>,
    /// What is in that file.
    #[serde(skip)]
    pub jwks: Option<Value>,
    pub algorithms: Vec<SigningAlgorithm>,
    pub clients: BTreeSet<String>,
    pub scopes: BTreeSet<String>,
    pub subject: SubjectIs,
    #[serde(default = "assertion_lifetime")]
    pub assertion_lifetime: u32,
}

const fn assertion_lifetime() -> u32 {
    ASSERTION_LIFETIME
}

impl Settings {
    /// Reads the files of keys that issuers' entries name.
    ///
    /// # Errors
    /// The issuer whose keys are in none, or in two places, or cannot be read.
    pub(super) fn read_issuers_keys(&mut self) -> Result<(), SettingError> {
        for (issuer, setting) in &mut self.issuers {
            let path = match (&setting.jwks_uri, &setting.jwks_file) {
                (Some(_), None) => continue,
                (None, Some(path)) => path,
                (Some(_), Some(_)) | (None, None) => return Err(SettingError::IssuerKeys(issuer.clone())),
            };
            let read = File::open(path).and_then(|file| Ok(serde_json::from_reader(BufReader::new(file))?));
            setting.jwks =
                Some(read.map_err(|cause| SettingError::IssuerKeysFile { issuer: issuer.clone(), path: path.clone(), cause })?);
        }
        Ok(())
    }

    /// The scopes, resources and issuers as the catalogue takes them.
    #[must_use]
    pub fn catalogue(&self) -> Entries {
        let scope = |(name, setting): (&String, &ScopeSetting)| ScopeEntry {
            name: name.clone(),
            descriptions: setting.descriptions.clone(),
            privileged: setting.privileged,
            claims: setting.claims.clone(),
        };
        let resource = |(identifier, setting): (&String, &ResourceSetting)| ResourceEntry {
            identifier: identifier.clone(),
            names: setting.names.clone(),
            scopes: setting.scopes.iter().map(String::as_str).collect(),
            token_format: setting.token_format,
            access_token_lifetime: setting.access_token_lifetime,
            open: setting.open,
            exchange_by: setting.exchange_by.clone(),
            exchange_needs_actor: setting.exchange_needs_actor,
        };
        let issuer = |(identifier, setting): (&String, &IssuerSetting)| IssuerEntry {
            identifier: identifier.clone(),
            keys: match &setting.jwks {
                Some(jwks) => IssuerKeys::Jwks(jwks.clone()),
                None => IssuerKeys::JwksUri(setting.jwks_uri.clone().unwrap_or_default()),
            },
            algorithms: setting.algorithms.clone(),
            clients: setting.clients.clone(),
            scopes: setting.scopes.iter().map(String::as_str).collect(),
            subject: setting.subject,
            assertion_lifetime: setting.assertion_lifetime,
        };
        Entries {
            scopes: self.scopes.iter().map(scope).collect(),
            resources: self.resources.iter().map(resource).collect(),
            issuers: self.issuers.iter().map(issuer).collect(),
        }
    }
}
