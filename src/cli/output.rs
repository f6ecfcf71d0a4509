//! What commands print: tables and lines for people, JSON for programs. Standard output holds the answer and nothing else.

use std::{
    fmt::Display,
    io::{self, IsTerminal, Write},
};

use comfy_table::{ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle};
use domain::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::clock::rfc3339;

use super::failure::Failure;

/// A line under the column names, and nothing else between what people read.
const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// A terminal of fewer columns breaks lines better itself.
const NARROW: u16 = 60;

/// How the answer is printed.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct Format {
    /// Print JSON, for programs
    #[arg(long)]
    pub(super) json: bool,
}

/// Prints a line of the answer.
///
/// # Errors
/// That it cannot be written.
pub(super) fn line(text: impl Display) -> Result<(), Failure> {
    write(&format!("{text}\n"))
}

/// Prints a text that ends its own lines.
///
/// # Errors
/// That it cannot be written.
pub(super) fn text(text: &impl Display) -> Result<(), Failure> {
    write(&text.to_string())
}

/// Prints a JSON answer: indented where a person looks, else on one line.
///
/// # Errors
/// That it cannot be written.
pub(super) fn json(value: &impl Serialize) -> Result<(), Failure> {
    let text = if io::stdout().is_terminal() { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) };
    line(text.map_err(|error| Failure::Failed(error.to_string()))?)
}

/// Prints names and values, one pair a line. Pairs without a value are left out.
///
/// # Errors
/// That it cannot be written.
pub(super) fn pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, String)>) -> Result<(), Failure> {
    let pairs: Vec<_> = pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    let width = pairs.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    pairs.iter().try_for_each(|(name, value)| line(format_args!("  {name:width$}  {value}")))
}

/// A list as it grows: a table for people at its end, or a JSON array element by element, however long it is.
pub(super) struct List {
    table: Option<Table>,
    written: usize,
}

impl List {
    /// Takes the table's column names.
    pub(super) fn begin(format: Format, columns: &[&str]) -> Self {
        let mut table = Table::new();
        table.load_style(STYLE).set_header(columns.iter().copied());
        if table.width().is_some_and(|width| width >= NARROW) {
            table.set_content_arrangement(ContentArrangement::Dynamic);
        }
        // What names a row is to be copied, and stays in one piece.
        if let Some(name) = table.column_mut(0) {
            name.set_constraint(ColumnConstraint::ContentWidth);
        }
        Self { table: (!format.json).then_some(table), written: 0 }
    }

    /// Adds an element: its cells for people, its JSON for programs.
    ///
    /// # Errors
    /// That it cannot be written.
    pub(super) fn add(&mut self, cells: Vec<String>, element: &Value) -> Result<(), Failure> {
        match &mut self.table {
            Some(table) => drop(table.add_row(cells)),
            None => write(&format!("{}{element}", if self.written == 0 { "[" } else { ",\n " }))?,
        }
        self.written += 1;
        Ok(())
    }

    /// Prints what has not been printed. `empty` is said of an empty list.
    ///
    /// # Errors
    /// That it cannot be written.
    pub(super) fn end(self, empty: &str) -> Result<(), Failure> {
        match (self.table, self.written) {
            (Some(_), 0) => line(empty),
            (Some(table), _) => line(table.trim_fmt()),
            (None, 0) => line("[]"),
            (None, _) => line("]"),
        }
    }
}

/// A moment for people and programs: RFC 3339, in UTC.
pub(super) fn moment(seconds: i64) -> String {
    rfc3339(Timestamp::from_unix(seconds))
}

/// The day of a moment, for tables.
pub(super) fn day(seconds: i64) -> String {
    moment(seconds).split('T').next().unwrap_or_default().to_owned()
}

fn write(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::NobodyReads,
        _ => Failure::io("standard output", &error),
    })
}
