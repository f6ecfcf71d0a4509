//! Where two generations of a projection's table differ: the rebuilt one and the live one, which other writers go on changing meanwhile.

use sqlx::FromRow;

use crate::{
    Dialect, Table,
    table::{Column, EXPIRES_AT},
};

/// Which rows are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compared {
    /// Those whose first key column is after `$3`, and not after `$4`.
    Between,
    /// Those with the keys in a JSON array, bound as `$3`: what [`crate::Changes::keys_json`] gives.
    Keys,
    /// The rows in a JSON array, bound as `$3`, in the place of a generation that was rebuilt: what [`crate::Changes::rows_json`] gives. Rows
    /// that only the live generation has are not found.
    Rows,
}

/// A row that differs.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct DifferingRow {
    /// The values of its key, separated by commas.
    pub key: String,
    /// `both`, or which of the generations has it: `live` or `rebuilt`.
    pub found: String,
    /// The columns that differ, separated by spaces.
    pub columns: String,
}

impl Table {
    /// The first key column of a generation's rows, so many rows after one: `$1` is the key, `$2` how many rows. None where fewer are left.
    #[must_use]
    pub fn key_after(&self, generation: i64) -> String {
        let (first, table) = (self.key[0], self.generation(generation));
        format!("SELECT {first} FROM {table} WHERE {first} > $1 ORDER BY {first} LIMIT 1 OFFSET $2")
    }

    /// The query for rows that differ between the generation that is live and one that was rebuilt up to a position, one statement
    /// and therefore one snapshot. Its parameters: `$1` that position: a row that the live generation changed after it is left
    /// aside; `$2` a moment: rows that have expired by then are left aside, since the live ones may have been swept; those of what is
    /// [`Compared`]; and the last one how many rows to name.
    #[must_use]
    pub fn differences(&self, dialect: Dialect, live: i64, rebuilt: i64, compared: Compared) -> String {
        let (live, rebuilt) = (self.generation(live), self.generation(rebuilt));
        let (first, on) = (self.key[0], self.equal_keys("l", "n"));
        let (pairs, limit) = match compared {
            Compared::Between => (between(dialect, (&live, &rebuilt), first, &on), "$5"),
            Compared::Keys => {
                let keys = self.bound(dialect, &live, self.key.iter().copied());
                let (of_live, of_rebuilt) = (self.equal_keys("l", "k"), self.equal_keys("n", "k"));
                (
                    vec![format!(
                        "{keys} AS k LEFT JOIN {live} AS l ON {of_live} LEFT JOIN {rebuilt} AS n ON {of_rebuilt} WHERE true"
                    )],
                    "$4",
                )
            }
            Compared::Rows => {
                let rows = self.bound(dialect, &live, self.columns.iter().map(|column| column.name));
                (vec![format!("{rows} AS n LEFT JOIN {live} AS l ON {on} WHERE true")], "$4")
            }
        };
        let key = self.key.iter().map(|name| format!("COALESCE(l.{name}, n.{name})")).collect::<Vec<_>>().join(" || ',' || ");
        let differs = |column: &Column| format!("l.{name} IS DISTINCT FROM n.{name}", name = column.name);
        let named =
            self.columns.iter().map(|column| format!("CASE WHEN {} THEN '{} ' ELSE '' END", differs(column), column.name));
        let named = named.collect::<Vec<_>>().join(" || ");
        let differ = self.columns.iter().map(differs).collect::<Vec<_>>().join(" OR ");
        let lives = self.lives();
        let differing = |pairs: &String| {
            format!(
                "SELECT {key} AS key, CASE WHEN l.{first} IS NULL THEN 'rebuilt' WHEN n.{first} IS NULL THEN 'live' ELSE 'both' END AS found,
                    {named} AS columns
                 FROM {pairs} AND COALESCE(l.position, 0) <= $1 AND ({lives}) AND ({differ})"
            )
        };
        format!("{} LIMIT {limit}", pairs.iter().map(differing).collect::<Vec<_>>().join(" UNION ALL "))
    }

    /// Whether either row has not expired at `$2`.
    fn lives(&self) -> String {
        if !self.expires() {
            return "$2 IS NOT NULL".to_owned();
        }
        let lives = |row: &str| format!("({row}.{} IS NOT NULL AND COALESCE({row}.{EXPIRES_AT} > $2, true))", self.key[0]);
        format!("{} OR {}", lives("l"), lives("n"))
    }

    fn equal_keys(&self, one: &str, other: &str) -> String {
        self.key.iter().map(|name| format!("{one}.{name} = {other}.{name}")).collect::<Vec<_>>().join(" AND ")
    }

    /// These columns of what is bound as `$3`, as a relation.
    fn bound(&self, dialect: Dialect, table: &str, columns: impl Iterator<Item = &'static str>) -> String {
        match dialect {
            Dialect::Postgres => format!("json_populate_recordset(NULL::{table}, $3::json)"),
            Dialect::Sqlite => {
                let columns = columns.map(|name| format!("json_extract(value, '$.{name}') AS {name}"));
                format!("(SELECT {} FROM json_each($3))", columns.collect::<Vec<_>>().join(", "))
            }
        }
    }
}

/// The rows of two tables whose first key column is between `$3` and `$4`, side by side: as one relation, or as two that have no pair in
/// common.
fn between(dialect: Dialect, (live, rebuilt): (&str, &str), first: &str, on: &str) -> Vec<String> {
    let rows = |table: &str| format!("(SELECT * FROM {table} WHERE {first} > $3 AND {first} <= $4)");
    match dialect {
        Dialect::Postgres => vec![format!("{} AS l FULL JOIN {} AS n ON {on} WHERE true", rows(live), rows(rebuilt))],
        // Its full join reads all rows of one side for each of the other.
        Dialect::Sqlite => vec![
            format!("{} AS l LEFT JOIN {rebuilt} AS n ON {on} WHERE true", rows(live)),
            format!("{} AS n LEFT JOIN {live} AS l ON {on} WHERE l.{first} IS NULL", rows(rebuilt)),
        ],
    }
}
