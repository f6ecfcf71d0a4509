//! What a projection's table looks like, told once for both stores.

/// A projection's table. Rows are written to the generation that is being kept (`<name>_g<n>`) and read through the view `<name>`.
#[derive(Debug)]
pub struct Table {
    pub name: &'static str,
    /// The columns that name a row.
    pub key: &'static [&'static str],
    pub columns: &'static [Column],
    /// The columns of each index. None is unique: the log's claims decide that, and a projection must never refuse an event.
    pub indexes: &'static [&'static [&'static str]],
}

/// A column of a projection's table.
#[derive(Debug)]
pub struct Column {
    pub name: &'static str,
    pub kind: Kind,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    NullableText,
    Integer,
    NullableInteger,
    /// An integer that stays as the first row with its key said.
    FirstInteger,
    Boolean,
    /// The position of the event that wrote the row last: its ordinal in the batch, counted from 1, to which the store adds the
    /// head before the batch.
    Position,
}

impl Table {
    /// The table of a generation.
    #[must_use]
    pub fn generation(&self, generation: i64) -> String {
        format!("{}_g{generation}", self.name)
    }

    /// Whether rows end by themselves, at the moment in the column `expires_at`.
    #[must_use]
    pub fn expires(&self) -> bool {
        self.columns.iter().any(|column| column.name == EXPIRES_AT)
    }

    /// All columns, separated by commas: for the queries that read whole rows.
    #[must_use]
    pub fn column_list(&self) -> String {
        self.columns.iter().map(|column| column.name).collect::<Vec<_>>().join(", ")
    }

    pub(crate) fn is_key(&self, column: &Column) -> bool {
        self.key.contains(&column.name)
    }
}

/// The column that says until when a row matters.
pub const EXPIRES_AT: &str = "expires_at";

pub(crate) const fn text(name: &'static str) -> Column {
    Column { name, kind: Kind::Text }
}

pub(crate) const fn nullable_text(name: &'static str) -> Column {
    Column { name, kind: Kind::NullableText }
}

pub(crate) const fn integer(name: &'static str) -> Column {
    Column { name, kind: Kind::Integer }
}

pub(crate) const fn nullable_integer(name: &'static str) -> Column {
    Column { name, kind: Kind::NullableInteger }
}

pub(crate) const fn first_integer(name: &'static str) -> Column {
    Column { name, kind: Kind::FirstInteger }
}

pub(crate) const fn boolean(name: &'static str) -> Column {
    Column { name, kind: Kind::Boolean }
}

pub(crate) const fn position() -> Column {
    Column { name: "position", kind: Kind::Position }
}
