//! The results: each is one number, held against one limit or only told. They are printed as tables for people and
//! written as JSON for programs.

use crate::machine::Machine;
use crate::measure::Samples;
use crate::noise::{self, Interval};
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
    /// `null`: a figure that is only told.
    pub limit: Option<f64>,
    pub limit_kind: LimitKind,
    /// The limit is what shall be reached; only beyond this is it missed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fails_at: Option<f64>,
    pub unit: &'static str,
    pub pass: bool,
    /// Where chance would have put the value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noise: Option<Interval>,
    /// Chance could have put it on the other side of the limit; a ratio that is only told: on the other side of 1.
    pub below_noise: bool,
    pub ours_us: Option<f64>,
    pub other_us: Option<f64>,
    /// More to compare with than there is room for in the table.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<Beside>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// What is compared: a figure, and the samples whose median it is if there are any.
#[derive(Clone, Copy)]
pub struct Figure<'a> {
    median: Option<f64>,
    samples: Option<&'a Samples>,
}

impl From<Option<f64>> for Figure<'_> {
    fn from(median: Option<f64>) -> Self {
        Self { median, samples: None }
    }
}

impl<'a> From<&'a Samples> for Figure<'a> {
    fn from(samples: &'a Samples) -> Self {
        Self { median: samples.median(), samples: Some(samples) }
    }
}

impl<'a> From<Option<&'a Samples>> for Figure<'a> {
    fn from(samples: Option<&'a Samples>) -> Self {
        Self { median: samples.and_then(Samples::median), samples }
    }
}

#[derive(Serialize)]
pub struct Beside {
    pub what: String,
    pub us: f64,
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
        Self {
            id,
            what: what.into(),
            value,
            limit: Some(limit),
            limit_kind,
            fails_at: None,
            unit,
            pass,
            noise: None,
            below_noise: false,
            ours_us: None,
            other_us: None,
            beside: Vec::new(),
            note: None,
        }
    }

    /// A figure of this machine, which no limit could be right for.
    pub fn told(id: &'static str, what: impl Into<String>, unit: &'static str, value: Option<f64>) -> Self {
        Self::new(id, what, unit, value, (LimitKind::Min, 0.0)).only_told()
    }

    /// Ours divided by the other's, which must not exceed the limit.
    pub fn at_most<'a>(
        id: &'static str,
        what: impl Into<String>,
        ours: impl Into<Figure<'a>>,
        other: impl Into<Figure<'a>>,
        limit: f64,
    ) -> Self {
        let (ours, other) = (ours.into(), other.into());
        Self::ratio(id, what, ours, other, (LimitKind::Max, limit)).with(ours.median, other.median)
    }

    /// The other's divided by ours: so many times faster we must be.
    pub fn at_least<'a>(
        id: &'static str,
        what: impl Into<String>,
        ours: impl Into<Figure<'a>>,
        other: impl Into<Figure<'a>>,
        limit: f64,
    ) -> Self {
        let (ours, other) = (ours.into(), other.into());
        Self::ratio(id, what, other, ours, (LimitKind::Min, limit)).with(ours.median, other.median)
    }

    fn ratio(id: &'static str, what: impl Into<String>, above: Figure, below: Figure, limit: (LimitKind, f64)) -> Self {
        let value = above.median.zip(below.median).map(|(above, below)| above / below);
        let samples = above.samples.zip(below.samples);
        let noise = samples.and_then(|(above, below)| noise::of_ratio(above.series(), below.series()));
        Self::new(id, what, "ratio", value, limit).noise(noise)
    }

    /// The limit does not count: a ratio of this machine.
    pub fn only_told(mut self) -> Self {
        (self.limit, self.pass) = (None, self.value.is_some());
        let noise = self.noise;
        self.noise(noise)
    }

    pub fn noise(mut self, noise: Option<Interval>) -> Self {
        self.noise = noise;
        let against = self.fails_at.or(self.limit).or((self.unit == "ratio").then_some(1.0));
        self.below_noise = noise.zip(against).is_some_and(|(noise, against)| noise.holds(against));
        self
    }

    pub fn with(mut self, ours: Option<f64>, other: Option<f64>) -> Self {
        self.ours_us = ours.map(|us| round(us, 2));
        self.other_us = other.map(|us| round(us, 2));
        self
    }

    /// For a limit from above.
    pub fn fails_at(mut self, value: f64) -> Self {
        self.fails_at = Some(value);
        self.pass = self.value.is_some_and(|found| found <= value);
        let noise = self.noise;
        self.noise(noise)
    }

    /// Between the limit and where it fails.
    fn near(&self) -> bool {
        self.pass && self.fails_at.is_some() && self.value > self.limit
    }

    pub fn beside(mut self, what: impl Into<String>, us: Option<f64>) -> Self {
        self.beside.extend(us.map(|us| Beside { what: what.into(), us: round(us, 2) }));
        self
    }

    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }

    /// What there is to say below the table.
    fn said(&self) -> Option<String> {
        let beside = self.beside.iter().map(|beside| format!("{} {:.1} us", beside.what, beside.us));
        let said: Vec<String> = self.note.iter().cloned().chain(beside).collect();
        (!said.is_empty()).then(|| format!("{}: {}", self.id, said.join("; ")))
    }
}

fn round(value: f64, digits: i32) -> f64 {
    let scale = 10f64.powi(digits);
    (value * scale).round() / scale
}

/// `R`: one method's figures, as the results file has them.
#[derive(Serialize)]
pub struct Report<R> {
    pub machine: Machine,
    pub results: Vec<Measured>,
    pub methods: Vec<R>,
    pub curves: Vec<crate::chart::Curves>,
}

impl<R: Serialize> Report<R> {
    pub fn missed(&self) -> usize {
        self.results.iter().filter(|result| !result.pass).count()
    }

    pub fn write_json(&self, path: &Path) -> Result<(), String> {
        let mut text = serde_json::to_string_pretty(self).map_err(|error| error.to_string())?;
        text.push('\n');
        std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// `overview`: the tables of the methods, each under its title.
    pub fn print(&self, overview: &[(String, Table)]) {
        println!("{}\n", self.machine.summary());
        for (title, table) in overview {
            println!("{title}\n{table}\n");
        }
        if !self.results.is_empty() {
            let table = self.result_table().to_string();
            let colour = std::io::stdout().is_terminal();
            println!("{}\n", if colour { table.replace("MISSED", "\x1b[31mMISSED\x1b[0m") } else { table });
        }
        if self.results.iter().any(|result| result.noise.is_some()) {
            println!(
                "95 of 100: where chance would have put the value; ~: nearer to the limit (a ratio that is only told: to 1) than that\n"
            );
        }
        let notes = self.results.iter().filter_map(Measured::said);
        for note in notes.chain(self.machine.notes.iter().cloned()) {
            println!("{note}");
        }
    }

    fn result_table(&self) -> Table {
        let mut table = table(&["id", "what", "ours µs", "other µs", "value", "95 of 100", "limit", ""], 2..=6);
        for result in &self.results {
            let digits = match result.unit {
                "ratio" | "ms" => 2,
                "us" => 1,
                _ => 0,
            };
            let value = result.value.map_or_else(|| "-".into(), |value| format!("{value:.digits$}"));
            let noise = result
                .noise
                .map_or_else(String::new, |Interval { low, high }| format!("{low:.digits$}-{high:.digits$}"));
            let sign = if result.limit_kind == LimitKind::Max { "<=" } else { ">=" };
            let verdict = match (result.pass, result.limit) {
                (true, None) => "",
                (true, _) if result.near() => "near",
                (true, _) => "ok",
                (false, _) => "MISSED",
            };
            table.add_row([
                result.id.to_owned(),
                result.what.clone(),
                us(result.ours_us),
                us(result.other_us),
                value,
                noise,
                result.limit.map_or_else(String::new, |limit| format!("{sign} {limit}")),
                if result.below_noise { format!("{verdict} ~").trim_start().into() } else { verdict.to_owned() },
            ]);
        }
        table
    }
}

/// Without lines, so that rows can be searched and pasted.
pub fn table(header: &[&str], numbers: std::ops::RangeInclusive<usize>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header);
    for column in numbers {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

pub fn us(us: Option<f64>) -> String {
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
    fn between_a_limit_and_where_it_fails_it_is_near() {
        let at = |value| Measured::at_most("P8", "", Some(value), Some(100.0), 1.15).fails_at(1.3);
        assert!(at(115.0).pass && !at(115.0).near());
        assert!(at(125.0).pass && at(125.0).near());
        assert!(!at(131.0).pass);
    }

    #[test]
    fn what_is_only_told_is_never_missed() {
        assert!(Measured::told("P8-rack-all", "", "ms", Some(-2.4)).pass);
    }

    #[test]
    fn what_was_not_measured_is_missed() {
        let result = Measured::at_most("P1", "", None::<f64>, Some(100.0), 1.15);
        assert!(!result.pass && result.value.is_none());
    }

    #[test]
    fn what_chance_could_have_put_on_the_other_side_is_marked() {
        let around = |middle: f64| Samples::of(&[0.98, 1.0, 1.02, 0.99, 1.01].map(|share| share * middle).repeat(20));
        let at = |ours, limit| Measured::at_most("P1", "", &around(ours), &around(100.0), limit);
        assert!(at(115.0, 1.15).below_noise && !at(115.0, 1.5).below_noise && !at(115.0, 1.0).below_noise);
        assert!(at(100.0, 1.5).only_told().below_noise && !at(115.0, 1.15).only_told().below_noise);
        assert!(!Measured::at_most("P1", "", Some(115.0), Some(100.0), 1.15).below_noise); // not known
    }
}
