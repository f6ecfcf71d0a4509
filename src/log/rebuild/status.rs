//! Which generations of the projections there are, and taking away those that are no longer needed.

use std::time::Duration;

use projections::{Db, LIVE, Table, on_db};
use sqlx::FromRow;

use super::{RebuildError, chosen, lock::Lock};
use crate::log::{
    Log,
    connection::{Connection, is_locked, on_connection},
};

/// Attempts to drop a table that somebody still reads.
const ATTEMPTS: usize = 40;
const PAUSE: Duration = Duration::from_millis(100);

/// A generation of a projection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectionStatus {
    pub name: &'static str,
    pub generation: i64,
    pub state: GenerationState,
    /// The position up to which it is as the log says.
    pub position: i64,
    pub rows: i64,
}

/// What a generation is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GenerationState {
    /// It answers, and is written with every append.
    Active,
    /// It is being built, or was when its builder was killed.
    Building,
    /// It was built and found equal, and is not live yet.
    Ready,
    /// Another took its place.
    Retired,
}

impl GenerationState {
    /// As it is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Building => "building",
            Self::Ready => "ready",
            Self::Retired => "retired",
        }
    }
}

#[derive(FromRow)]
pub(super) struct GenerationRow {
    pub(super) name: String,
    pub(super) generation: i64,
    state: String,
    pub(super) position: i64,
    pub(super) form: i64,
}

impl GenerationRow {
    pub(super) fn state(&self) -> Result<GenerationState, RebuildError> {
        let states = [GenerationState::Active, GenerationState::Building, GenerationState::Ready, GenerationState::Retired];
        let known = states.into_iter().find(|state| state.as_str() == self.state);
        known.ok_or_else(|| sqlx::Error::Decode(format!("no state of a projection: {}", self.state).into()).into())
    }
}

/// All generations that are there, by projection and number.
///
/// # Errors
/// That the store does not answer.
pub async fn status(log: &Log) -> Result<Vec<ProjectionStatus>, RebuildError> {
    let mut connection = Connection::open(log.db()).await?;
    let head: i64 = on_connection!(&mut connection, inner => {
        sqlx::query_scalar("SELECT position FROM log_head").fetch_one(inner).await
    })?;
    let mut generations = Vec::new();
    for row in rows(&mut connection).await? {
        let Some(table) = LIVE.iter().find(|table| table.name == row.name) else { continue };
        let state = row.state()?;
        let position = match state {
            GenerationState::Active => head,
            GenerationState::Building | GenerationState::Ready | GenerationState::Retired => row.position,
        };
        let rows = count(log.db(), table, row.generation).await?;
        generations.push(ProjectionStatus { name: table.name, generation: row.generation, state, position, rows });
    }
    Ok(generations)
}

/// Drops the generations of these projections, or of all where none is named, that are not live: retired ones, and those that are ready.
/// Gives how many went.
///
/// # Errors
/// That the store does not answer, or a rebuild is under way.
pub async fn drop_unused(log: &Log, names: &[String]) -> Result<usize, RebuildError> {
    let tables = chosen(names)?;
    let mut connection = Connection::open(log.db()).await?;
    let _lock = Lock::take(&mut connection).await?;
    let mut dropped = 0;
    for row in rows(&mut connection).await? {
        let Some(table) = tables.iter().find(|table| table.name == row.name) else { continue };
        match row.state()? {
            GenerationState::Retired | GenerationState::Ready => drop_patiently(&mut connection, table, row.generation).await?,
            GenerationState::Active | GenerationState::Building => continue,
        }
        dropped += 1;
    }
    Ok(dropped)
}

async fn drop_patiently(connection: &mut Connection, table: &Table, generation: i64) -> Result<(), RebuildError> {
    for _ in 0..ATTEMPTS {
        connection.begin().await?;
        match drop_generation(connection, table, generation).await {
            Ok(()) => return Ok(connection.commit().await?),
            Err(error) => {
                connection.rollback().await?;
                if !is_locked(&error) {
                    return Err(error.into());
                }
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(RebuildError::Busy)
}

pub(super) async fn rows(connection: &mut Connection) -> Result<Vec<GenerationRow>, sqlx::Error> {
    let sql = "SELECT name, generation, state, position, form FROM projection ORDER BY name, generation";
    on_connection!(connection, inner => sqlx::query_as(sql).fetch_all(inner).await)
}

pub(super) async fn count(db: &Db, table: &Table, generation: i64) -> Result<i64, sqlx::Error> {
    let sql = format!("SELECT count(*) FROM {}", table.generation(generation));
    on_db!(db, pool => sqlx::query_scalar(&sql).fetch_one(pool).await)
}

/// Drops a generation and forgets it, in the transaction that is under way.
pub(super) async fn drop_generation(connection: &mut Connection, table: &Table, generation: i64) -> Result<(), sqlx::Error> {
    for statement in table.drop_generation(connection.dialect(), generation) {
        connection.run(&statement).await?;
    }
    let sql = "DELETE FROM projection WHERE name = $1 AND generation = $2";
    on_connection!(connection, inner => sqlx::query(sql).bind(table.name).bind(generation).execute(inner).await.map(drop))
}
