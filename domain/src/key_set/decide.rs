//! The rules of the key set, and what each event makes of it.

use crate::Decide;

use super::{Key, KeySet, KeySetCommand, KeySetError, KeySetEvent, KeyState};

impl Decide for KeySet {
    fn decide(&self, command: KeySetCommand) -> Result<Vec<KeySetEvent>, KeySetError> {
        match command {
            KeySetCommand::Add { key, at } => {
                self.check_new(&key.kid)?;
                Ok(vec![KeySetEvent::Added { key, at }])
            }
            KeySetCommand::Rotate { key, at } => {
                self.check_new(&key.kid)?;
                let kid = key.kid.clone();
                Ok(vec![KeySetEvent::Added { key, at }, KeySetEvent::Activated { kid, at }])
            }
            KeySetCommand::Activate { kid, at } => match self.key(&kid)?.state {
                KeyState::Active => Ok(vec![]),
                KeyState::Added | KeyState::Superseded => Ok(vec![KeySetEvent::Activated { kid, at }]),
                KeyState::Retired => Err(KeySetError::Retired),
            },
            KeySetCommand::Retire { kid, at } => match self.key(&kid)?.state {
                KeyState::Active => Err(KeySetError::LastActive),
                KeyState::Added | KeyState::Superseded => Ok(vec![KeySetEvent::Retired { kid, at }]),
                KeyState::Retired => Ok(vec![]),
            },
            KeySetCommand::BeginEpoch { epoch, at } => Ok(vec![KeySetEvent::EpochBegun { epoch, at }]),
        }
    }
}

impl KeySet {
    /// The keys that everybody may verify with.
    pub fn published(&self) -> impl Iterator<Item = &Key> {
        self.keys.iter().filter(|key| match key.state {
            KeyState::Added | KeyState::Active | KeyState::Superseded => true,
            KeyState::Retired => false,
        })
    }

    fn key(&self, kid: &str) -> Result<&Key, KeySetError> {
        self.keys.iter().find(|key| key.public.kid == kid).ok_or(KeySetError::Unknown)
    }

    fn check_new(&self, kid: &str) -> Result<(), KeySetError> {
        if self.key(kid).is_ok() { Err(KeySetError::Exists) } else { Ok(()) }
    }

    pub(super) fn apply_event(&mut self, event: KeySetEvent) {
        match event {
            KeySetEvent::Added { key, .. } => self.keys.push(Key { public: key, state: KeyState::Added }),
            KeySetEvent::Activated { kid, .. } => self.activate(&kid),
            KeySetEvent::Retired { kid, .. } => {
                for key in self.keys.iter_mut().filter(|key| key.public.kid == kid) {
                    key.state = KeyState::Retired;
                }
            }
            KeySetEvent::EpochBegun { .. } => {}
        }
    }

    fn activate(&mut self, kid: &str) {
        let Some(alg) = self.key(kid).ok().map(|key| key.public.alg) else {
            return;
        };
        for key in self.keys.iter_mut().filter(|key| key.public.alg == alg) {
            if key.public.kid == kid {
                key.state = KeyState::Active;
            } else if key.state == KeyState::Active {
                key.state = KeyState::Superseded;
            }
        }
    }
}
