//! Somebody enters a user code: the device that shows it. Guesses are counted per account and per source before they are tried (RFC 8628
//! section 5.1).

use std::{net::IpAddr, sync::Arc};

use domain::{
    ClientId, DeviceAuthorizationId, UserId,
    client::Client,
    device_authorization::{Asked, DeviceAuthorization},
};

use crate::{
    dispatch::{Dispatch, Loaded, Refusal},
    ephemeral,
    log::Unavailable,
    user_code::UserCode,
};

/// The ephemeral kinds that count wrong codes.
const BY_ACCOUNT: &str = "user_code_account";
const BY_SOURCE: &str = "user_code_source";

/// Who enters which code.
pub struct DeviceLookUp {
    /// `None` for what can be no code at all: nothing was guessed.
    pub user_code: Option<UserCode>,
    pub user_id: UserId,
    pub source: IpAddr,
}

/// A device that asks.
pub struct FoundDevice {
    pub id: DeviceAuthorizationId,
    pub user_code: UserCode,
    pub state: Arc<DeviceAuthorization>,
    /// For which client it asks.
    pub client: Loaded<Client>,
}

/// Why no device is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeviceRefusal {
    #[error("there is no such code, or it has expired")]
    WrongCode,
    /// For so many seconds.
    #[error("too many tries")]
    TooManyTries { retry_after: u32 },
}

impl FoundDevice {
    /// What it asks for.
    #[must_use]
    pub fn asked(&self) -> &Asked {
        self.state.asked().expect("a device that is found has asked")
    }

    /// Its client's stream.
    #[must_use]
    pub fn client_id(&self) -> ClientId {
        self.asked().client_id
    }
}

impl Dispatch {
    /// Finds a device by its user code. The right code is taken back from the counters, and no more: whoever has a device of their own must
    /// not wipe out their wrong guesses with it.
    ///
    /// # Errors
    /// That there is none, or that too many wrong codes were entered.
    pub async fn find_device(&self, look_up: &DeviceLookUp) -> Result<FoundDevice, Refusal<DeviceRefusal>> {
        let Some(user_code) = &look_up.user_code else { return Err(Refusal::Rule(DeviceRefusal::WrongCode)) };
        let (account, source) = (look_up.user_id.to_string(), look_up.source.to_string());
        let limits = &self.settings.limits;
        let over_account = self.count_guess(BY_ACCOUNT, &account, limits.user_code_failures_per_account).await?;
        let over_source = self.count_guess(BY_SOURCE, &source, limits.user_code_failures_per_source).await?;
        if over_account || over_source {
            return Err(Refusal::Rule(DeviceRefusal::TooManyTries { retry_after: limits.sign_in_window }));
        }
        let found = self.device_with(user_code).await?.ok_or(Refusal::Rule(DeviceRefusal::WrongCode))?;
        ephemeral::count_down(self.log.db(), BY_ACCOUNT, &account).await?;
        ephemeral::count_down(self.log.db(), BY_SOURCE, &source).await?;
        Ok(found)
    }

    /// Counts a guess; whether there were too many.
    async fn count_guess(&self, kind: &str, key: &str, most: u32) -> Result<bool, Unavailable> {
        let (now, window) = (self.clock.now(), self.settings.limits.sign_in_window);
        Ok(ephemeral::count_up(self.log.db(), kind, key, now.plus(window), now).await? > i64::from(most))
    }

    async fn device_with(&self, user_code: &UserCode) -> Result<Option<FoundDevice>, Unavailable> {
        let index = self.user_code_index(user_code);
        let id = ephemeral::get(self.log.db(), ephemeral::USER_CODE, &index, self.clock.now()).await?;
        let Some(id) = id.and_then(|id| id.parse::<DeviceAuthorizationId>().ok()) else { return Ok(None) };
        let state = self.load_fresh::<DeviceAuthorization>(id.uuid()).await?.state;
        let Some(asked) = state.asked() else { return Ok(None) };
        let client = self.client_by_id(asked.client_id).await?;
        Ok(Some(FoundDevice { id, user_code: user_code.clone(), state, client }))
    }
}
