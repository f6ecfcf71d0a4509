//! The names that messages need beside their events, looked up a page at a time and remembered: they never change.

use std::str::FromStr;

use domain::{ClientId, ConsentId, UserId};
use projections::{client, consent};

use super::relay::message::{ConsentOf, Names, ReadEvent, Wanted, wanted};
use crate::log::{Log, Unavailable};

/// Names remembered at most; beyond, all are looked up anew.
const REMEMBERED: usize = 50_000;

/// The names that are known so far.
pub(super) struct NameBook {
    log: Log,
    names: Names,
}

impl NameBook {
    pub(super) fn new(log: Log) -> Self {
        Self { log, names: Names::default() }
    }

    /// The names that these events need.
    pub(super) async fn of(&mut self, events: &[ReadEvent]) -> Result<&Names, Unavailable> {
        if self.names.clients.len() + self.names.consents.len() > REMEMBERED {
            self.names = Names::default();
        }
        let (mut clients, mut consents) = (Vec::new(), Vec::new());
        for read in events {
            match wanted(&read.event, &read.stream) {
                Wanted::Client(id) if !self.names.clients.contains_key(&id) => clients.push(id.to_string()),
                Wanted::Consent(id) if !self.names.consents.contains_key(&id) => consents.push(id.to_string()),
                Wanted::Client(_) | Wanted::Consent(_) | Wanted::Nothing => {}
            }
        }
        if !clients.is_empty() {
            self.find_clients(distinct(clients)).await?;
        }
        if !consents.is_empty() {
            self.find_consents(distinct(consents)).await?;
        }
        Ok(&self.names)
    }

    async fn find_clients(&mut self, ids: Vec<String>) -> Result<(), Unavailable> {
        for row in client::find(self.log.db(), &ids).await? {
            self.names.clients.insert(id::<ClientId>(&row.id)?, row.client_id);
        }
        Ok(())
    }

    async fn find_consents(&mut self, ids: Vec<String>) -> Result<(), Unavailable> {
        for row in consent::find(self.log.db(), &ids).await? {
            let of = ConsentOf { user_id: id::<UserId>(&row.user_id)?, client_id: row.client_identifier.unwrap_or_default() };
            self.names.consents.insert(id::<ConsentId>(&row.id)?, of);
        }
        Ok(())
    }
}

fn distinct(mut ids: Vec<String>) -> Vec<String> {
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// An id as a read model holds it.
fn id<T: FromStr>(text: &str) -> Result<T, Unavailable> {
    text.parse().map_err(|_| {
        tracing::error!(id = text, "a read model holds an id that is none");
        Unavailable
    })
}
