//! How one witness stands: what it knows, what it cosigned last, and whether it rests.

use std::time::Duration;

use metrics::Gauge;
use tokio::time::Instant;
use url::Url;

use super::{
    super::super::runner::{LOOK_AGAIN, Rest},
    ask::{NotCosigned, Witness},
};
use crate::{config, fetch::Fetcher};

/// One witness, and how far it is.
pub(super) struct Standing {
    /// As the settings call it.
    pub(super) name: String,
    pub(super) witness: Witness,
    /// How many events it is believed to know.
    pub(super) known: u64,
    /// The size of the checkpoint that it cosigned last.
    pub(super) cosigned: u64,
    rest: Rest,
    /// It is not asked before.
    pub(super) again: Option<Instant>,
    behind: Gauge,
    refused: Gauge,
}

impl Standing {
    /// One that cosigned a checkpoint of this size last.
    pub(super) fn new(name: &str, settings: &config::Witness, fetcher: &Fetcher, cosigned: u64) -> Self {
        let witness = Witness { key: settings.key.clone(), url: add_checkpoint(&settings.url), fetcher: fetcher.clone() };
        let behind = metrics::gauge!("grantlog_witness_behind", "witness" => name.to_owned());
        let refused = metrics::gauge!("grantlog_witness_refused", "witness" => name.to_owned());
        refused.set(0);
        Self { name: name.to_owned(), witness, known: cosigned, cosigned, rest: Rest::default(), again: None, behind, refused }
    }

    /// Whether it is to be asked for a checkpoint of this size.
    pub(super) fn is_due(&self, size: u64) -> bool {
        self.cosigned != size && self.again.is_none_or(|again| again <= Instant::now())
    }

    /// Tells how far it is behind a checkpoint of this size. One that is not behind needs no rest.
    pub(super) fn tell(&mut self, size: u64) {
        self.behind.set(size.saturating_sub(self.cosigned) as f64);
        if self.cosigned == size {
            (self.rest, self.again) = (Rest::default(), None);
            self.refused.set(0);
        }
    }

    /// A checkpoint of this size that it cosigned was another than the one that is there now.
    pub(super) fn has_not_seen(&mut self, size: u64) {
        if self.cosigned == size {
            self.cosigned = 0;
        }
    }

    /// It cosigned a checkpoint of this size.
    pub(super) fn has_cosigned(&mut self, size: u64) {
        (self.known, self.cosigned) = (size, size);
    }

    /// It did not cosign: it is asked again after a rest.
    pub(super) fn has_not_cosigned(&mut self, why: &NotCosigned) {
        let rest = if why.is_fork() { self.refuses(why) } else { self.rests(why) };
        self.again = Some(Instant::now() + rest);
    }

    fn refuses(&mut self, why: &NotCosigned) -> Duration {
        tracing::error!(witness = self.name, %why, "a witness saw another history of this log: somebody has to look into this");
        self.refused.set(1);
        LOOK_AGAIN
    }

    fn rests(&mut self, why: &NotCosigned) -> Duration {
        let again_in = self.rest.take();
        tracing::warn!(witness = self.name, %why, ?again_in, "a witness does not cosign");
        again_in
    }
}

impl Drop for Standing {
    /// Only the node that asks tells.
    fn drop(&mut self) {
        self.behind.set(0);
        self.refused.set(0);
    }
}

/// Where a witness takes checkpoints (C2SP tlog-witness): behind its submission prefix.
fn add_checkpoint(prefix: &Url) -> Url {
    let mut url = prefix.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().push("add-checkpoint");
    }
    url
}
