//! Daemons that know nothing of procsup, replaced under load by procsup's supervisor and by their own means. Blocks take
//! turns as those of the servers do: a fresh daemon, left alone first, then replaced again and again.

pub mod conductor;
mod http;
mod kinds;
pub mod results;

pub use kinds::{DAEMONS, Daemon, Kind, Setup, WORKERS, Way};

use super::block::{Place, failed};
use super::client::{self, Load, Outcome, Sample};
use super::network::{self, Counts};
use super::ring::now;
use crate::host;
use crate::measure::Samples;
use crate::served::Served;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

pub const BACKLOG: u32 = 4096;
/// How long a new one must be healthy beside the old one.
pub const PROBATION_MS: i64 = 100;
/// A request is slow that has taken so many times the p99 of the same daemon at rest.
pub const SLOW: f64 = 5.0;

const WARM_UP: Duration = Duration::from_secs(1);
const SETTLE: Duration = Duration::from_millis(500);

/// What is measured of one daemon in one way.
pub struct Cell {
    pub daemon: &'static Daemon,
    pub rounds: usize,
    baseline: Duration,
    under: Duration,
    /// From one replacement to the next; longer if it takes longer.
    pace: Duration,
    /// At rest: all of them.
    pub alone: Vec<f64>,
    pub samples: Vec<(f32, Outcome)>,
    pub baseline_failed: u64,
    /// Sent a second time, and how often a replacement was made, in microseconds each.
    pub again: u64,
    pub whole: Vec<f64>,
    pub seconds: f64,
    pub counts: Counts,
    /// The most that the clients used of their CPU.
    pub busy: f64,
    /// Of the last block, for the picture.
    pub timeline: Vec<Sample>,
    pub marks: Vec<u64>,
    pub problems: Vec<String>,
}

pub struct Block {
    baseline: Vec<Sample>,
    under: Vec<Sample>,
    whole: Vec<f64>,
    marks: Vec<u64>,
    again: u64,
    busy: f64,
    counts: Counts,
    problem: Option<String>,
}

/// Those that are installed.
pub fn all(quick: bool, ours: bool) -> Vec<Cell> {
    let here = DAEMONS.iter().filter(|daemon| daemon.kind.is_here() && (ours || !daemon.is_ours()));
    here.map(|daemon| {
        // 1 000 000 requests in all: 3 times 105 s of 2800 a second, 3 times 150 s of 360.
        let seconds = |quick_s, whole_s| Duration::from_secs(if quick { quick_s } else { whole_s });
        let (under, pace) = match daemon.kind {
            Kind::Nginx => (seconds(4, 21), Duration::from_secs(1)),
            Kind::Gunicorn => (seconds(8, 30), Duration::from_secs(5)),
        };
        Cell {
            daemon,
            rounds: if quick { 1 } else { 5 },
            baseline: seconds(2, 6),
            under,
            pace: if quick { pace / 2 } else { pace },
            alone: Vec::new(),
            samples: Vec::new(),
            baseline_failed: 0,
            again: 0,
            whole: Vec::new(),
            seconds: 0.0,
            counts: Counts::new(),
            busy: 0.0,
            timeline: Vec::new(),
            marks: Vec::new(),
            problems: Vec::new(),
        }
    })
    .collect()
}

impl Cell {
    pub fn add(&mut self, block: Block) {
        let answered = block.baseline.iter().filter(|sample| sample.outcome == Outcome::Answered);
        self.alone.extend(answered.map(|sample| f64::from(sample.us)));
        self.samples.extend(block.under.iter().map(|sample| (sample.us, sample.outcome)));
        self.baseline_failed += failed(&block.baseline);
        self.again += block.again;
        self.whole.extend(block.whole);
        if let (Some(first), Some(last)) = (block.under.first(), block.under.last()) {
            self.seconds += last.intended_ns.saturating_sub(first.intended_ns) as f64 / 1e9;
        }
        for (name, count) in block.counts {
            *self.counts.entry(name).or_default() += count;
        }
        self.busy = self.busy.max(block.busy);
        (self.timeline, self.marks) = (block.under, block.marks);
        self.problems.extend(block.problem.map(|problem| format!("{}: {problem}", self.daemon.label)));
    }

    /// Latencies of what was answered, microseconds.
    pub fn under(&self) -> Samples {
        let answered = self.samples.iter().filter(|(_, outcome)| *outcome == Outcome::Answered);
        let mut samples = Samples::default();
        samples.extend(answered.map(|(us, _)| f64::from(*us)));
        samples
    }

    pub fn failed(&self) -> u64 {
        self.samples.iter().filter(|(_, outcome)| *outcome != Outcome::Answered).count() as u64
    }

    pub fn slower_than(&self, us: f64) -> u64 {
        self.samples.iter().filter(|(took, outcome)| *outcome == Outcome::Answered && f64::from(*took) > us).count()
            as u64
    }

    pub fn block(&self, place: &Place) -> Result<Block, String> {
        let dir = place.base.join("daemon");
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).map_err(|error| format!("{}: {error}", dir.display()))?;
        let port = free_port()?;
        let cpu = place.server_cpu.map(|cpu| format!("--cpu={cpu}"));
        let (path, port_word) = (dir.to_string_lossy(), format!("--port={port}"));
        let mut words = vec!["handoff-daemon", self.daemon.id, &path, &port_word];
        words.extend(cpu.as_deref());
        let mut conductor = Served::start(&words, place.lib)?;
        conductor.ask("start")?;
        let (rate, kept, kept_rate) = self.daemon.kind.load();
        let (load, stop) = (Load { port, rate, kept, kept_rate }, AtomicBool::new(false));
        let clients = || {
            if let Some(cpu) = place.client_cpu {
                host::pin(cpu)?;
            }
            client::run::<http::Http>(load, &stop)
        };
        std::thread::scope(|scope| {
            let clients = scope.spawn(clients);
            let replaced = self.replace(&mut conductor);
            stop.store(true, Relaxed);
            let log = clients.join().map_err(|_| "the clients have panicked".to_owned()).and_then(|log| log)?;
            let _ = conductor.ask("stop");
            let between = |from: u64, to: u64| {
                let inside = |sample: &&Sample| (from..to).contains(&sample.intended_ns);
                let mut samples: Vec<Sample> = log.samples.iter().filter(inside).copied().collect();
                samples.sort_by_key(|sample| sample.intended_ns);
                samples
            };
            let Replaced { begun_ns, replacing_ns, ended_ns, whole, marks, counts, problem } = replaced;
            Ok(Block {
                baseline: between(begun_ns, replacing_ns),
                under: between(replacing_ns, ended_ns),
                whole,
                marks,
                again: log.again,
                busy: log.busy,
                counts,
                problem,
            })
        })
    }

    fn replace(&self, conductor: &mut Served) -> Replaced {
        std::thread::sleep(WARM_UP);
        let begun_ns = now();
        std::thread::sleep(self.baseline);
        let (before, replacing_ns) = (network::counts(), now());
        let (mut whole, mut marks, mut problem) = (Vec::new(), Vec::new(), None);
        let (begun, mut next) = (Instant::now(), Instant::now());
        while begun.elapsed() < self.under {
            next += self.pace;
            marks.push(now());
            match conductor.ask("replace") {
                Ok(us) => whole.extend(us),
                Err(error) => {
                    problem = Some(error);
                    break;
                }
            }
            let left = next.min(begun + self.under).saturating_duration_since(Instant::now());
            std::thread::sleep(left);
            next = next.max(Instant::now());
        }
        let ended_ns = now();
        std::thread::sleep(SETTLE);
        Replaced { begun_ns, replacing_ns, ended_ns, whole, marks, counts: network::since(&before), problem }
    }
}

struct Replaced {
    begun_ns: u64,
    replacing_ns: u64,
    ended_ns: u64,
    whole: Vec<f64>,
    marks: Vec<u64>,
    counts: Counts,
    problem: Option<String>,
}

fn free_port() -> Result<u16, String> {
    let listener = network::listen(0, 1, false)?;
    listener.local_addr().map(|address| address.port()).map_err(|error| error.to_string())
}
