//! How rebuilt rows differ from the live ones.

use projections::{Table, compare::DifferingRow};

/// A row that differs from the live one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub projection: &'static str,
    /// The row's key.
    pub key: String,
    pub what: Differing,
}

/// How a row differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Differing {
    /// The live read model has it, the log does not give it.
    OnlyLive,
    /// The log gives it, the live read model has it not.
    OnlyRebuilt,
    /// Both have it, with other values in these columns.
    Columns(Vec<String>),
}

impl Difference {
    /// Takes what a comparison found.
    pub(in crate::log) fn of(table: &'static Table, row: DifferingRow) -> Self {
        let what = match row.found.as_str() {
            "live" => Differing::OnlyLive,
            "rebuilt" => Differing::OnlyRebuilt,
            _ => Differing::Columns(row.columns.split_whitespace().map(str::to_owned).collect()),
        };
        Self { projection: table.name, key: row.key, what }
    }
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}: ", self.projection, self.key)?;
        match &self.what {
            Differing::OnlyLive => f.write_str("the log does not give this row"),
            Differing::OnlyRebuilt => f.write_str("the live one lacks this row"),
            Differing::Columns(columns) => write!(f, "{} differ", columns.join(", ")),
        }
    }
}
