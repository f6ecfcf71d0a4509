//! Live read models built anew from the log while the server serves: beside the live one, compared with it, and switched under the
//! head lock. A build that was killed is gone on with by the next.

mod begin;
mod build;
mod compare;
mod difference;
mod lock;
mod pace;
mod read;
mod status;
mod switch;

pub use difference::{Difference, Differing};
pub use status::{GenerationState, ProjectionStatus, drop_unused, status};

use domain::Timestamp;
use projections::{Db, Dialect, LIVE, Table};

use super::{Log, archive::Archive, project::ProjectError};
use crate::clock::Clock;
use build::{Build, Source};
use pace::Pace;

/// Rows that expire within so many seconds are not compared: other nodes' clocks, by which they are swept, may be ahead.
const CLOCKS_DIFFER: u32 = 60;

/// Rows that ended so many seconds ago are swept long since, and with them what stood on them.
const LONG_ENDED: i64 = 86_400;

/// What is rebuilt, and how.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The projections' names; none for all of them, in one pass over the log.
    pub names: Vec<String>,
    /// The share of the time in which it works, in percent (1 to 100): the rest is left to the server.
    pub duty: u8,
    pub differences: OnDifference,
}

impl Plan {
    /// The share that a server hardly notices, in percent. SQLite has one writer at a time: whoever builds keeps the server from writing.
    #[must_use]
    pub const fn usual_duty(dialect: Dialect) -> u8 {
        match dialect {
            Dialect::Postgres => 25,
            Dialect::Sqlite => 12,
        }
    }
}

/// What to do when the rebuilt rows are not the live ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnDifference {
    /// Leave the live ones in place.
    Refuse,
    /// Put the rebuilt ones in their place: the live ones are damaged.
    Accept,
}

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub position: i64,
    /// The head of the log.
    pub head: i64,
    /// Since this run began, its pauses included.
    pub events_per_second: u64,
}

/// What came of a rebuild or of a verification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rebuilt {
    /// Where it began: 0, or the position to which what it went on with had come.
    pub from: i64,
    /// The head at which the last events were compared.
    pub position: i64,
    pub projections: Vec<RebuiltProjection>,
    /// The first rows that differed; empty unless they were accepted.
    pub differences: Vec<Difference>,
}

/// A projection that was rebuilt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RebuiltProjection {
    pub name: &'static str,
    /// The generation that was built.
    pub generation: i64,
    /// Its rows. What ended long ago is not among them.
    pub rows: i64,
}

/// Why nothing was switched.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    #[error("the store does not answer: {0}")]
    Store(#[from] sqlx::Error),
    #[error("there is no projection {name}; there are {}", all_names().join(", "), name = .0)]
    Unknown(String),
    #[error("another rebuild is under way")]
    UnderWay,
    #[error("there is no generation that is {}", .0.as_str())]
    NothingBuilt(GenerationState),
    #[error("the file that keeps other rebuilds away: {0}")]
    Lock(std::io::Error),
    #[error(transparent)]
    Event(ProjectError),
    #[error("the rebuilt rows are not the live ones: {}", list(.0))]
    Differs(Vec<Difference>),
    #[error("readers did not let go of the live read models: try again")]
    Busy,
}

impl From<ProjectError> for RebuildError {
    fn from(error: ProjectError) -> Self {
        match error {
            ProjectError::Store(error) => Self::Store(error),
            ProjectError::Event { .. } => Self::Event(error),
        }
    }
}

/// All live projections.
#[must_use]
pub const fn all() -> &'static [&'static Table] {
    LIVE
}

/// The names of all live projections.
#[must_use]
pub fn all_names() -> Vec<&'static str> {
    LIVE.iter().map(|table| table.name).collect()
}

fn list(differences: &[Difference]) -> String {
    differences.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// What is done with what was built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    Switch,
    /// It stays beside the live one, for a switch at another time.
    Keep,
    Drop,
}

/// Builds the projections anew from the log and, where they are as the live ones, makes the new ones live. The old ones stay, retired,
/// until [`drop_unused`]. Running servers notice at their next append. After a kill, the next call goes on where this one was.
///
/// # Errors
/// `Differs` with the first rows that are not as the live ones, unless the plan accepts them; or what was in the way.
pub async fn rebuild(
    log: &Log,
    clock: &Clock,
    plan: &Plan,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Rebuilt, RebuildError> {
    run((log.db(), log.archive()), clock, plan, (Source::Log, Then::Switch), progress).await
}

/// As [`rebuild`], but what was built waits, ready, for [`switch`].
///
/// # Errors
/// As [`rebuild`].
pub async fn build(
    log: &Log,
    clock: &Clock,
    plan: &Plan,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Rebuilt, RebuildError> {
    run((log.db(), log.archive()), clock, plan, (Source::Log, Then::Keep), progress).await
}

/// Brings what [`build`] left ready up to the head, compares it again, and makes it live.
///
/// # Errors
/// As [`rebuild`]; or that nothing is ready.
pub async fn switch(
    log: &Log,
    clock: &Clock,
    plan: &Plan,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Rebuilt, RebuildError> {
    run((log.db(), log.archive()), clock, plan, (Source::Ready, Then::Switch), progress).await
}

/// Makes the generations that were live before live again. Nobody wrote to them meanwhile: they are brought up to the head and compared
/// like any other. Also the way back to an earlier grantlog, whose form of the read models was retired when a later one took the store
/// over: run by that earlier one.
///
/// # Errors
/// As [`rebuild`]; or that nothing of this program's form is retired.
pub async fn rollback(
    log: &Log,
    clock: &Clock,
    plan: &Plan,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Rebuilt, RebuildError> {
    run((log.db(), log.archive()), clock, plan, (Source::Retired, Then::Switch), progress).await
}

/// Builds the projections anew and compares them with the live ones; leaves nothing behind.
///
/// # Errors
/// As [`rebuild`].
pub async fn verify(
    log: &Log,
    clock: &Clock,
    plan: &Plan,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Rebuilt, RebuildError> {
    run((log.db(), log.archive()), clock, plan, (Source::Log, Then::Drop), progress).await
}

/// Builds projections that a store does not have yet, or has in an earlier form, and makes them live: there is nothing to compare them with.
///
/// # Errors
/// What was in the way.
pub(super) async fn adopt(
    store: (&Db, &Archive),
    names: Vec<String>,
    duty: u8,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Rebuilt, RebuildError> {
    let plan = Plan { names, duty, differences: OnDifference::Refuse };
    run(store, &Clock::default(), &plan, (Source::LogInNewForm, Then::Switch), progress).await
}

async fn run(
    store: (&Db, &Archive),
    clock: &Clock,
    plan: &Plan,
    (source, then): (Source, Then),
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Rebuilt, RebuildError> {
    let ended = Timestamp::from_unix(clock.now().unix().saturating_sub(LONG_ENDED));
    let mut build = Build::open(store, &chosen(&plan.names)?, (source, plan.differences), ended).await?;
    let from = build.position();
    let pace = Pace::from(from, plan.duty);
    pace.build(&mut build, progress).await?;
    build.analyze().await?;
    let horizon = || clock.now().plus(CLOCKS_DIFFER);
    let mut differences = build.compare_all(store.0, horizon(), &pace).await?;
    pace.catch_up(&mut build, horizon(), &mut differences, progress).await?;
    if !differences.is_empty() && plan.differences == OnDifference::Refuse {
        return Err(refused(&mut build, source, differences).await);
    }
    let rows = build.count(store.0).await?;
    let position = match build.finish(then, plan.differences, horizon(), &mut differences).await {
        Ok(position) => position,
        Err(RebuildError::Differs(differences)) => return Err(refused(&mut build, source, differences).await),
        Err(error) => return Err(error),
    };
    match then {
        Then::Switch => {}
        Then::Keep => build.keep().await?,
        Then::Drop => build.discard().await?,
    }
    progress(pace.progress(position, position));
    Ok(Rebuilt { from, position, projections: rows, differences })
}

/// What differs goes, if this build made it; what was there before stays as it was.
async fn refused(build: &mut Build, source: Source, differences: Vec<Difference>) -> RebuildError {
    let gone = match source {
        Source::Log | Source::LogInNewForm => build.discard().await,
        Source::Ready | Source::Retired => Ok(()),
    };
    gone.err().unwrap_or(RebuildError::Differs(differences))
}

fn chosen(names: &[String]) -> Result<Vec<&'static Table>, RebuildError> {
    for name in names {
        if !LIVE.iter().any(|table| table.name == name) {
            return Err(RebuildError::Unknown(name.clone()));
        }
    }
    Ok(LIVE.iter().copied().filter(|table| names.is_empty() || names.iter().any(|name| name == table.name)).collect())
}
