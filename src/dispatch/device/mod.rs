//! Devices that ask to be let in (RFC 8628): one asks, somebody finds it by its user code and decides, and it comes for its tokens.

mod decide;
mod find;
mod redeem;
mod request;

pub use decide::{DecideOnDevice, DeviceDecisionRefusal};
pub use find::{DeviceLookUp, DeviceRefusal, FoundDevice};
pub use redeem::{DeviceCodeRefusal, RedeemDevice, SLOWER_BY};
pub use request::{RequestDevice, RequestDeviceRefusal, RequestedDevice};

use crate::{user_code::UserCode, vault::MacPurpose};

use super::Inner;

impl Inner {
    /// What a user code is kept under while it can be entered. Whoever reads the store without the vault's root cannot try all codes.
    fn user_code_index(&self, code: &UserCode) -> String {
        self.keys.mac(MacPurpose::UserCode, code.letters().as_bytes())
    }
}
