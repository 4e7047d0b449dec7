//! From cells to results, rows and a table.

use super::super::client::Outcome;
use super::super::timeline::Panel;
use super::{Cell, DAEMONS, Kind, SLOW};
use crate::measure::Samples;
use crate::report::{LimitKind, Measured, table};
use comfy_table::Table;
use serde::Serialize;
use std::collections::BTreeMap;

/// Of all of them together.
const REQUESTS: f64 = 1e6;
const KINDS: [Outcome; 5] = [Outcome::Refused, Outcome::Reset, Outcome::Closed, Outcome::Late, Outcome::Wrong];

/// Slow is what is slower than so many microseconds: of all at rest, however it is to be replaced.
fn slow_us(cells: &[Cell], kind: Kind) -> Option<f64> {
    let mut alone = Samples::default();
    cells.iter().filter(|cell| cell.daemon.kind == kind).for_each(|cell| alone.extend(cell.alone.iter().copied()));
    alone.quantile(0.99).map(|us| us * SLOW)
}

fn slow(cells: &[Cell], cell: &Cell) -> u64 {
    slow_us(cells, cell.daemon.kind).map_or(0, |us| cell.slower_than(us))
}

/// Of a million.
fn share(count: u64, cell: &Cell) -> Option<f64> {
    (!cell.samples.is_empty()).then(|| count as f64 * 1e6 / cell.samples.len() as f64)
}

pub fn of(cells: &[Cell]) -> Vec<Measured> {
    let mut results = Vec::new();
    let ids = [
        (Kind::Nginx, "P10-nginx-failed", "P10-nginx-slow"),
        (Kind::Gunicorn, "P10-gunicorn-failed", "P10-gunicorn-slow"),
    ];
    for (kind, failed_id, slow_id) in ids {
        let of_kind = || cells.iter().filter(move |cell| cell.daemon.kind == kind);
        let Some(ours) = of_kind().find(|cell| cell.daemon.is_ours()) else { continue };
        let others = |count: &dyn Fn(&Cell) -> u64| {
            let said = of_kind().filter(|cell| !cell.daemon.is_ours());
            let said = said.map(|cell| format!("{} {} of {}", cell.daemon.label, count(cell), cell.samples.len()));
            said.collect::<Vec<_>>().join("; ")
        };
        let (name, requests) = (kind.name(), ours.samples.len());
        let what = format!("requests of {requests} that failed, {name} replaced by procsup");
        let note = others(&Cell::failed);
        let count = Some(ours.failed() as f64);
        results.push(Measured::new(failed_id, what, "requests", count, (LimitKind::Max, 0.0)).note(note));
        let limit_ms = slow_us(cells, kind).unwrap_or(f64::NAN) / 1e3;
        let what = format!("of a million, slower than {SLOW} times the p99 at rest ({limit_ms:.2} ms)");
        let note = others(&|cell| slow(cells, cell));
        results.push(Measured::told(slow_id, what, "requests", share(slow(cells, ours), ours)).note(note));
    }
    // With some left out on the command line there is no such number to reach.
    if cells.len() == DAEMONS.len() {
        let all: usize = cells.iter().map(|cell| cell.samples.len()).sum();
        let what = "requests to daemons while they were replaced";
        let limit = (LimitKind::Min, REQUESTS);
        results.push(Measured::new("P10-daemon-requests", what, "requests", Some(all as f64), limit));
    }
    results
}

#[derive(Serialize)]
pub struct Row {
    id: &'static str,
    label: &'static str,
    requests: usize,
    seconds: f64,
    replacements: usize,
    whole_us: Option<[f64; 3]>,
    failed: BTreeMap<String, u64>,
    failed_at_rest: u64,
    sent_again: u64,
    slow: u64,
    slow_is_us: Option<f64>,
    /// p50, p99, p99.9, longest
    latency_us: Option<[f64; 4]>,
    at_rest_us: Option<[f64; 4]>,
    clients_busy: f64,
    kernel: BTreeMap<&'static str, u64>,
    problems: Vec<String>,
}

fn spread(samples: &Samples) -> Option<[f64; 4]> {
    samples.median()?;
    Some([0.5, 0.99, 0.999, 1.0].map(|q| samples.quantile(q).unwrap_or(f64::NAN).round()))
}

pub fn row(cells: &[Cell], cell: &Cell) -> Row {
    let whole = Samples::of(&cell.whole);
    let count = |kind: Outcome| cell.samples.iter().filter(|(_, outcome)| *outcome == kind).count() as u64;
    Row {
        id: cell.daemon.id,
        label: cell.daemon.label,
        requests: cell.samples.len(),
        seconds: cell.seconds,
        replacements: cell.whole.len(),
        whole_us: whole.median().map(|_| [0.5, 0.99, 1.0].map(|q| whole.quantile(q).unwrap_or(f64::NAN))),
        failed: KINDS.iter().map(|kind| (format!("{kind:?}").to_lowercase(), count(*kind))).collect(),
        failed_at_rest: cell.baseline_failed,
        sent_again: cell.again,
        slow: slow(cells, cell),
        slow_is_us: slow_us(cells, cell.daemon.kind),
        latency_us: spread(&cell.under()),
        at_rest_us: spread(&Samples::of(&cell.alone)),
        clients_busy: (cell.busy * 1e3).round() / 1e3,
        kernel: cell.counts.clone(),
        problems: cell.problems.clone(),
    }
}

pub fn tables(cells: &[Cell]) -> Vec<(String, Table)> {
    if cells.is_empty() {
        return Vec::new();
    }
    let header = [
        "daemon",
        "replaced",
        "requests",
        "failed",
        "again",
        "slow",
        "slow: over ms",
        "p50 ms",
        "p99 ms",
        "p99.9 ms",
        "max ms",
        "at rest p50",
        "p99",
        "max",
        "whole ms",
        "clients busy %",
    ];
    let mut shown = table(&header, 1..=header.len() - 1);
    let ms = |us: Option<f64>| us.map_or_else(String::new, |us| format!("{:.2}", us / 1e3));
    for cell in cells {
        let (under, alone) = (cell.under(), Samples::of(&cell.alone));
        let mut row = vec![cell.daemon.label.to_owned(), cell.whole.len().to_string(), cell.samples.len().to_string()];
        row.extend([cell.failed(), cell.again, slow(cells, cell)].map(|count| count.to_string()));
        row.push(ms(slow_us(cells, cell.daemon.kind)));
        row.extend([0.5, 0.99, 0.999, 1.0].map(|q| ms(under.quantile(q))));
        row.extend([0.5, 0.99, 1.0].map(|q| ms(alone.quantile(q))));
        row.push(ms(Samples::of(&cell.whole).median()));
        row.push(format!("{:.0}", cell.busy * 100.0));
        shown.add_row(row);
    }
    let load = |kind: Kind| {
        let (rate, kept, each) = kind.load();
        format!("{}: {rate} connections/s and {kept} kept ones with {each} requests/s each", kind.name())
    };
    let title = format!("Daemons that know nothing of procsup ({}; {})", load(Kind::Nginx), load(Kind::Gunicorn));
    vec![(title, shown)]
}

fn panel(cell: &Cell) -> Panel<'_> {
    Panel {
        id: cell.daemon.id,
        ours: cell.daemon.is_ours(),
        label: cell.daemon.label.into(),
        said: format!("{} times, {} of {} failed", cell.whole.len(), cell.failed(), cell.samples.len()),
        failed: cell.failed() > 0,
        samples: &cell.timeline,
        marks: &cell.marks,
    }
}

pub fn panels(cells: &[Cell]) -> Vec<Panel<'_>> {
    cells.iter().filter(|cell| !cell.timeline.is_empty()).map(panel).collect()
}
