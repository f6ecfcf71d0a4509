//! `grantlog audit replay`: every grant that the log tells of.

use std::collections::{BTreeSet, HashSet};

use domain::{
    Event, GrantId, UserId,
    audit::{Question, Read},
};

use crate::{
    audit::{self, AsOf, Bounds, Filter, GrantAt, GrantRecord, Place, RecordsDigest, Told, resolve},
    cli::{failure::Failure, output, progress::Progress, store::Context},
    dispatch::Dispatch,
    log::Log,
};

use super::{Which, lines::Shape, remember};

/// Events read at a time while following.
const PAGE: u32 = 1_000;

/// List every grant: who let whom do what, when, what came of it, how it ended
///
/// Folds the whole log, in the order of the grants' ids, which is the order of time. Its memory does not grow with the log: what it
/// must keep lies in files meanwhile (TMPDIR says where). The digest depends on the log alone, not on the store or the moment: two
/// replays of one log can be compared by it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  grantlog audit replay
  grantlog audit replay --user mika --state live
  grantlog audit replay --client Shop --from 2026-11-01 --to 2026-12-01 --format csv > shop.csv
  grantlog audit replay --as-of 2026-11-25T14:00:00Z --format jsonl | jq -r .username
  grantlog audit replay --digest")]
pub(in crate::cli) struct Replay {
    #[command(flatten)]
    which: Which,
    /// As if the log ended there: a position, or a moment
    #[arg(long, value_name = "PLACE")]
    as_of: Option<AsOf>,
    /// How to print them
    #[arg(long, value_enum, default_value_t = Shape::Table, conflicts_with = "digest")]
    format: Shape,
    /// Go on: print a grant again when something becomes of it, until Ctrl-C
    #[arg(long, short, conflicts_with_all = ["as_of", "digest"])]
    follow: bool,
    /// Print nothing but the digest
    #[arg(long)]
    digest: bool,
}

/// What grants are printed with.
struct Printer {
    dispatch: Dispatch,
    filter: Filter,
    shape: Shape,
}

impl Replay {
    pub(super) async fn run(self, context: Context) -> Result<(), Failure> {
        let dispatch = context.dispatch().await?;
        let filter = self.which.filter(&dispatch).await?;
        if !self.digest {
            let read = Read { client_id: filter.client, user_id: filter.user, ..Read::of(Question::Grants) };
            remember(&dispatch, read).await?;
        }
        let until = resolve(&dispatch.log, self.as_of.unwrap_or_else(|| AsOf::Now(dispatch.clock.now()))).await?;
        let printer = Printer { dispatch, filter, shape: self.format };
        let mut digest = RecordsDigest::default();
        if !self.digest {
            printer.shape.head()?;
        }
        let mut replayed = read(&printer.dispatch.log, until).await?;
        while let Some(records) = replayed.next_grants()? {
            let records: Vec<_> = records.into_iter().filter(|record| printer.filter.takes(record, until.at)).collect();
            records.iter().for_each(|record| digest.add(record));
            if !self.digest {
                printer.print(&records, until).await?;
            }
        }
        if self.digest {
            return output::line(digest.finish());
        }
        if self.follow {
            return tokio::select! {
                outcome = printer.follow(until.position) => outcome,
                _ = tokio::signal::ctrl_c() => Ok(()),
            };
        }
        if printer.shape == Shape::Table {
            let (records, position) = (digest.records(), until.position);
            output::line(format_args!("{records} grants at position {position}. Digest: {}", digest.finish()))?;
        }
        Ok(())
    }
}

/// Reads the log, and shows how far it is.
pub(super) async fn read(log: &Log, until: Place) -> Result<audit::Replayed, Failure> {
    let mut progress = Progress::of("events");
    let mut told = |position| progress.at_position(position, until.position);
    Ok(audit::Replay::read(log, until.position, Bounds::default(), &mut told).await?)
}

impl Printer {
    async fn print(&self, records: &[GrantRecord], at: Place) -> Result<(), Failure> {
        let users: HashSet<UserId> = records.iter().filter_map(|record| record.user_id).collect();
        let users: Vec<UserId> = users.into_iter().collect();
        let names = self.dispatch.usernames(&users).await?;
        records.iter().try_for_each(|record| self.shape.print(&GrantAt::new(record, at.at, &names)))
    }

    async fn follow(&self, position: i64) -> Result<(), Failure> {
        let log = &self.dispatch.log;
        let mut follower = log.follow(position, PAGE);
        loop {
            let mut touched = BTreeSet::new();
            for stored in follower.next().await? {
                let told = Told::of(&stored)?;
                if let Event::Grant(_) = &told.event {
                    touched.insert(GrantId::new(told.stream.aggregate_id));
                }
                touched.extend(audit::cut_off(log.db(), &told, self.dispatch.clock.now()).await?);
            }
            let now = Place { position: follower.position(), at: self.dispatch.clock.now() };
            for grant in touched {
                let file = audit::grant(log, grant).await?.filter(|file| self.filter.takes(&file.record, now.at));
                if let Some(file) = file {
                    self.print(&[file.record], now).await?;
                }
            }
        }
    }
}
