//! Having checkpoints cosigned by witnesses (C2SP tlog-witness): each says of the last one that it goes on from all that it saw before,
//! and what several cosigned is kept with all their cosignatures.

mod ask;
mod key;
mod standing;

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    future::Future,
    time::Duration,
};

use futures_util::{FutureExt, future::join_all};
use tokio::time::Instant;

pub use ask::NotCosigned;
pub use key::{Cosignature, NotAWitnessKey, WitnessKey};
use standing::Standing;

use super::{
    super::runner::{self, Stopped},
    SealError, SignedCheckpoint, Transparency,
};
use crate::{config, fetch::Fetcher, log::Unavailable};

/// The name of the lease of the node that asks.
const NAME: &str = "witness";

/// So long no round follows another, but where there is a new checkpoint.
const SHORTEST_REST: Duration = Duration::from_millis(100);

/// Has checkpoints cosigned as long as it is awaited. Of several nodes one does.
pub async fn run(transparency: Transparency, settings: BTreeMap<String, config::Witness>, fetcher: Fetcher) {
    let log = transparency.0.log.clone();
    runner::run(log, NAME, move || follow(transparency.clone(), settings.clone(), fetcher.clone()).boxed()).await;
}

async fn follow(transparency: Transparency, settings: BTreeMap<String, config::Witness>, fetcher: Fetcher) -> Stopped {
    match ask_for_ever(transparency, &settings, &fetcher).await {
        Ok(never) => match never {},
        Err(SealError::Unavailable(unavailable)) => Stopped::Passing(unavailable.to_string()),
        Err(error) => Stopped::Fatal(error.to_string()),
    }
}

async fn ask_for_ever(
    transparency: Transparency,
    settings: &BTreeMap<String, config::Witness>,
    fetcher: &Fetcher,
) -> Result<Infallible, SealError> {
    let mut latest = transparency.watch();
    let mut witnesses = Witnesses::open(transparency, settings, fetcher).await?;
    loop {
        latest.mark_unchanged();
        witnesses.round().await?;
        let rest = witnesses.rest();
        // As long as the tree is there, it can change.
        tokio::select! {
            _ = latest.changed() => {}
            () = rest => {}
        }
    }
}

/// The witnesses of one log.
pub struct Witnesses {
    transparency: Transparency,
    standing: Vec<Standing>,
    /// The cosigned checkpoints in the store, by size.
    kept: BTreeMap<u64, String>,
}

impl Witnesses {
    /// Begins where the store says that they are.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub async fn open(
        transparency: Transparency,
        settings: &BTreeMap<String, config::Witness>,
        fetcher: &Fetcher,
    ) -> Result<Self, Unavailable> {
        let kept: BTreeMap<u64, String> =
            transparency.cosigned().await?.into_iter().map(|SignedCheckpoint { size, note }| (size, note)).collect();
        let standing = settings.iter().map(|(name, settings)| {
            let last = kept.iter().rev().find(|(_, note)| settings.key.cosignature(note).is_ok());
            Standing::new(name, settings, fetcher, last.map_or(0, |(size, _)| *size))
        });
        let standing = standing.collect();
        Ok(Self { transparency, standing, kept })
    }

    /// Has the last signed checkpoint cosigned by each witness that has not cosigned it and does not rest, and gives who did not.
    ///
    /// # Errors
    /// That the store does not answer, or is not what was signed.
    pub async fn round(&mut self) -> Result<Vec<(String, NotCosigned)>, SealError> {
        let Some(checkpoint) = self.transparency.signed().await? else { return Ok(Vec::new()) };
        let (transparency, checkpoint, size) = (&self.transparency, &checkpoint, checkpoint.size);
        if !self.kept.get(&size).is_some_and(|kept| kept.starts_with(&checkpoint.note)) {
            self.standing.iter_mut().for_each(|standing| standing.has_not_seen(size));
        }
        let due = self.standing.iter_mut().filter(|standing| standing.is_due(size));
        let asked = due.map(|standing| async move {
            let outcome = standing.witness.ask(transparency, checkpoint, standing.known).await;
            (standing, outcome)
        });
        let (mut cosignatures, mut refusals) = (String::new(), Vec::new());
        for (standing, outcome) in join_all(asked).await {
            match outcome {
                Ok(cosignature) => {
                    cosignatures.push_str(&cosignature.line);
                    standing.has_cosigned(size);
                }
                Err(NotCosigned::Tree(error)) => return Err(error.into()),
                Err(why) => {
                    standing.has_not_cosigned(&why);
                    refusals.push((standing.name.clone(), why));
                }
            }
        }
        self.standing.iter_mut().for_each(|standing| standing.tell(size));
        if !cosignatures.is_empty() {
            self.keep(checkpoint, &cosignatures).await?;
        }
        Ok(refusals)
    }

    /// Waits until a witness that rests is to be asked again; for ever where none does.
    fn rest(&self) -> impl Future<Output = ()> + Send + use<> {
        let again = self.standing.iter().filter_map(|standing| standing.again).min();
        async move {
            match again {
                // Whatever is to be asked again was asked just now.
                Some(again) => tokio::time::sleep_until(again.max(Instant::now() + SHORTEST_REST)).await,
                None => std::future::pending().await,
            }
        }
    }

    /// Keeps a checkpoint with further cosignatures, and no other that is not the last one of a witness.
    async fn keep(&mut self, checkpoint: &SignedCheckpoint, cosignatures: &str) -> Result<(), Unavailable> {
        let log = &self.transparency.0.log;
        let SignedCheckpoint { size, note } = checkpoint;
        let before = self.kept.get(size).filter(|before| before.starts_with(note));
        let note = format!("{}{cosignatures}", before.unwrap_or(note));
        log.keep_cosigned(*size, &note).await?;
        self.kept.insert(*size, note);
        let last: BTreeSet<u64> = self.standing.iter().map(|standing| standing.cosigned).collect();
        let outdated: Vec<u64> = self.kept.keys().filter(|size| !last.contains(size)).copied().collect();
        for size in outdated {
            log.forget_cosigned(size).await?;
            self.kept.remove(&size);
        }
        Ok(())
    }
}
