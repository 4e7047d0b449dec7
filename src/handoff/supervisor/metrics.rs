//! Counters of a supervisor, in Prometheus' text format: what an operator wants on a wall. Counted where the application is told, so the numbers are
//! those of its events, also of events that nobody took.

use std::fmt::Write as _;

use super::events::{EventKind, Happened};
use crate::error::Status;

/// See the head of this file.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    started: u64,
    serving: u64,
    committed: u64,
    aborted: Vec<(Status, u64)>,
    owner_ended: u64,
    gave_up: u64,
    generation: u64,
    pid: i32,
    /// Nanoseconds: of the last replacement that was committed, and of all.
    pub last_gap: i64,
    pub last_whole: i64,
    pub sum_whole: i64,
    /// How often an owner has shown what it has.
    pub connected: u64,
    /// How often the journal of daemons could not be written.
    pub journal_failures: u64,
}

impl Metrics {
    pub fn count(&mut self, told: &Happened) {
        match told.kind {
            EventKind::Started => self.started += 1,
            EventKind::Serving => {
                self.serving += 1;
                (self.generation, self.pid) = (told.generation, told.pid);
            }
            EventKind::Committed => self.committed += 1,
            EventKind::Aborted => match self.aborted.iter_mut().find(|(reason, _)| *reason == told.reason) {
                Some((_, count)) => *count += 1,
                None => self.aborted.push((told.reason, 1)),
            },
            EventKind::OwnerEnded => {
                self.owner_ended += 1;
                self.pid = 0;
            }
            EventKind::GaveUp => self.gave_up += 1,
            EventKind::Stopped => self.pid = 0,
            EventKind::Progress => {}
        }
    }

    /// As text; `held`: how many listeners.
    pub fn text(&self, held: usize, in_progress: bool) -> String {
        let mut text = String::new();
        let mut one = |name: &str, kind: &str, help: &str, value: &str| {
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}");
        };
        one("handoff_generations_started_total", "counter", "Generations that this supervisor has started.", &self.started.to_string());
        one("handoff_generations_serving_total", "counter", "Times that a generation was found to serve.", &self.serving.to_string());
        one("handoff_committed_total", "counter", "Replacements that were done.", &self.committed.to_string());
        one(
            "handoff_owner_ended_total",
            "counter",
            "Generations that ended by themselves while they served.",
            &self.owner_ended.to_string(),
        );
        one("handoff_gave_up_total", "counter", "Times that no generation was started any more.", &self.gave_up.to_string());
        one(
            "handoff_observer_connections_total",
            "counter",
            "Times that an owner has shown what it has: at each connection, and when that changes.",
            &self.connected.to_string(),
        );
        one(
            "handoff_journal_failures_total",
            "counter",
            "Times that the journal of daemons could not be written: it tells of the time before.",
            &self.journal_failures.to_string(),
        );
        one("handoff_in_progress", "gauge", "1 while a generation is being replaced.", &u8::from(in_progress).to_string());
        one("handoff_listeners_held", "gauge", "Listeners of which this supervisor holds a duplicate.", &held.to_string());
        one("handoff_generation", "gauge", "The generation that owned last.", &self.generation.to_string());
        one("handoff_owner_pid", "gauge", "Its process, 0 if there is none.", &self.pid.to_string());
        one("handoff_last_gap_seconds", "gauge", "How long nobody served in the last replacement.", &seconds(self.last_gap));
        one("handoff_last_duration_seconds", "gauge", "How long the last replacement took, start to settled.", &seconds(self.last_whole));
        one("handoff_duration_seconds_total", "counter", "The same, of all replacements that were done.", &seconds(self.sum_whole));
        let _ = writeln!(
            text,
            "# HELP handoff_aborted_total Replacements that came to nothing, by reason.\n# TYPE handoff_aborted_total counter"
        );
        for (reason, count) in &self.aborted {
            let _ = writeln!(text, "handoff_aborted_total{{reason=\"{}\"}} {count}", reason.name());
        }
        text
    }
}

fn seconds(nanos: i64) -> String {
    let nanos = nanos.max(0);
    format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000)
}
