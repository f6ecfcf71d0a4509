//! The row changes that a batch of events makes, several to one row folded into one.

use std::collections::BTreeMap;

use domain::Timestamp;
use serde_json::Value;

use crate::table::{EXPIRES_AT, Kind, Table};

/// A row, or some of its columns: texts, integers, booleans and nulls by column name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row(Vec<(&'static str, Value)>);

impl Row {
    /// The value of a column; `None` where the row does not name it.
    #[must_use]
    pub fn get(&self, column: &str) -> Option<&Value> {
        self.0.iter().find(|(name, _)| *name == column).map(|(_, value)| value)
    }

    /// The columns that it names, in no order that means anything.
    pub fn columns(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.0.iter().map(|(name, value)| (*name, value))
    }

    /// Takes columns of which each is named once.
    pub(crate) fn of<const N: usize>(columns: [(&'static str, Value); N]) -> Self {
        Self(columns.into())
    }

    /// Names a column, or gives it another value.
    pub(crate) fn insert(&mut self, column: &'static str, value: Value) {
        match self.0.iter_mut().find(|(name, _)| *name == column) {
            Some((_, old)) => *old = value,
            None => self.0.push((column, value)),
        }
    }

    pub(crate) fn extend(&mut self, columns: Self) {
        for (column, value) in columns.0 {
            self.insert(column, value);
        }
    }

    /// The values of its key as one text.
    fn key(&self, table: &Table) -> String {
        let values = table.key.iter().map(|name| match self.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(value) if !value.is_null() => value.to_string(),
            Some(_) | None => panic!("a change of {} names its {name}", table.name),
        });
        values.collect::<Vec<_>>().join(",")
    }
}

/// The row changes of a batch, by table and key.
#[derive(Debug, Default)]
pub struct Changes {
    tables: BTreeMap<&'static str, BTreeMap<String, Change>>,
}

#[derive(Debug)]
enum Change {
    /// The whole row, whatever stood there.
    Put(Row),
    /// Some columns of a row that stands there.
    Set(Row),
}

impl Changes {
    /// Writes a whole row, in the place of the one with its key if there is one.
    pub fn put(&mut self, table: &'static Table, mut row: Row) {
        debug_assert!(
            row.0.len() == table.columns.len() && table.columns.iter().all(|column| row.get(column.name).is_some()),
            "a row of {} has all of its columns and no other",
            table.name
        );
        let key = row.key(table);
        let changes = self.tables.entry(table.name).or_default();
        if let Some(Change::Put(first)) = changes.get(&key) {
            for column in table.columns.iter().filter(|column| column.kind == Kind::FirstInteger) {
                row.insert(column.name, first.get(column.name).cloned().unwrap_or_default());
            }
        }
        changes.insert(key, Change::Put(row));
    }

    /// Sets some columns of the row with this key; does nothing where there is none, and never makes a column null.
    pub fn set(&mut self, table: &'static Table, mut columns: Row) {
        debug_assert!(
            columns.columns().all(|(name, _)| table.columns.iter().any(|column| column.name == name)),
            "only columns of {} are set",
            table.name
        );
        let key = columns.key(table);
        columns.0.retain(|(_, value)| !value.is_null());
        match self.tables.entry(table.name).or_default().entry(key).or_insert_with(|| Change::Set(Row::default())) {
            Change::Put(row) | Change::Set(row) => row.extend(columns),
        }
    }

    /// Leaves whole rows out that ended before a moment. Only right for a table whose rows are never made to last longer.
    pub fn leave_out_ended(&mut self, table: &Table, before: Timestamp) {
        let ended = |row: &Row| row.get(EXPIRES_AT).and_then(Value::as_i64).is_some_and(|end| end < before.unix());
        if let Some(changes) = self.tables.get_mut(table.name) {
            changes.retain(|_, change| !matches!(change, Change::Put(row) if ended(row)));
        }
    }

    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    /// The whole rows of a table, in the order of their keys.
    pub fn puts(&self, table: &Table) -> impl Iterator<Item = &Row> {
        self.of(table).filter_map(|change| match change {
            Change::Put(row) => Some(row),
            Change::Set(_) => None,
        })
    }

    /// The columns to set in a table, each row's with its key, in the order of the keys. To be applied before the whole rows: no key is
    /// in both.
    pub fn sets(&self, table: &Table) -> impl Iterator<Item = &Row> {
        self.of(table).filter_map(|change| match change {
            Change::Put(_) => None,
            Change::Set(row) => Some(row),
        })
    }

    /// The keys of all rows of a table that change, as a JSON array of objects; `None` if there are none.
    #[must_use]
    pub fn keys_json(&self, table: &Table) -> Option<String> {
        let keys = self.of(table).map(|(Change::Put(row) | Change::Set(row))| {
            table.key.iter().map(|name| (*name, row.get(name))).collect::<BTreeMap<_, _>>()
        });
        let keys = keys.collect::<Vec<_>>();
        (!keys.is_empty()).then(|| serde_json::to_string(&keys).expect("maps with text keys are JSON"))
    }

    /// The whole rows of a table as a JSON array of objects; `None` if there are none.
    #[must_use]
    pub fn rows_json(&self, table: &Table) -> Option<String> {
        let rows = self.puts(table).map(|row| row.columns().collect::<BTreeMap<_, _>>()).collect::<Vec<_>>();
        (!rows.is_empty()).then(|| serde_json::to_string(&rows).expect("maps with text keys are JSON"))
    }

    fn of(&self, table: &Table) -> impl Iterator<Item = &Change> {
        self.tables.get(table.name).into_iter().flat_map(BTreeMap::values)
    }
}

/// A row: `row! { id: grant_id, state: "live", position: recorded.position }`.
macro_rules! row {
    ($($column:ident: $value:expr),+ $(,)?) => {{
        $crate::changes::Row::of([$((stringify!($column), serde_json::json!($value))),+])
    }};
}
pub(crate) use row;

#[cfg(test)]
mod tests {
    use domain::Timestamp;
    use serde_json::{Value, json};

    use super::{Changes, Row};
    use crate::{
        table::{self, Table},
        testing::{puts, sets},
    };

    const NONE: [Value; 0] = [];

    static LAMP: Table = Table {
        name: "lamp",
        form: 1,
        question: "is it on?",
        key: &["id"],
        columns: &[table::text("id"), table::text("state"), table::nullable_text("colour"), table::position()],
        indexes: &[],
    };

    fn lamp(id: &str, state: &str, position: i64) -> Row {
        row! { id: id, state: state, colour: Value::Null, position: position }
    }

    #[test]
    fn nothing_changed_gives_no_rows() {
        let changes = Changes::default();
        assert!(changes.is_empty());
        assert_eq!(puts(&changes, &LAMP), NONE);
        assert_eq!(sets(&changes, &LAMP), NONE);
    }

    #[test]
    fn a_later_row_takes_the_place_of_an_earlier_one() {
        let mut changes = Changes::default();
        changes.put(&LAMP, lamp("a", "on", 1));
        changes.put(&LAMP, lamp("a", "off", 2));
        assert_eq!(puts(&changes, &LAMP), [json!({"id": "a", "state": "off", "colour": null, "position": 2})]);
    }

    #[test]
    fn columns_set_after_a_row_was_put_are_set_in_that_row() {
        let mut changes = Changes::default();
        changes.put(&LAMP, lamp("a", "on", 1));
        changes.set(&LAMP, row! { id: "a", colour: "red", position: 2 });
        assert_eq!(puts(&changes, &LAMP), [json!({"id": "a", "state": "on", "colour": "red", "position": 2})]);
        assert_eq!(sets(&changes, &LAMP), NONE);
    }

    #[test]
    fn a_row_put_after_columns_were_set_wins_over_them() {
        let mut changes = Changes::default();
        changes.set(&LAMP, row! { id: "a", colour: "red", position: 1 });
        changes.put(&LAMP, lamp("a", "on", 2));
        assert_eq!(puts(&changes, &LAMP), [json!({"id": "a", "state": "on", "colour": null, "position": 2})]);
        assert_eq!(sets(&changes, &LAMP), NONE);
    }

    #[test]
    fn columns_set_one_after_the_other_are_set_together() {
        let mut changes = Changes::default();
        changes.set(&LAMP, row! { id: "a", colour: "red", position: 1 });
        changes.set(&LAMP, row! { id: "a", state: "off", position: 2 });
        changes.set(&LAMP, row! { id: "b", state: "off", position: 3 });
        let expected = [
            json!({"id": "a", "state": "off", "colour": "red", "position": 2}),
            json!({"id": "b", "state": "off", "position": 3}),
        ];
        assert_eq!(sets(&changes, &LAMP), expected);
    }

    #[test]
    fn whole_rows_that_ended_are_left_out_and_what_is_set_by_key_stays() {
        static CANDLE: Table = Table {
            name: "candle",
            form: 1,
            question: "does it burn?",
            key: &["id"],
            columns: &[table::text("id"), table::nullable_integer("expires_at"), table::position()],
            indexes: &[],
        };
        let candle = |id: &str, end: Option<i64>| row! { id: id, expires_at: end, position: 1 };
        let mut changes = Changes::default();
        for (id, end) in [("ended", Some(9)), ("ends", Some(10)), ("burns", None)] {
            changes.put(&CANDLE, candle(id, end));
        }
        changes.set(&CANDLE, candle("set", Some(1)));
        changes.leave_out_ended(&CANDLE, Timestamp::from_unix(10));
        let ids = |rows: Vec<Value>| rows.into_iter().map(|row| row["id"].clone()).collect::<Vec<_>>();
        assert_eq!(ids(puts(&changes, &CANDLE)), ["burns", "ends"]);
        assert_eq!(ids(sets(&changes, &CANDLE)), ["set"]);
    }

    #[test]
    fn a_column_is_never_set_to_null() {
        let mut changes = Changes::default();
        changes.put(&LAMP, row! { id: "a", state: "on", colour: "red", position: 1 });
        changes.set(&LAMP, row! { id: "a", colour: Value::Null, position: 2 });
        assert_eq!(puts(&changes, &LAMP), [json!({"id": "a", "state": "on", "colour": "red", "position": 2})]);
    }
}
