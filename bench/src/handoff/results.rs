//! From cases to results, rows and tables.

use super::case::{Case, SHORT_BACKLOG};
use super::network::COUNTERS;
use crate::measure::Samples;
use crate::report::{LimitKind, Measured, table};
use comfy_table::Table;
use serde::Serialize;
use std::collections::BTreeMap;

const OURS: &str = "procsup";
const OVERLAP: &str = "procsup-overlap";
/// Of P10.
const HANDOFFS: f64 = 1000.0;
const REQUESTS: f64 = 1e6;

fn find<'a>(cases: &'a [Case], method: &str, load_ms: u32) -> Option<&'a Case> {
    cases.iter().find(|case| case.is(method, load_ms))
}

pub fn of(cases: &[Case], floor: &[f64]) -> Vec<Measured> {
    let Some(ours) = find(cases, OURS, 0) else { return Vec::new() };
    let gap = ours.gap();
    let (p50, floor) = (gap.median(), Samples::of(floor));
    let most = |id, what: &str, unit, value, limit| Measured::new(id, what, unit, value, (LimitKind::Max, limit));
    let mut results = vec![
        most("P9-p50-us", "gap of the writer, exclusive mode, p50 (other: the floor)", "us", p50, 50.0)
            .with(p50, floor.median()),
        most("P9-p99-us", "the same, p99", "us", gap.quantile(0.99), 500.0)
            .with(gap.quantile(0.99), floor.quantile(0.99)),
        most("P9-max-us", "the same, the longest", "us", gap.quantile(1.0), 2000.0),
    ];
    for (id, load_ms) in [("P9-init300", 300), ("P9-init3000", 3000)] {
        if let Some(case) = find(cases, OURS, load_ms) {
            let gap = case.gap();
            let what = format!("gap, p50, of a successor that loads {load_ms} ms (other: 0 ms)");
            results.push(most(id, &what, "us", gap.median(), 50.0).with(gap.median(), p50).note(format!(
                "p99 {:.1} us of {} handoffs",
                gap.quantile(0.99).unwrap_or(f64::NAN),
                gap.len()
            )));
        }
    }
    if let Some(overlap) = find(cases, OVERLAP, 0) {
        let what = "time in which nobody accepts, overlap mode, the longest";
        results.push(most("P9-overlap-us", what, "us", overlap.gap().quantile(1.0), 0.0));
    }
    for (id, peer) in [("P9-beyond-tuned", "beyond-tuned"), ("P9-beyond", "beyond"), ("P9-restart", "restart")] {
        if let Some(peer) = find(cases, peer, 0) {
            let what = format!("gap, p50, {} to ours", peer.plan.method.label);
            results.push(Measured::at_least(id, what, p50, peer.gap().median(), 1.0));
        }
    }
    let handoffs = ours.taken.whole.len() as f64;
    let drops: u64 = ["TcpExt.ListenOverflows", "TcpExt.ListenDrops", "TcpExt.TCPReqQFullDrop"]
        .iter()
        .filter_map(|name| ours.counts.get(name))
        .sum();
    let added = ours.added_ms();
    let quantile = |samples: &Samples| samples.quantile(0.999);
    results.extend([
        most("P10-failed", "requests without their answer", "requests", Some((ours.all_failed()) as f64), 0.0),
        most("P10-lost", "writes lost, doubled or out of order", "writes", Some(ours.violations as f64), 0.0),
        most("P10-drops", "connections dropped by the kernel", "drops", Some(drops as f64), 0.0),
        Measured::new(
            "P10-requests",
            "requests under handoffs",
            "requests",
            Some(ours.requests as f64),
            at_least(REQUESTS),
        ),
        Measured::new("P10-handoffs", "handoffs under load", "handoffs", Some(handoffs), at_least(HANDOFFS)),
        most("P10-p999-added-ms", "latency p99.9 under handoffs minus without, medians of slices", "ms", added, 1.0)
            .with(quantile(&ours.under), quantile(&ours.baseline)),
    ]);
    results
}

fn at_least(limit: f64) -> (LimitKind, f64) {
    (LimitKind::Min, limit)
}

/// One case, for the results file.
#[derive(Serialize)]
pub struct Row {
    id: &'static str,
    label: String,
    load_ms: u32,
    backlog: u32,
    connections_per_second: u64,
    handoffs: usize,
    /// Of the writer; of those who accept where nobody writes.
    gap_us: Option<Spread>,
    /// Not set to 0 where both accept: a negative one is the time in which they do.
    accept_gap_us: Option<Spread>,
    parts_us: Parts,
    whole_us: Option<Spread>,
    started_us: Option<Spread>,
    waited_us: Option<Spread>,
    seconds_without_owner: f64,
    requests: u64,
    seconds: f64,
    latency_us: Option<Spread>,
    baseline_us: Option<Spread>,
    p999_added_ms: Option<f64>,
    failed: BTreeMap<String, u64>,
    failed_in_baseline: u64,
    writes_lost: u64,
    kernel: BTreeMap<&'static str, u64>,
    problems: Vec<String>,
}

/// Medians, from write_off of the old one: until its call returns, until the new one knows, and from then until it may
/// write.
#[derive(Serialize)]
struct Parts {
    given: Option<f64>,
    owned: Option<f64>,
    opened: Option<f64>,
}

#[derive(Serialize)]
struct Spread {
    p50: f64,
    p99: f64,
    p999: f64,
    max: f64,
}

impl Spread {
    fn of(samples: &Samples) -> Option<Self> {
        let at = |q| samples.quantile(q).map(|us| (us * 10.0).round() / 10.0);
        Some(Self { p50: at(0.5)?, p99: at(0.99)?, p999: at(0.999)?, max: at(1.0)? })
    }
}

pub fn row(case: &Case) -> Row {
    let median = |us: &[f64]| Samples::of(us).median().map(|us| (us * 10.0).round() / 10.0);
    let taken = &case.taken;
    Row {
        id: case.plan.method.id,
        label: case.label(),
        load_ms: case.plan.load_ms,
        backlog: case.plan.backlog,
        connections_per_second: case.plan.rate,
        handoffs: taken.whole.len(),
        gap_us: Spread::of(&case.gap()),
        accept_gap_us: Spread::of(&Samples::of(&taken.accept_gap)),
        parts_us: Parts { given: median(&taken.given), owned: median(&taken.owned), opened: median(&taken.opened) },
        whole_us: Spread::of(&Samples::of(&taken.whole)),
        started_us: Spread::of(&Samples::of(&taken.started)),
        waited_us: Spread::of(&Samples::of(&taken.waited)),
        seconds_without_owner: case.without_owner_s(),
        requests: case.requests,
        seconds: case.seconds,
        latency_us: Spread::of(&case.under),
        baseline_us: Spread::of(&case.baseline),
        p999_added_ms: case.added_ms(),
        failed: case.failed.iter().map(|(kind, count)| (format!("{kind:?}").to_lowercase(), *count)).collect(),
        failed_in_baseline: case.baseline_failed,
        writes_lost: case.violations,
        kernel: case.counts.clone(),
        problems: case.problems.clone(),
    }
}

pub fn tables(cases: &[Case], floor: &[f64]) -> Vec<(String, Table)> {
    let fast: Vec<&Case> = cases.iter().filter(|case| case.plan.load_ms == 0).collect();
    let slow: Vec<&Case> = cases.iter().filter(|case| case.plan.load_ms > 0).collect();
    let mut tables = Vec::new();
    if let Some(case) = fast.first() {
        let title = |what: &str| {
            let (rate, queue) = (case.plan.rate, case.plan.backlog);
            format!("{what}: {rate} connections/s and 16 long-lived ones, backlog {queue}, successors load at once")
        };
        tables.push((title("Gaps, in microseconds"), gaps(&fast, Some(floor))));
        tables.push((title("What the clients saw"), clients(&fast)));
    }
    if let Some(case) = slow.first() {
        let title = format!(
            "Successors that load long: {} connections/s and 16 long-lived ones (last rows: backlog {SHORT_BACKLOG})",
            case.plan.rate
        );
        tables.push((title.clone(), gaps(&slow, None)));
        tables.push((title, clients(&slow)));
    }
    tables
}

fn gaps(cases: &[&Case], floor: Option<&[f64]>) -> Table {
    let header = [
        "method",
        "handoffs",
        "gap p50",
        "p99",
        "max",
        "accept gap p50",
        "p99",
        "given",
        "knows",
        "opened",
        "whole ms",
        "s without owner",
    ];
    let mut table = table(&header, 1..=header.len() - 1);
    let us = |us: Option<f64>| us.map_or_else(String::new, |us| format!("{us:.1}"));
    for case in cases {
        let (gap, taken) = (case.gap(), &case.taken);
        let accept = Samples::of(&taken.accept_gap);
        let parts = [&taken.given, &taken.owned, &taken.opened];
        let mut cells = vec![case.label(), taken.whole.len().to_string()];
        cells.extend([0.5, 0.99, 1.0].map(|q| us(gap.quantile(q))));
        cells.extend([0.5, 0.99].map(|q| us(accept.quantile(q))));
        cells.extend(
            parts.map(|part| if case.plan.method.stateful { us(Samples::of(part).median()) } else { String::new() }),
        );
        cells.push(us(Samples::of(&taken.whole).median().map(|us| us / 1e3)));
        cells.push(format!("{:.4}", case.without_owner_s()));
        table.add_row(cells);
    }
    if let Some(floor) = floor {
        let floor = Samples::of(floor);
        let mut cells = vec!["two bare processes, idle".to_owned(), floor.len().to_string()];
        cells.extend([0.5, 0.99, 1.0].map(|q| us(floor.quantile(q))));
        table.add_row(cells);
    }
    table
}

fn clients(cases: &[&Case]) -> Table {
    let counters = &COUNTERS[..6];
    let mut header =
        vec!["method", "requests", "failed", "lost writes", "p50 ms", "p99.9 ms", "max ms", "alone p99.9", "added ms"];
    header.extend(counters.iter().map(|name| name.split_once('.').map_or(*name, |(_, name)| name)));
    let mut table = table(&header, 1..=header.len() - 1);
    let ms = |us: Option<f64>| us.map_or_else(String::new, |us| format!("{:.3}", us / 1e3));
    for case in cases {
        let mut cells = vec![
            case.label(),
            case.requests.to_string(),
            case.all_failed().to_string(),
            if case.plan.method.stateful { case.violations.to_string() } else { String::new() },
        ];
        cells.extend([0.5, 0.999, 1.0].map(|q| ms(case.under.quantile(q))));
        cells.push(ms(case.baseline.quantile(0.999)));
        cells.push(case.added_ms().map_or_else(String::new, |ms| format!("{ms:.2}")));
        cells.extend(counters.iter().map(|name| case.counts.get(name).copied().unwrap_or(0).to_string()));
        table.add_row(cells);
    }
    table
}
