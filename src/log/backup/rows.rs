//! Writing a backup's rows into an empty store, many at once as one JSON array.

use projections::Dialect;
use serde::Serialize;
use sqlx::FromRow;

use crate::log::connection::{Connection, on_connection};

/// A table, and its columns with PostgreSQL's types.
pub(super) struct Rows {
    table: &'static str,
    columns: &'static [(&'static str, &'static str)],
    on_conflict: &'static str,
}

pub(super) static EPOCHS: Rows =
    Rows { table: "log_epoch", columns: &[("epoch", "TEXT"), ("from_position", "BIGINT")], on_conflict: "" };
pub(super) static VAULT: Rows =
    Rows { table: "vault", columns: &[("kind", "TEXT"), ("id", "TEXT"), ("sealed", "TEXT")], on_conflict: "" };
pub(super) static CLAIMS: Rows = Rows { table: "claim", columns: &[("name", "TEXT"), ("stream", "TEXT")], on_conflict: "" };
pub(super) static EVENTS: Rows = Rows {
    table: "events",
    columns: &[
        ("position", "BIGINT"),
        ("aggregate_type", "TEXT"),
        ("aggregate_id", "TEXT"),
        ("sequence", "BIGINT"),
        ("event_type", "TEXT"),
        ("event_version", "TEXT"),
        ("payload", "JSON"),
        ("metadata", "JSON"),
        ("command_id", "TEXT"),
        ("recorded_at", "BIGINT"),
    ],
    on_conflict: "",
};
pub(super) static HEADS: Rows = Rows {
    table: "stream_head",
    columns: &[
        ("aggregate_type", "TEXT"),
        ("aggregate_id", "TEXT"),
        ("version", "BIGINT"),
        ("state", "TEXT"),
        ("state_version", "INTEGER"),
    ],
    on_conflict: "ON CONFLICT (aggregate_id, aggregate_type) DO UPDATE SET version = excluded.version, state = excluded.state, \
         state_version = excluded.state_version",
};

/// A stream's head.
#[derive(Clone, Debug, Serialize, FromRow)]
pub(super) struct HeadRow {
    pub(super) aggregate_type: String,
    pub(super) aggregate_id: String,
    pub(super) version: i64,
    pub(super) state: String,
    pub(super) state_version: i32,
}

impl Rows {
    /// Inserts rows, in the transaction that is under way.
    pub(super) async fn insert<R: Serialize>(&self, connection: &mut Connection, rows: &[R]) -> Result<(), sqlx::Error> {
        if rows.is_empty() {
            return Ok(());
        }
        let json = serde_json::to_string(rows).expect("rows have a JSON form");
        let sql = self.sql(connection.dialect());
        on_connection!(connection, inner => sqlx::query(&sql).bind(json).execute(inner).await.map(drop))
    }

    fn sql(&self, dialect: Dialect) -> String {
        let names = self.columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        let rows = match dialect {
            // Values of the type JSON come as text, so that they are stored byte for byte.
            Dialect::Postgres => {
                let value =
                    |(name, kind): &(&str, &str)| if *kind == "JSON" { format!("{name}::json") } else { (*name).to_owned() };
                let kind = |kind: &str| if kind == "JSON" { "TEXT".to_owned() } else { kind.to_owned() };
                let values = self.columns.iter().map(value).collect::<Vec<_>>().join(", ");
                let kinds = self.columns.iter().map(|(name, sql)| format!("{name} {}", kind(sql))).collect::<Vec<_>>().join(", ");
                format!("SELECT {values} FROM json_to_recordset($1::json) AS r ({kinds})")
            }
            Dialect::Sqlite => {
                let values = self.columns.iter().map(|(name, _)| format!("json_extract(value, '$.{name}')"));
                format!("SELECT {} FROM json_each($1) WHERE true", values.collect::<Vec<_>>().join(", "))
            }
        };
        format!("INSERT INTO {} ({names}) {rows} {}", self.table, self.on_conflict)
    }
}

/// The heads of the streams with these ids.
pub(super) async fn heads(connection: &mut Connection, ids: &[String]) -> Result<Vec<HeadRow>, sqlx::Error> {
    let sql = format!(
        "SELECT aggregate_type, aggregate_id, version, state, state_version FROM stream_head WHERE aggregate_id IN {}",
        connection.dialect().keys(1)
    );
    let ids = projections::key_list(ids);
    on_connection!(connection, inner => sqlx::query_as(&sql).bind(ids).fetch_all(inner).await)
}
