//! What is measured, and how much: one case is a method with a load time and a backlog; its blocks are pooled.

use super::block::{self, Block, Plan, Taken};
use super::client::{Outcome, Sample};
use super::method::{METHODS, is_supervised};
use super::network::Counts;
use crate::measure::Samples;
use std::time::Duration;

/// The long queue, and the one that many servers have.
const BACKLOG: u32 = 4096;
pub const SHORT_BACKLOG: u32 = 128;
/// Long-lived connections beside those of one request each, and requests a second on each.
pub const KEPT: (u64, u64) = (16, 50);
/// The same where every client keeps its connection, and is silent on it most of the time.
const ALL_KEPT: (u64, u64) = (256, 8);
/// Connections per second.
const RATE: u64 = 5000;
/// Where handoffs take long: what queues up meanwhile must fit into the long backlog.
const SLOW_RATE: u64 = 1000;

/// The way in which connections go on with the successor.
pub const PASSED: &str = "procsup-passed";

/// From one handoff to the next.
pub const PACE: Duration = Duration::from_millis(180);

const SLICE: Duration = Duration::from_secs(2);

/// The parts of a distribution whose growth is told; 1 is the longest.
pub const ADDED: [f64; 4] = [0.5, 0.99, P999, 1.0];
pub const P999: f64 = 0.999;

pub struct Case {
    pub plan: Plan,
    pub rounds: usize,
    pub taken: Taken,
    /// Latencies in microseconds, of what was answered.
    pub baseline: Samples,
    pub under: Samples,
    /// Each of the `ADDED` of each slice of time, alone and under handoffs: see `added_ms`.
    slices: [[Samples; ADDED.len()]; 2],
    pub requests: u64,
    pub seconds: f64,
    pub baseline_failed: u64,
    pub failed: [(Outcome, u64); 4],
    pub violations: u64,
    pub counts: Counts,
    /// Of the last block, for the picture.
    pub timeline: Vec<Sample>,
    pub marks: Vec<u64>,
    pub problems: Vec<String>,
}

impl Case {
    fn new(plan: Plan, rounds: usize) -> Self {
        let kinds = [Outcome::Refused, Outcome::Reset, Outcome::Closed, Outcome::Late];
        Self {
            plan,
            rounds,
            taken: Taken::default(),
            baseline: Samples::default(),
            under: Samples::default(),
            slices: Default::default(),
            requests: 0,
            seconds: 0.0,
            baseline_failed: 0,
            failed: kinds.map(|kind| (kind, 0)),
            violations: 0,
            counts: Counts::new(),
            timeline: Vec::new(),
            marks: Vec::new(),
            problems: Vec::new(),
        }
    }

    pub fn is(&self, method: &str, load_ms: u32) -> bool {
        self.plan.method.id == method && self.plan.load_ms == load_ms && self.plan.backlog == BACKLOG && !self.is_kept()
    }

    /// All clients keep their connections.
    pub fn is_kept(&self) -> bool {
        self.plan.rate == 0
    }

    pub fn label(&self) -> String {
        let Plan { method, load_ms, backlog, .. } = self.plan;
        let load = if load_ms > 0 { format!(", loads {load_ms} ms") } else { String::new() };
        let queue = if backlog == BACKLOG { String::new() } else { format!(", backlog {backlog}") };
        let told = if self.is_kept() && method.id != PASSED { ", told to come back" } else { "" };
        format!("{}{load}{queue}{told}", method.label)
    }

    pub fn add(&mut self, block: Block) {
        let us = |samples: &[Sample]| -> Vec<f64> {
            let answered = samples.iter().filter(|sample| sample.outcome == Outcome::Answered);
            answered.map(|sample| f64::from(sample.us)).collect()
        };
        for (slices, samples) in self.slices.iter_mut().zip([&block.baseline, &block.under]) {
            for slice in sliced(samples) {
                let latencies = Samples::of(&us(slice));
                slices.iter_mut().zip(ADDED).for_each(|(slices, q)| slices.extend(latencies.quantile(q)));
            }
        }
        let (baseline, under) = (us(&block.baseline), us(&block.under));
        self.baseline.extend(baseline);
        self.under.extend(under);
        self.requests += block.under.len() as u64;
        if let (Some(first), Some(last)) = (block.under.first(), block.under.last()) {
            self.seconds += last.intended_ns.saturating_sub(first.intended_ns) as f64 / 1e9;
        }
        self.baseline_failed += block::failed(&block.baseline);
        for (kind, count) in &mut self.failed {
            *count += block.under.iter().filter(|sample| sample.outcome == *kind).count() as u64;
        }
        self.violations += block.violations;
        for (name, count) in block.counts {
            *self.counts.entry(name).or_default() += count;
        }
        let Taken { write_gap, accept_gap, given, owned, opened, woken, waited, whole, started } = block.taken;
        let into = &mut self.taken;
        into.write_gap.extend(write_gap);
        into.accept_gap.extend(accept_gap);
        into.given.extend(given);
        into.owned.extend(owned);
        into.opened.extend(opened);
        into.woken.extend(woken);
        into.waited.extend(waited);
        into.whole.extend(whole);
        into.started.extend(started);
        (self.timeline, self.marks) = (block.under, block.marks);
        self.problems.extend(block.problem.map(|problem| format!("{}: {problem}", self.label())));
    }

    pub fn all_failed(&self) -> u64 {
        self.failed.iter().map(|(_, count)| count).sum()
    }

    fn gaps(&self) -> &[f64] {
        if self.plan.method.stateful { &self.taken.write_gap } else { &self.taken.accept_gap }
    }

    /// The gap that counts: of the writer, or of those who accept.
    pub fn gap(&self) -> Samples {
        let gaps: Vec<f64> = self.gaps().iter().map(|us| us.max(0.0)).collect();
        Samples::of(&gaps)
    }

    /// One of the `ADDED` of latencies under handoffs, minus that of the same server left alone; the median of slices of
    /// two seconds each. Equally long ones: a long time meets a rare disturbance of the machine more surely than a short one.
    pub fn added_ms(&self, q: f64) -> Option<f64> {
        let at = ADDED.iter().position(|added| *added == q)?;
        let [alone, under] = &self.slices;
        Some((under[at].median()? - alone[at].median()?) / 1e3)
    }

    /// Nobody could write, or nobody accepted.
    pub fn without_owner_s(&self) -> f64 {
        self.gaps().iter().map(|us| us.max(0.0)).sum::<f64>() / 1e6
    }
}

/// In slices of equal time; what is left at the end is one of its own if it is at least half as long.
fn sliced(samples: &[Sample]) -> Vec<&[Sample]> {
    let mut slices = Vec::new();
    let mut left = samples;
    while let (Some(first), Some(last)) = (left.first(), left.last()) {
        let slice_ns = SLICE.as_nanos() as u64;
        let end = if last.intended_ns.saturating_sub(first.intended_ns) < slice_ns + slice_ns / 2 {
            left.len()
        } else {
            left.partition_point(|sample| sample.intended_ns < first.intended_ns + slice_ns)
        };
        let (slice, rest) = left.split_at(end);
        slices.push(slice);
        left = rest;
    }
    slices
}

/// Of the cases that load at once, and of those that load long.
pub fn rounds(quick: bool) -> (usize, usize) {
    if quick { (1, 1) } else { (10, 2) }
}

/// `ours`: the library is here. `alone`: the kernel's settings are ours to change.
pub fn all(quick: bool, ours: bool, alone: bool) -> Vec<Case> {
    let (rounds, slow_rounds) = rounds(quick);
    let method = |id: &str| METHODS.iter().find(|method| method.id == id).expect("a method of ours");
    let plan = |id: &str, load_ms, backlog, rate, baseline_ms, handoffs| Plan {
        method: method(id),
        load_ms,
        backlog,
        rate,
        kept: if rate == 0 { ALL_KEPT } else { KEPT },
        baseline: Duration::from_millis(baseline_ms),
        handoffs,
        pace: PACE,
    };
    let mut cases = Vec::new();
    // The handoffs of one round, without a load time and at full rate.
    let fast: [(&str, usize); 15] = [
        ("procsup", 110),
        ("supervised", 60),
        ("supervised-stopped", 30),
        ("supervised-killed", 30),
        ("supervised-killed-late", 30),
        ("supervised-killed-here", 15),
        ("procsup-overlap", 30),
        ("bare", 30),
        ("beyond-tuned", 20),
        ("v1-tuned", 20),
        ("beyond", 20),
        ("v1", 20),
        ("restart", 20),
        ("reuseport", 20),
        ("reuseport-migrate", 15),
    ];
    for (id, handoffs) in fast {
        let (baseline_ms, handoffs) = match (quick, id) {
            (true, "procsup") => (2000, 40),
            (true, _) if is_supervised(method(id)) => (2000, 12),
            (true, _) => (400, 6),
            (false, "procsup") => (6000, handoffs),
            (false, _) if is_supervised(method(id)) => (4000, handoffs),
            (false, _) => (2000, handoffs),
        };
        cases.push(Case::new(plan(id, 0, BACKLOG, RATE, baseline_ms, handoffs), rounds));
    }
    // A successor that loads long, once with a short queue.
    let slow: [(&str, u32, u32, usize, usize); 12] = [
        ("procsup", 300, BACKLOG, 50, 6),
        ("bare", 300, BACKLOG, 20, 4),
        ("beyond-tuned", 300, BACKLOG, 20, 2),
        ("beyond", 300, BACKLOG, 20, 2),
        ("restart", 300, BACKLOG, 20, 2),
        ("procsup", 3000, BACKLOG, 10, 1),
        ("bare", 3000, BACKLOG, 5, 1),
        ("beyond-tuned", 3000, BACKLOG, 3, 0),
        ("beyond", 3000, BACKLOG, 3, 0),
        ("restart", 3000, BACKLOG, 3, 0),
        ("procsup", 300, SHORT_BACKLOG, 20, 2),
        ("beyond", 300, SHORT_BACKLOG, 10, 2),
    ];
    for (id, load_ms, backlog, handoffs, in_quick) in slow {
        let handoffs = if quick { in_quick } else { handoffs };
        cases.push(Case::new(
            plan(id, load_ms, backlog, SLOW_RATE, if quick { 300 } else { 500 }, handoffs),
            slow_rounds,
        ));
    }
    // Clients that keep their connections, and no others.
    let kept: [(&str, usize, usize); 5] =
        [(PASSED, 60, 12), ("procsup", 10, 3), ("beyond-tuned", 10, 2), ("restart", 10, 2), ("reuseport", 10, 2)];
    for (id, handoffs, in_quick) in kept {
        let (baseline_ms, handoffs) = if quick { (300, in_quick) } else { (1000, handoffs) };
        cases.push(Case::new(plan(id, 0, BACKLOG, 0, baseline_ms, handoffs), slow_rounds));
    }
    cases.retain(|case| {
        let method = case.plan.method;
        case.plan.handoffs > 0 && (ours || !method.ours) && (alone || method.id != "reuseport-migrate")
    });
    cases
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_are_equally_long_and_keep_every_sample() {
        let sample = |ms: u64| Sample { intended_ns: ms * 1_000_000, us: 0.0, outcome: Outcome::Answered };
        let lengths =
            |ms: u64| sliced(&(0..ms).map(sample).collect::<Vec<_>>()).iter().map(|s| s.len()).collect::<Vec<_>>();
        assert_eq!(lengths(500), [500]);
        assert_eq!(lengths(6000), [2000, 2000, 2000]);
        assert_eq!(lengths(7500), [2000, 2000, 2000, 1500]);
        assert_eq!(lengths(2900), [2900]);
        assert!(lengths(0).is_empty());
    }
}
