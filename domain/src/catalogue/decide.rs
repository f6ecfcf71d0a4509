//! The rules of the catalogue, and what each event makes of it.

use std::{collections::BTreeSet, str::FromStr};

use crate::{Decide, Scope};

use super::{Catalogue, CatalogueCommand, CatalogueError, CatalogueEvent};

impl Decide for Catalogue {
    fn decide(&self, command: CatalogueCommand) -> Result<Vec<CatalogueEvent>, CatalogueError> {
        let CatalogueCommand::Adopt { scopes, at } = command;
        let mut seen = BTreeSet::new();
        for entry in &scopes {
            let is_one_name = Scope::from_str(&entry.name).is_ok_and(|scope| scope.names().eq([entry.name.as_str()]));
            if !is_one_name {
                return Err(CatalogueError::NoScope(entry.name.clone()));
            }
            if !seen.insert(&entry.name) {
                return Err(CatalogueError::Twice(entry.name.clone()));
            }
        }
        if scopes == self.scopes {
            return Ok(vec![]);
        }
        Ok(vec![CatalogueEvent::Adopted { version: self.version + 1, scopes, at }])
    }
}

impl Catalogue {
    pub(super) fn apply_event(&mut self, event: CatalogueEvent) {
        let CatalogueEvent::Adopted { version, scopes, .. } = event;
        *self = Self { version, scopes };
    }
}
