//! What `serve --dev` makes beside the store: the master key, and files that nobody else on the machine reads.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use secrecy::ExposeSecret;
use tokio::net::TcpListener;
use url::Url;

use crate::{
    cli::{failure::Failure, migrate::make_private_folder},
    config::Settings,
    vault::MasterKey,
};

/// The public URL that nobody has set, as config.default.toml gives it.
const DEFAULT_PUBLIC_URL: &str = "http://127.0.0.1:8000/";

/// Where only `server.listen` was set, the public URL is the address that the server listens at: what it prints must work.
///
/// # Errors
/// That the listener's address cannot be read.
pub(super) fn follow_listener(settings: &mut Settings, listener: &TcpListener) -> Result<(), Failure> {
    let address = listener.local_addr().map_err(|error| Failure::io("the listener", &error))?;
    if settings.server.public_url.as_str() == DEFAULT_PUBLIC_URL {
        settings.server.public_url = Url::parse(&format!("http://{address}/"))
            .map_err(|error| Failure::Failed(format!("the address {address} makes no URL: {error}")))?;
    }
    Ok(())
}

/// Where mails are written that no mail server is there for.
const MAILS: &str = "data/mail";

/// Mails become files, where the settings do not say how they go out.
pub(super) fn keep_mails(settings: &mut Settings) {
    if !settings.mail.is_on() {
        settings.mail.folder = Some(MAILS.into());
    }
}

/// A master key that was made now, for a store that may turn out to have been sealed under another.
pub(super) struct MadeKey(PathBuf);

impl MadeKey {
    /// Removes it: the store needs the key that it was sealed under, and a wrong one in its place would mislead.
    pub(super) fn take_back(&self) {
        if let Err(error) = fs::remove_file(&self.0) {
            tracing::warn!(path = %self.0.display(), %error, "a master key that opens nothing stays behind");
        }
    }
}

/// Makes a master key where the settings name a file that is not there.
///
/// # Errors
/// That it cannot be written.
pub(super) fn make_master_key(settings: &Settings) -> Result<Option<MadeKey>, Failure> {
    let path = &settings.vault.master_key_file;
    if settings.vault.master_key.is_some() || path.exists() {
        return Ok(None);
    }
    let text = format!("{}\n", MasterKey::generate().expose_secret());
    write_private(path, text.as_bytes())?;
    Ok(Some(MadeKey(path.clone())))
}

/// Writes a file for its owner alone (0600): whole or not at all, also where another is there already.
///
/// # Errors
/// That it cannot be written.
pub(super) fn write_private(path: &Path, content: &[u8]) -> Result<(), Failure> {
    if let Some(folder) = path.parent() {
        make_private_folder(folder)?;
    }
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    write_synced(&partial, content)
        .and_then(|()| fs::rename(&partial, path))
        .map_err(|error| Failure::io(format_args!("{} cannot be written", path.display()), &error))
}

fn write_synced(path: &Path, content: &[u8]) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}
