//! Reads the settings: the defaults, then a file, then the environment.

use std::path::{Path, PathBuf};

use config::{Config, Environment, File, FileFormat};

use super::{SettingError, Settings};

/// The documentation of the settings is their default file.
const DEFAULTS: &str = include_str!("../../config.default.toml");

/// Lists that the environment can give, with commas between.
const LISTS: [&str; 2] = ["server.trusted_proxies", "server.mtls.ca_files"];

/// Where settings come from beside the environment.
#[derive(Clone, Debug, Default)]
pub struct Source {
    /// `--config`, or `GRANTLOG_CONFIG`.
    pub file: Option<PathBuf>,
}

impl Settings {
    /// Reads and checks the settings.
    ///
    /// # Errors
    /// The setting that is wrong, and what to do.
    pub fn load(source: &Source) -> Result<Self, SettingError> {
        Self::read(source.file.as_deref(), std::env::vars().collect())
    }

    /// As `load`, over a given environment.
    pub(super) fn read(
        file: Option<&Path>,
        mut environment: std::collections::HashMap<String, String>,
    ) -> Result<Self, SettingError> {
        // Names that others use too.
        let common = [("store.url", "DATABASE_URL"), ("relay.url", "NATS_URL")];
        let common = common.map(|(setting, name)| (setting, environment.remove(name)));
        let prefixed: std::collections::HashMap<_, _> =
            environment.into_iter().filter(|(name, _)| name.starts_with("GRANTLOG_")).collect();
        let unknown = |name: &&String| !name.contains("__") && name.as_str() != "GRANTLOG_CONFIG";
        if let Some(name) = prefixed.keys().filter(|name| !name.starts_with("GRANTLOG_TEST_")).find(unknown) {
            return Err(SettingError::Variable(name.clone()));
        }
        let nested = prefixed.into_iter().filter(|(name, _)| name.contains("__")).collect();
        let variables =
            Environment::with_prefix("GRANTLOG").prefix_separator("_").separator("__").try_parsing(true).source(Some(nested));
        let variables = LISTS.iter().fold(variables.list_separator(","), |variables, list| variables.with_list_parse_key(list));
        let mut builder = Config::builder().add_source(File::from_str(DEFAULTS, FileFormat::Toml));
        if let Some(path) = file {
            builder = builder.add_source(File::from(path).format(FileFormat::Toml));
        }
        builder = builder.add_source(variables);
        for (setting, value) in common {
            builder = builder.set_override_option(setting, value).map_err(|error| SettingError::Value(error.to_string()))?;
        }
        let read = builder.build().map_err(|error| SettingError::Value(error.to_string()))?;
        let mut settings: Self = read.try_deserialize().map_err(|error| SettingError::Value(error.to_string()))?;
        settings.check_counts()?;
        settings.read_issuers_keys()?;
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use domain::{catalogue::IssuerKeys, client::AccessTokenFormat};

    use super::*;

    fn with(variables: &[(&str, &str)]) -> Result<Settings, SettingError> {
        let environment = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Settings::read(None, environment)
    }

    #[test]
    fn the_documented_defaults_are_the_settings() {
        let settings = with(&[]).unwrap();
        assert_eq!(settings.tokens.code_lifetime, 60);
        assert!(!settings.relay.is_on());
        assert_eq!(settings.issuer(), "http://127.0.0.1:8000/o");
        assert!(settings.scopes["introspection"].privileged);
        assert_eq!(settings.scopes["read"].descriptions["ja"], "あなたのデータを読む");
    }

    #[test]
    fn the_environment_overrides() {
        let settings = with(&[
            ("GRANTLOG_SERVER__PUBLIC_URL", "https://id.example"),
            ("GRANTLOG_TOKENS__ACCESS_TOKEN_LIFETIME", "300"),
            ("DATABASE_URL", "postgres://somewhere/db"),
            ("NATS_URL", "nats://somewhere:4222"),
        ]);
        let settings = settings.unwrap();
        assert!(settings.relay.is_on());
        assert_eq!(settings.issuer(), "https://id.example/o");
        assert_eq!(settings.tokens.access_token_lifetime, 300);
    }

    /// The settings with a file that says this.
    fn with_file(said: &str) -> Result<Settings, SettingError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("grantlog.toml");
        std::fs::write(&path, said).unwrap();
        Settings::read(Some(&path), std::collections::HashMap::new())
    }

    #[test]
    fn a_resource_is_known_by_its_uri() {
        let settings = with_file(
            "[resources.\"https://Photos.example.com/v1?tenant=a\"]\nen = \"Your photos\"\nscopes = [\"read\"]\ntoken_format = \"opaque\"\n\
             access_token_lifetime = 600",
        );
        let entries = settings.unwrap().catalogue();
        let [photos] = entries.resources.as_slice() else { panic!("{:?}", entries.resources) };
        assert_eq!((photos.identifier.as_str(), &*photos.names["en"]), ("https://Photos.example.com/v1?tenant=a", "Your photos"));
        assert_eq!((photos.scopes.to_string().as_str(), photos.access_token_lifetime), ("read", Some(600)));
        assert_eq!(photos.token_format, Some(AccessTokenFormat::Opaque));
    }

    #[test]
    fn an_issuer_has_its_keys_in_a_file_or_at_an_address() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        std::fs::write(&path, r#"{"keys": []}"#).unwrap();
        let with = |keys: &str| {
            with_file(&format!(
                "[issuers.\"https://idp.example.com\"]\n{keys}\nalgorithms = [\"ES256\"]\nclients = [\"app\"]\nscopes = [\"read\"]\n\
                 subject = \"username\""
            ))
        };
        let keys = |settings: Settings| settings.catalogue().issuers.pop().unwrap().keys;
        let file = format!("jwks_file = {:?}", path.to_str().unwrap());
        assert_eq!(keys(with(&file).unwrap()), IssuerKeys::Jwks(serde_json::json!({"keys": []})));
        let uri = "jwks_uri = \"https://idp.example.com/keys\"";
        assert_eq!(keys(with(uri).unwrap()), IssuerKeys::JwksUri("https://idp.example.com/keys".to_owned()));
        for (keys, said) in [
            (format!("{file}\n{uri}"), "one of both"),
            (String::new(), "one of both"),
            ("jwks_file = \"/nowhere\"".to_owned(), "/nowhere"),
        ] {
            let error = with(&keys).unwrap_err().to_string();
            assert!(error.contains(said) && error.contains("https://idp.example.com"), "{error}");
        }
    }

    #[test]
    fn a_resource_says_nothing_unknown() {
        for (said, name) in
            [("token_format = \"jwe\"", "jwe"), ("access_token_lifetime = \"soon\"", "soon"), ("audience = 1", "integer")]
        {
            let error = with_file(&format!("[resources.\"https://photos.example.com/\"]\n{said}")).unwrap_err().to_string();
            assert!(error.contains(name), "{error}");
        }
    }

    #[test]
    fn the_default_resource_is_one() {
        for none in ["photos", "https://id.example/#api", ""] {
            let error = with(&[("GRANTLOG_TOKENS__DEFAULT_RESOURCE", none)]).unwrap_err().to_string();
            assert!(error.contains("tokens.default_resource"), "{error}");
        }
        assert!(with(&[("GRANTLOG_TOKENS__DEFAULT_RESOURCE", "urn:example:api")]).is_ok());
    }

    #[test]
    fn a_wrong_setting_names_itself() {
        for (name, value, said) in [
            ("GRANTLOG_TOKENS__CODE_LIFETIME", "soon", "code_lifetime"),
            ("GRANTLOG_TOKENS__CODE_LIFETME", "60", "code_lifetme"),
            ("GRANTLOG_LISTEN", "x", "GRANTLOG_LISTEN"),
            ("GRANTLOG_SERVER__PUBLIC_URL", "nowhere", "public_url"),
            ("GRANTLOG_ARCHIVE__SEGMENT_EVENTS", "0", "archive.segment_events must be at least 1"),
            ("GRANTLOG_ARCHIVE__AFTER", "0", "archive.after must be at least 1"),
            ("GRANTLOG_ARCHIVE__AFTER", "-1", "archive.after"),
            ("GRANTLOG_ARCHIVE__AFTER", "a month", "archive.after"),
            ("GRANTLOG_TRANSPARENCY__WITNESS__NEAR__KEY", "near+00000000+AA==", "no witness's key"),
        ] {
            let error = with(&[(name, value)]).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }
}
