//! Where a build begins: the generations that it builds into, made or found, and the position from which.

use std::collections::BTreeMap;

use projections::Table;

use super::{
    OnDifference, RebuildError,
    build::{Live, Target},
    status::{self, GenerationRow, GenerationState},
};
use crate::log::connection::{Connection, on_connection};

/// The generations of a projection that there are, as far as a build needs to know them.
#[derive(Clone, Copy, Default)]
struct Known {
    live: Option<Live>,
    last: i64,
}

fn known(rows: &[GenerationRow]) -> Result<BTreeMap<&str, Known>, RebuildError> {
    let mut known: BTreeMap<&str, Known> = BTreeMap::new();
    for row in rows {
        let one = known.entry(&row.name).or_default();
        one.last = one.last.max(row.generation);
        match row.state()? {
            GenerationState::Active => one.live = Some(Live { generation: row.generation, form: row.form }),
            GenerationState::Building | GenerationState::Ready | GenerationState::Retired => {}
        }
    }
    Ok(known)
}

/// The last generation of each projection that is in a state and of today's form.
pub(super) fn in_state(rows: &[GenerationRow], wanted: GenerationState) -> Result<BTreeMap<&str, &GenerationRow>, RebuildError> {
    let mut found = BTreeMap::new();
    for row in rows {
        let of_form = projections::LIVE.iter().any(|table| table.name == row.name && table.form == row.form);
        if of_form && row.state()? == wanted {
            found.insert(row.name.as_str(), row);
        }
    }
    Ok(found)
}

/// The generations to build into, and the position from which.
pub(super) async fn begin(
    connection: &mut Connection,
    tables: &[&'static Table],
    differences: OnDifference,
) -> Result<(Vec<Target>, i64), RebuildError> {
    if tables.is_empty() {
        return Err(RebuildError::NothingBuilt(GenerationState::Building));
    }
    let rows = status::rows(connection).await?;
    let known = known(&rows)?;
    let known = |table: &Table| known.get(table.name).copied().unwrap_or_default();
    let left = in_state(&rows, GenerationState::Building)?;
    let first = left.values().map(|row| row.position).next();
    let same = left.len() == tables.len() && tables.iter().all(|table| left.get(table.name).map(|row| row.position) == first);
    // What was left may have been built by other rules: whoever takes it unseen builds from the beginning.
    if same && differences == OnDifference::Refuse {
        let targets = tables.iter().map(|table| Target { table, live: known(table).live, building: left[table.name].generation });
        return Ok((targets.collect(), first.unwrap_or_default()));
    }
    for row in &rows {
        let table = projections::LIVE.iter().find(|table| table.name == row.name);
        if let (Some(table), GenerationState::Building) = (table, row.state()?) {
            status::drop_generation(connection, table, row.generation).await?;
        }
    }
    let mut targets = Vec::new();
    for table in tables {
        let building = known(table).last + 1;
        for statement in table.create_generation(connection.dialect(), building) {
            connection.run(&statement).await?;
        }
        let sql = "INSERT INTO projection (name, generation, state, position, form) VALUES ($1, $2, 'building', 0, $3)";
        on_connection!(&mut *connection, inner => {
            sqlx::query(sql).bind(table.name).bind(building).bind(table.form).execute(inner).await.map(drop)
        })?;
        targets.push(Target { table, live: known(table).live, building });
    }
    Ok((targets, 0))
}

/// The generations in a state, to be brought up to the head: all from the position of the one that is furthest behind, which does no harm to
/// the others.
pub(super) async fn go_on(
    connection: &mut Connection,
    tables: &[&'static Table],
    state: GenerationState,
) -> Result<(Vec<Target>, i64), RebuildError> {
    let rows = status::rows(connection).await?;
    let (known, found) = (known(&rows)?, in_state(&rows, state)?);
    let live = |table: &Table| known.get(table.name).and_then(|known| known.live);
    let targets: Vec<Target> = tables
        .iter()
        .filter_map(|table| Some(Target { table, live: live(table), building: found.get(table.name)?.generation }))
        .collect();
    let Some(position) = targets.iter().map(|target| found[target.table.name].position).min() else {
        return Err(RebuildError::NothingBuilt(state));
    };
    for target in &targets {
        let sql = "UPDATE projection SET position = $1 WHERE name = $2 AND generation = $3";
        on_connection!(&mut *connection, inner => {
            sqlx::query(sql).bind(position).bind(target.table.name).bind(target.building).execute(inner).await.map(drop)
        })?;
    }
    Ok((targets, position))
}
