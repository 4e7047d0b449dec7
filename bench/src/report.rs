//! The results: each is one number held against one limit. They are printed as tables for people and written as JSON
//! for programs.

use crate::machine::Machine;
use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;
use std::io::IsTerminal;
use std::path::Path;

#[derive(Serialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum LimitKind {
    Max,
    Min,
}

#[derive(Serialize)]
pub struct Measured {
    pub id: &'static str,
    pub what: String,
    pub value: Option<f64>,
    pub limit: f64,
    pub limit_kind: LimitKind,
    pub unit: &'static str,
    pub pass: bool,
    pub ours_us: Option<f64>,
    pub other_us: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Measured {
    /// `value` against `limit`; without a value it is missed.
    pub fn new(
        id: &'static str,
        what: impl Into<String>,
        unit: &'static str,
        value: Option<f64>,
        limit: (LimitKind, f64),
    ) -> Self {
        let (limit_kind, limit) = limit;
        let value = value.map(|value| round(value, 4));
        let pass =
            value.is_some_and(|value| if limit_kind == LimitKind::Max { value <= limit } else { value >= limit });
        Self { id, what: what.into(), value, limit, limit_kind, unit, pass, ours_us: None, other_us: None, note: None }
    }

    /// Ours divided by the other's, which must not exceed the limit.
    pub fn at_most(
        id: &'static str,
        what: impl Into<String>,
        ours: Option<f64>,
        other: Option<f64>,
        limit: f64,
    ) -> Self {
        let value = ours.zip(other).map(|(ours, other)| ours / other);
        Self::new(id, what, "ratio", value, (LimitKind::Max, limit)).with(ours, other)
    }

    /// The other's divided by ours: so many times faster we must be.
    pub fn at_least(
        id: &'static str,
        what: impl Into<String>,
        ours: Option<f64>,
        other: Option<f64>,
        limit: f64,
    ) -> Self {
        let value = ours.zip(other).map(|(ours, other)| other / ours);
        Self::new(id, what, "ratio", value, (LimitKind::Min, limit)).with(ours, other)
    }

    fn with(mut self, ours: Option<f64>, other: Option<f64>) -> Self {
        self.ours_us = ours.map(|us| round(us, 2));
        self.other_us = other.map(|us| round(us, 2));
        self
    }

    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }
}

fn round(value: f64, digits: i32) -> f64 {
    let scale = 10f64.powi(digits);
    (value * scale).round() / scale
}

/// One method's figures, for the overview and the results file.
#[derive(Serialize)]
pub struct MethodRow {
    pub id: &'static str,
    pub label: String,
    pub min_us: Option<f64>,
    pub median_us: Option<f64>,
    pub p99_us: Option<f64>,
    pub most_descriptors_us: Option<f64>,
    pub most_memory_us: Option<f64>,
}

#[derive(Serialize)]
pub struct Report {
    pub machine: Machine,
    pub results: Vec<Measured>,
    pub methods: Vec<MethodRow>,
    pub curves: Vec<crate::chart::Curves>,
    /// Rows that only say why they have no figures.
    #[serde(skip)]
    pub absent: Vec<(String, String)>,
}

impl Report {
    pub fn missed(&self) -> usize {
        self.results.iter().filter(|result| !result.pass).count()
    }

    pub fn write_json(&self, path: &Path) -> Result<(), String> {
        let mut text = serde_json::to_string_pretty(self).map_err(|error| error.to_string())?;
        text.push('\n');
        std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// `columns`: names of the two columns for the largest host.
    pub fn print(&self, columns: [&str; 2]) {
        println!("{}\n", self.machine.summary());
        println!("One spawn + exit + reap, microseconds");
        println!("{}\n", self.method_table(columns));
        if !self.results.is_empty() {
            let table = self.result_table().to_string();
            let colour = std::io::stdout().is_terminal();
            println!("{}\n", if colour { table.replace("MISSED", "\x1b[31mMISSED\x1b[0m") } else { table });
        }
        let notes =
            self.results.iter().filter_map(|result| result.note.as_ref().map(|note| format!("{}: {note}", result.id)));
        for note in notes.chain(self.machine.notes.iter().cloned()) {
            println!("{note}");
        }
    }

    fn method_table(&self, columns: [&str; 2]) -> Table {
        let mut table = table(&["method", "min", "median", "p99", columns[0], columns[1]], 1..=5);
        for row in &self.methods {
            let figures = [row.min_us, row.median_us, row.p99_us, row.most_descriptors_us, row.most_memory_us];
            table.add_row(std::iter::once(row.label.clone()).chain(figures.map(us)));
        }
        for (label, why) in &self.absent {
            table.add_row([label.as_str(), "", why.as_str()]);
        }
        table
    }

    fn result_table(&self) -> Table {
        let mut table = table(&["id", "what", "ours µs", "other µs", "value", "limit", ""], 2..=5);
        for result in &self.results {
            let ratio = result.unit == "ratio";
            let value = result
                .value
                .map_or_else(|| "-".into(), |value| if ratio { format!("{value:.2}") } else { format!("{value}") });
            let sign = if result.limit_kind == LimitKind::Max { "<=" } else { ">=" };
            let verdict = if result.pass { "ok" } else { "MISSED" };
            table.add_row([
                result.id.to_owned(),
                result.what.clone(),
                us(result.ours_us),
                us(result.other_us),
                value,
                format!("{sign} {}", result.limit),
                verdict.to_owned(),
            ]);
        }
        table
    }
}

/// Without lines, so that rows can be searched and pasted.
fn table(header: &[&str], numbers: std::ops::RangeInclusive<usize>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header);
    for column in numbers {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

fn us(us: Option<f64>) -> String {
    us.map_or_else(String::new, |us| format!("{us:.1}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_hold_in_their_direction() {
        assert!(Measured::at_most("P1", "", Some(115.0), Some(100.0), 1.15).pass);
        assert!(!Measured::at_most("P1", "", Some(116.0), Some(100.0), 1.15).pass);
        assert!(Measured::at_least("P3", "", Some(100.0), Some(1500.0), 15.0).pass);
        assert!(!Measured::at_least("P3", "", Some(100.0), Some(1400.0), 15.0).pass);
    }

    #[test]
    fn what_was_not_measured_is_missed() {
        let result = Measured::at_most("P1", "", None, Some(100.0), 1.15);
        assert!(!result.pass && result.value.is_none());
    }
}
