//! What a projection's table looks like, told once for both stores.

/// A projection's table. Rows are written to the generation that is being kept (`<name>_g<n>`) and read through the view `<name>`.
#[derive(Debug)]
pub struct Table {
    pub name: &'static str,
    /// Raised whenever its columns, its indexes or its rule change: a store whose rows are of another form is built anew when it is migrated.
    pub form: i64,
    /// What it answers, in a sentence.
    pub question: &'static str,
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

#[cfg(test)]
mod tests {
    use domain::Digest;

    use crate::LIVE;

    /// Each live projection's form, and a digest of what its table looks like. Where a digest is another, the form is raised with it.
    const FORMS: &[(&str, i64, &str)] = &[
        ("client", 2, "maKGf71n"),
        ("account", 2, "ZP7jr_Vo"),
        ("browser_session", 1, "v-gewnCn"),
        ("consent", 2, "94b6wlzn"),
        ("authorization_grant", 2, "uoBzpwOz"),
        ("token", 4, "GqKkpu66"),
        ("cutoff", 1, "pkBs2b4v"),
        ("signing_key", 1, "b7Za_fX7"),
        ("invitation", 1, "jHYi0Tq9"),
    ];

    #[test]
    fn a_table_that_was_changed_has_another_form() {
        let forms: Vec<_> = LIVE
            .iter()
            .map(|table| {
                (table.name, table.form, Digest::of(format!("{:?}", (table.key, table.columns, table.indexes)).as_bytes()))
            })
            .collect();
        let forms: Vec<_> = forms.iter().map(|(name, form, digest)| (*name, *form, &digest.as_str()[..8])).collect();
        assert_eq!(forms, FORMS);
    }
}
