//! From cases to results, rows and tables.

use super::block::Taken;
use super::case::{ADDED, Case, P999, PACE, PASSED, SHORT_BACKLOG};
use super::daemons::{self, Cell};
use super::floor::{self, Floor};
use super::method::{is_beyond, is_supervised, is_v1};
use super::network::COUNTERS;
use crate::measure::Samples;
use crate::noise;
use crate::report::{LimitKind, Measured, table};
use comfy_table::Table;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

const OURS: &str = "procsup";
const OVERLAP: &str = "procsup-overlap";
const FLOOR: &str = "bare";
/// Of P10.
const HANDOFFS: f64 = 1000.0;
const REQUESTS: f64 = 1e6;
/// Two medians of one run that are the same: rounds of one method differ by that much among themselves.
const EQUAL: f64 = 1.25;

fn find<'a>(cases: &'a [Case], method: &str, load_ms: u32) -> Option<&'a Case> {
    cases.iter().find(|case| case.is(method, load_ms))
}

pub fn of(cases: &[Case], floors: &[Floor]) -> Vec<Measured> {
    let Some(ours) = find(cases, OURS, 0) else { return Vec::new() };
    let gap = ours.gap();
    let most = |id, what: &str, unit, value, limit| Measured::new(id, what, unit, value, (LimitKind::Max, limit));
    // With both floors: the one with the same work, and the bare ones after the silence that a successor has just before
    // its handoff, and after the longest that the case has in it.
    let beside_floors = |id, what: &str, load_ms: u32, q: f64, limit| {
        let at = |method| find(cases, method, load_ms).and_then(|case| case.gap().quantile(q));
        let longest = if load_ms == 0 { PACE } else { Duration::from_millis(load_ms.into()) };
        let bare = floors.iter().filter(|floor| floor.silence == floor::DRAIN || floor.silence == longest);
        let gap = find(cases, OURS, load_ms).map(Case::gap);
        let noise = gap.and_then(|gap| noise::of_quantile(gap.series(), q));
        let result = most(id, what, "us", at(OURS), limit).with(at(OURS), at(FLOOR)).noise(noise);
        bare.fold(result, |result, floor| result.beside(floor.label(), floor.samples.quantile(q)))
    };
    let what = "gap of the writer, exclusive mode, p50 (other: the floor with the same work)";
    let mut results = vec![
        beside_floors("P9-p50-us", what, 0, 0.5, 50.0),
        beside_floors("P9-p99-us", "the same, p99", 0, 0.99, 500.0),
        most("P9-max-us", "the same, the longest", "us", gap.quantile(1.0), 2000.0),
    ];
    for (id, load_ms) in [("P9-init300", 300), ("P9-init3000", 3000)] {
        if let Some(case) = find(cases, OURS, load_ms) {
            let gap = case.gap();
            let what = format!("gap, p50, of a successor that loads {load_ms} ms (other: the floor that does too)");
            let p99 = gap.quantile(0.99).unwrap_or(f64::NAN);
            let note = format!("p99 {p99:.1} us of {} handoffs", gap.len());
            results.push(beside_floors(id, &what, load_ms, 0.5, 50.0).note(note));
        }
    }
    if let Some(overlap) = find(cases, OVERLAP, 0) {
        let what = "time in which nobody accepts, overlap mode, the longest";
        results.push(most("P9-overlap-us", what, "us", overlap.gap().quantile(1.0), 0.0));
    }
    for (id, peer) in [("P9-beyond-tuned", "beyond-tuned"), ("P9-beyond", "beyond"), ("P9-restart", "restart")] {
        if let Some(peer) = find(cases, peer, 0) {
            let what = format!("gap, p50, {} to ours", peer.plan.method.label);
            results.push(Measured::at_least(id, what, &gap, &peer.gap(), 1.0));
        }
    }
    let handoffs = ours.taken.whole.len() as f64;
    let drops: u64 = ["TcpExt.ListenOverflows", "TcpExt.ListenDrops", "TcpExt.TCPReqQFullDrop"]
        .iter()
        .filter_map(|name| ours.counts.get(name))
        .sum();
    let added = ours.added_ms(P999);
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
    results.extend(supervised(cases, ours));
    if let Some(kept) = cases.iter().find(|case| case.is_kept() && case.plan.method.id == PASSED) {
        let told = cases.iter().find(|case| case.is_kept() && case.plan.method.id == OURS);
        let per_handoff = |case: &Case| case.all_failed() as f64 / (case.taken.whole.len() as f64).max(1.0);
        let what = "failed requests per handoff of clients that keep their connections (other: told to come back)";
        results.push(
            most("P10-kept-failed", what, "requests", Some(per_handoff(kept)), 0.0)
                .with(Some(per_handoff(kept)), told.map(per_handoff)),
        );
        let lost = kept.violations as f64;
        results.push(most("P10-kept-lost", "their writes lost, doubled or out of order", "writes", Some(lost), 0.0));
    }
    results
}

/// With a separate supervisor: what two parties have, whatever becomes of it; and protocol v1.
fn supervised(cases: &[Case], two: &Case) -> Vec<Measured> {
    let mut results = Vec::new();
    let rows = [
        ("supervised", "P9-alive", "P9-alive-p99", "P10-alive-added-ms"),
        ("supervised-stopped", "P9-stopped", "P9-stopped-p99", "P10-stopped-added-ms"),
        ("supervised-killed", "P9-killed", "P9-killed-p99", "P10-killed-added-ms"),
        ("supervised-killed-late", "P9-killed-late", "P9-killed-late-p99", "P10-killed-late-added-ms"),
    ];
    for (method, p50, p99, added) in rows {
        let Some(case) = find(cases, method, 0) else { continue };
        let (gap, bare, label) = (case.gap(), two.gap(), case.plan.method.label);
        let what = format!("gap, p50, {label} (other: two parties)");
        results.push(Measured::at_most(p50, what, &gap, &bare, EQUAL));
        let what = format!("gap, p99, {label} (other: two parties)");
        let value = gap.quantile(0.99);
        results.push(Measured::new(p99, what, "us", value, (LimitKind::Max, 500.0)).with(value, bare.quantile(0.99)));
        let what = format!("latency p99.9 under handoffs minus without, {label}");
        let told = |case: &Case| {
            ADDED.map(|q| case.added_ms(q).map_or_else(|| "-".into(), |ms| format!("{ms:.2}"))).join(", ")
        };
        let note = format!("added p50, p99, p99.9, longest: {}; two parties: {} ms", told(case), told(two));
        results.push(Measured::new(added, what, "ms", case.added_ms(P999), (LimitKind::Max, 1.0)).note(note));
    }
    if let Some(case) = find(cases, "supervised-killed-here", 0) {
        let (gap, two) = (case.gap().median(), two.gap().median());
        let what = format!("gap, p50, {} (the kernel takes it down on the servers' CPU)", case.plan.method.label);
        results.push(Measured::told("P9-killed-here", what, "us", gap).with(gap, two));
    }
    let rows: Vec<&Case> = cases.iter().filter(|case| is_supervised(case.plan.method)).collect();
    if !rows.is_empty() {
        let sum = |count: &dyn Fn(&Case) -> u64| Some(rows.iter().map(|case| count(case)).sum::<u64>() as f64);
        let none = (LimitKind::Max, 0.0);
        let what = "requests without their answer, with a supervisor";
        results.push(Measured::new("P10-supervised-failed", what, "requests", sum(&Case::all_failed), none));
        let what = "writes lost, doubled or out of order, with a supervisor";
        results.push(Measured::new("P10-supervised-lost", what, "writes", sum(&|case| case.violations), none));
    }
    let v1 = [
        ("v1-tuned", "beyond-tuned", "V1-tuned-gap", "V1-tuned-whole", "V1-tuned-failed"),
        ("v1", "beyond", "V1-gap", "V1-whole", "V1-failed"),
    ];
    for (ours, theirs, gap, whole, failed) in v1 {
        let (Some(ours), Some(theirs)) = (find(cases, ours, 0), find(cases, theirs, 0)) else { continue };
        let label = theirs.plan.method.label;
        let what = format!("gap, p50, servers on {label}, supervised by procsup (other: by the crate's own)");
        results.push(Measured::at_most(gap, what, &ours.gap(), &theirs.gap(), EQUAL));
        let all = |case: &Case| Samples::of(&case.taken.whole);
        results.push(Measured::at_most(whole, "the same, from the order to the end", &all(ours), &all(theirs), EQUAL));
        let note = format!("by the crate's own: {}", theirs.all_failed());
        let lost = Some((ours.all_failed() + ours.violations) as f64);
        let what = "the same, requests that failed, writes lost";
        results.push(Measured::new(failed, what, "requests", lost, (LimitKind::Max, 0.0)).note(note));
    }
    results
}

fn at_least(limit: f64) -> (LimitKind, f64) {
    (LimitKind::Min, limit)
}

/// For the results file.
#[derive(Serialize)]
#[serde(untagged)]
pub enum Row {
    Case(Box<CaseRow>),
    Bare(BareRow),
    Daemon(Box<daemons::results::Row>),
}

pub fn rows(cases: &[Case], floors: &[Floor], cells: &[Cell]) -> Vec<Row> {
    let daemon = |cell| Row::Daemon(Box::new(daemons::results::row(cells, cell)));
    cases.iter().map(row).chain(floors.iter().map(bare_row)).chain(cells.iter().map(daemon)).collect()
}

/// Two bare processes.
#[derive(Serialize)]
pub struct BareRow {
    id: &'static str,
    label: String,
    silence_ms: u64,
    passes: usize,
    gap_us: Option<Spread>,
}

#[derive(Serialize)]
pub struct CaseRow {
    id: &'static str,
    label: String,
    load_ms: u32,
    backlog: u32,
    connections_per_second: u64,
    kept_connections: u64,
    handoffs: usize,
    /// Of the writer; of those who accept where nobody writes.
    gap_us: Option<Spread>,
    /// Not set to 0 where both accept: a negative one is the time in which they do.
    accept_gap_us: Option<Spread>,
    parts_us: Parts,
    /// Of the median gap.
    parts_share: Shares,
    whole_us: Option<Spread>,
    started_us: Option<Spread>,
    waited_us: Option<Spread>,
    seconds_without_owner: f64,
    requests: u64,
    seconds: f64,
    latency_us: Option<Spread>,
    baseline_us: Option<Spread>,
    p999_added_ms: Option<f64>,
    /// p50, p99, p99.9, the longest
    added_ms: [Option<f64>; ADDED.len()],
    failed: BTreeMap<String, u64>,
    failed_in_baseline: u64,
    writes_lost: u64,
    kernel: BTreeMap<&'static str, u64>,
    problems: Vec<String>,
}

/// Medians; `Taken` says of what.
#[derive(Serialize)]
struct Parts {
    given: Option<f64>,
    owned: Option<f64>,
    woken: Option<f64>,
    opened: Option<f64>,
}

impl Parts {
    fn of(taken: &Taken) -> Self {
        let median = |us: &[f64]| Samples::of(us).median().map(|us| (us * 10.0).round() / 10.0);
        Self {
            given: median(&taken.given),
            owned: median(&taken.owned),
            woken: median(&taken.woken),
            opened: median(&taken.opened),
        }
    }

    fn shares(&self, gap: Option<f64>) -> Shares {
        let share = |part: Option<f64>| {
            let gap = gap.filter(|gap| *gap > 0.0);
            part.zip(gap).map(|(part, gap)| (part / gap * 1e3).round() / 1e3)
        };
        Shares { given: share(self.given), woken: share(self.woken), opened: share(self.opened) }
    }
}

#[derive(Serialize)]
struct Shares {
    given: Option<f64>,
    woken: Option<f64>,
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

fn row(case: &Case) -> Row {
    let (taken, gap) = (&case.taken, case.gap());
    let parts = Parts::of(taken);
    Row::Case(Box::new(CaseRow {
        id: case.plan.method.id,
        label: case.label(),
        load_ms: case.plan.load_ms,
        backlog: case.plan.backlog,
        connections_per_second: case.plan.rate,
        kept_connections: case.plan.kept.0,
        handoffs: taken.whole.len(),
        gap_us: Spread::of(&gap),
        accept_gap_us: Spread::of(&Samples::of(&taken.accept_gap)),
        parts_share: parts.shares(gap.median()),
        parts_us: parts,
        whole_us: Spread::of(&Samples::of(&taken.whole)),
        started_us: Spread::of(&Samples::of(&taken.started)),
        waited_us: Spread::of(&Samples::of(&taken.waited)),
        seconds_without_owner: case.without_owner_s(),
        requests: case.requests,
        seconds: case.seconds,
        latency_us: Spread::of(&case.under),
        baseline_us: Spread::of(&case.baseline),
        p999_added_ms: case.added_ms(P999),
        added_ms: ADDED.map(|q| case.added_ms(q)),
        failed: case.failed.iter().map(|(kind, count)| (format!("{kind:?}").to_lowercase(), *count)).collect(),
        failed_in_baseline: case.baseline_failed,
        writes_lost: case.violations,
        kernel: case.counts.clone(),
        problems: case.problems.clone(),
    }))
}

fn bare_row(floor: &Floor) -> Row {
    Row::Bare(BareRow {
        id: "bare-processes",
        label: floor.label(),
        silence_ms: floor.silence.as_millis() as u64,
        passes: floor.samples.len(),
        gap_us: Spread::of(&floor.samples),
    })
}

pub fn tables(cases: &[Case], floors: &[Floor]) -> Vec<(String, Table)> {
    let fast: Vec<&Case> = cases.iter().filter(|case| case.plan.load_ms == 0 && !case.is_kept()).collect();
    let kept: Vec<&Case> = cases.iter().filter(|case| case.is_kept()).collect();
    let slow: Vec<&Case> = cases.iter().filter(|case| case.plan.load_ms > 0).collect();
    let (fast_floors, slow_floors): (Vec<&Floor>, _) = floors.iter().partition(|floor| floor.load_ms == 0);
    let mut tables = Vec::new();
    if let Some(case) = fast.first() {
        let title = |what: &str| {
            let (rate, queue) = (case.plan.rate, case.plan.backlog);
            format!("{what}: {rate} connections/s and 16 long-lived ones, backlog {queue}, successors load at once")
        };
        tables.push((title("Gaps, in microseconds"), gaps(&fast, &fast_floors)));
        tables.push((title("What the clients saw"), clients(&fast)));
    }
    if fast.iter().any(|case| is_supervised(case.plan.method)) {
        let shown =
            |case: &&&Case| ["procsup", "bare"].contains(&case.plan.method.id) || is_supervised(case.plan.method);
        let title = "Gap in microseconds, latency added in milliseconds, with a separate supervisor";
        tables.push((title.to_owned(), added(&fast.iter().filter(shown).copied().collect::<Vec<_>>())));
    }
    if fast.iter().any(|case| is_v1(case.plan.method)) {
        let title = "The same, servers on beyond-handoff 0.1.4: its own supervisor, and procsup's";
        let shown = |case: &&&Case| is_beyond(case.plan.method);
        tables.push((title.to_owned(), added(&fast.iter().filter(shown).copied().collect::<Vec<_>>())));
    }
    if let Some(case) = slow.first() {
        let title = format!(
            "Successors that load long: {} connections/s and 16 long-lived ones (last rows: backlog {SHORT_BACKLOG})",
            case.plan.rate
        );
        tables.push((title.clone(), gaps(&slow, &slow_floors)));
        tables.push((title, clients(&slow)));
    }
    if let Some(case) = kept.first() {
        let (connections, rate) = case.plan.kept;
        let title = format!("Clients that keep their connections: {connections}, {rate} requests/s on each");
        tables.push((title.clone(), gaps(&kept, &[])));
        tables.push((title, clients(&kept)));
    }
    let writers: Vec<&Case> = cases.iter().filter(|case| case.plan.method.stateful && !case.is_kept()).collect();
    if !writers.is_empty() {
        let title = "Where the gap goes: medians in microseconds, and their share of the median gap";
        tables.push((title.to_owned(), parts(&writers)));
    }
    tables
}

fn added(cases: &[&Case]) -> Table {
    let header = [
        "method",
        "handoffs",
        "gap p50",
        "p99",
        "max",
        "whole ms",
        "requests",
        "failed",
        "lost writes",
        "added p50",
        "p99",
        "p99.9",
        "longest",
    ];
    let mut table = table(&header, 1..=header.len() - 1);
    for case in cases {
        let gap = case.gap();
        let mut cells = vec![case.label(), case.taken.whole.len().to_string()];
        cells.extend([0.5, 0.99, 1.0].map(|q| one_digit(gap.quantile(q))));
        cells.push(one_digit(Samples::of(&case.taken.whole).median().map(|us| us / 1e3)));
        cells.extend([case.requests, case.all_failed(), case.violations].map(|count| count.to_string()));
        cells.extend(ADDED.map(|q| case.added_ms(q).map_or_else(String::new, |ms| format!("{ms:.3}"))));
        table.add_row(cells);
    }
    table
}

fn one_digit(figure: Option<f64>) -> String {
    figure.map_or_else(String::new, |figure| format!("{figure:.1}"))
}

fn gaps(cases: &[&Case], floors: &[&Floor]) -> Table {
    let header =
        ["method", "handoffs", "gap p50", "p99", "max", "accept gap p50", "p99", "whole ms", "s without owner"];
    let mut table = table(&header, 1..=header.len() - 1);
    for case in cases {
        let (gap, taken) = (case.gap(), &case.taken);
        let accept = Samples::of(&taken.accept_gap);
        let mut cells = vec![case.label(), taken.whole.len().to_string()];
        cells.extend([0.5, 0.99, 1.0].map(|q| one_digit(gap.quantile(q))));
        cells.extend([0.5, 0.99].map(|q| one_digit(accept.quantile(q))));
        cells.push(one_digit(Samples::of(&taken.whole).median().map(|us| us / 1e3)));
        cells.push(format!("{:.4}", case.without_owner_s()));
        table.add_row(cells);
    }
    for floor in floors {
        let mut cells = vec![floor.label(), floor.samples.len().to_string()];
        cells.extend([0.5, 0.99, 1.0].map(|q| one_digit(floor.samples.quantile(q))));
        table.add_row(cells);
    }
    table
}

/// What the old one does, what lies between, what the new one does; and how long the new one had slept before.
fn parts(cases: &[&Case]) -> Table {
    let header = ["method", "gap p50", "old gives", "%", "new wakes", "%", "new opens", "%", "slept before, ms"];
    let mut table = table(&header, 1..=header.len() - 1);
    for case in cases {
        let (gap, parts) = (case.gap().median(), Parts::of(&case.taken));
        let shares = parts.shares(gap);
        let mut cells = vec![case.label(), one_digit(gap)];
        let pairs = [(parts.given, shares.given), (parts.woken, shares.woken), (parts.opened, shares.opened)];
        for (us, share) in pairs {
            cells.push(one_digit(us));
            cells.push(share.map_or_else(String::new, |share| format!("{:.0}", share * 100.0)));
        }
        // A server that starts after the old one has stopped did not wait.
        let waited = Samples::of(&case.taken.waited).median().filter(|us| *us >= 0.0);
        cells.push(one_digit(waited.map(|us| us / 1e3)));
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
        cells.push(case.added_ms(P999).map_or_else(String::new, |ms| format!("{ms:.2}")));
        cells.extend(counters.iter().map(|name| case.counts.get(name).copied().unwrap_or(0).to_string()));
        table.add_row(cells);
    }
    table
}
