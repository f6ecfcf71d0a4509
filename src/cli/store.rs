//! The store that the settings name, opened beside whatever server runs over it. A command creates none by accident.

use std::sync::Arc;

use domain::{ClientId, UserId};
use projections::{account, client};

use crate::{
    clock::Clock,
    config::{Settings, Source},
    dispatch::Dispatch,
    log::{Log, LogSettings, Unavailable},
};

use super::failure::Failure;

/// What every command starts from.
pub(super) struct Context {
    pub(super) settings: Settings,
}

impl Context {
    /// Reads the settings.
    ///
    /// # Errors
    /// The one that is wrong.
    pub(super) fn load(source: &Source) -> Result<Self, Failure> {
        Ok(Self { settings: Settings::load(source)? })
    }

    /// The log, for commands that only read, and need no master key.
    ///
    /// # Errors
    /// That there is no store yet, or it does not answer.
    pub(super) async fn log(&self) -> Result<Log, Failure> {
        Ok(Log::open(&self.existing()?).await?)
    }

    /// As `log`, also where another grantlog has taken the read models over.
    ///
    /// # Errors
    /// That there is no store yet, or it does not answer.
    pub(super) async fn log_in_any_form(&self) -> Result<Log, Failure> {
        Ok(Log::open_in_any_form(&self.existing()?).await?)
    }

    /// How the store is opened, where there is one.
    fn existing(&self) -> Result<LogSettings, Failure> {
        let settings = self.settings.log_settings();
        match settings.file()? {
            Some(file) if !file.exists() => Err(Failure::Unavailable(format!(
                "there is no store yet: {} does not exist.\n`grantlog serve --dev` makes one to try things out, `grantlog migrate` an \
                 empty one. If yours is elsewhere, name it: DATABASE_URL=postgres://... or sqlite://path, or --config FILE.",
                file.display()
            ))),
            Some(_) | None => Ok(settings),
        }
    }

    /// The dispatch, for commands that change something or read what is sealed.
    ///
    /// # Errors
    /// As `log`, or that the master key is not there or is another.
    pub(super) async fn dispatch(self) -> Result<Dispatch, Failure> {
        let log = self.log().await?;
        let master = self.settings.master_keys()?;
        Ok(Dispatch::open(log, Arc::new(self.settings), master, Clock::default()).await?)
    }
}

/// The client with this `client_id`, id or name.
///
/// # Errors
/// That there is none, or several of the name.
pub(super) async fn find_client(log: &Log, text: &str) -> Result<(ClientId, client::ClientRow), Failure> {
    let wanted = [text.to_owned()];
    let mut rows = client::by_identifier(log.db(), &wanted).await.map_err(Unavailable::from)?;
    if rows.is_empty() {
        rows = client::find(log.db(), &wanted).await.map_err(Unavailable::from)?;
    }
    if rows.is_empty() {
        rows = client::by_name(log.db(), &wanted).await.map_err(Unavailable::from)?;
    }
    match (rows.pop(), rows.is_empty()) {
        (None, _) => Err(Failure::Refused(format!("there is no client `{text}`: `grantlog client list` shows all"))),
        (Some(row), true) => Ok((row.id.parse().map_err(|_| unreadable(&row.id))?, row)),
        (Some(last), false) => {
            let ids: Vec<_> = rows.iter().chain([&last]).map(|row| format!("\n  {}", row.client_id)).collect();
            Err(Failure::Refused(format!(
                "{} clients are called `{text}`. Say which by its client_id:{}",
                ids.len(),
                ids.concat()
            )))
        }
    }
}

/// The user with this id or sign-in name.
///
/// # Errors
/// That there is none.
pub(super) async fn find_user(dispatch: &Dispatch, text: &str) -> Result<(UserId, account::AccountRow), Failure> {
    let db = dispatch.log.db();
    let mut rows = account::find(db, &[text.to_owned()]).await.map_err(Unavailable::from)?;
    if rows.is_empty()
        && let Some(id) = dispatch.user_named(text).await?
    {
        rows = account::find(db, &[id.to_string()]).await.map_err(Unavailable::from)?;
    }
    let row = rows.pop().ok_or_else(|| Failure::Refused(format!("there is no user `{text}`: `grantlog user list` shows all")))?;
    Ok((row.id.parse().map_err(|_| unreadable(&row.id))?, row))
}

fn unreadable(id: &str) -> Failure {
    Failure::Failed(format!("the store holds an id that is none: {id}"))
}
