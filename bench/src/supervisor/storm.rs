//! S2: a storm of short jobs through a few slots. Each job is the program that only exits, so what is measured is the
//! dispatcher: starting the next one when one has ended. Every round runs each method once in a new order. P13 is the same with
//! fewer jobs and more rounds, on one CPU and on two in turn.

use super::serve::HELD;
use crate::host::Host;
use crate::measure::{self, Samples};
use crate::peers::EXIT;
use crate::progress::Progress;
use crate::served::Served;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

pub const JOBS: usize = 10_000;
pub const SLOTS: usize = 32;

pub const METHODS: [&str; 4] = ["procsup", "xargs", "libuv", "floor"];
/// Those of P13.
pub const FEWER_JOBS: usize = 2_000;
pub const FEWER: [&str; 4] = ["procsup", HELD, "libuv", "floor"];

/// Samples of whole storms, in the order of `methods`.
pub struct Storm {
    pub methods: Vec<&'static str>,
    pub jobs: usize,
    samples: Vec<Samples>,
}

impl Storm {
    pub fn samples(&self, id: &str) -> Option<&Samples> {
        self.methods.iter().position(|method| *method == id).map(|at| &self.samples[at])
    }

    pub fn wall_ms(&self, id: &str) -> Option<f64> {
        Some(self.samples(id)?.median()? / 1e3)
    }

    pub fn us_per_job(&self, id: &str) -> Option<f64> {
        Some(self.samples(id)?.median()? / self.jobs as f64)
    }

    pub fn per_second(&self, id: &str) -> Option<f64> {
        self.us_per_job(id).map(|us| 1e6 / us)
    }
}

/// How much is measured: a machine on which the storms take long has fewer of them.
#[derive(Clone, Copy)]
pub struct Effort {
    pub jobs: usize,
    pub rounds: usize,
    pub at_least: usize,
    pub time: Duration,
}

/// Where a storm is.
#[derive(Clone, Copy)]
pub enum Place<'a> {
    /// Where this process is.
    Here,
    /// On two CPUs.
    Two(&'a Host),
}

/// One for each place; every round has all of them. `what`: for the progress line.
pub fn measure<const N: usize>(
    methods: &[&'static str],
    places: [Place; N],
    lib: &Path,
    effort: Effort,
    what: &str,
    progress: &Progress,
) -> Result<[Storm; N], String> {
    let Effort { jobs, rounds, at_least, time } = effort;
    let begun = Instant::now();
    let new = |_| Storm { methods: methods.to_vec(), jobs, samples: vec![Samples::default(); methods.len()] };
    let mut storms = places.map(new);
    let mut order: Vec<(usize, usize)> =
        (0..N * methods.len()).map(|i| (i / methods.len(), i % methods.len())).collect();
    for round in 1..=rounds {
        if round > at_least && begun.elapsed() > time {
            break;
        }
        fastrand::shuffle(&mut order);
        for &(at, i) in &order {
            progress.say(&format!("{jobs} jobs through {SLOTS} slots {what}: {}, {round} of {rounds}", methods[i]));
            let two = match places[at] {
                Place::Here => None,
                Place::Two(host) => Some(host.on_two().ok_or("a second CPU was there")?),
            };
            let us = if methods[i] == "xargs" { xargs(jobs)? } else { served(methods[i], lib, jobs)? };
            drop(two);
            storms[at].samples[i].extend([us]);
        }
    }
    Ok(storms)
}

fn served(method: &str, lib: &Path, jobs: usize) -> Result<f64, String> {
    let mut served = Served::start(&["serve", method], lib)?;
    served.ask(&format!("storm {SLOTS} {SLOTS}"))?; // warm
    served.ask(&format!("storm {jobs} {SLOTS}"))?.first().copied().ok_or_else(|| "no answer".into())
}

/// The whole life of an xargs. Its own start and end are some hundred microseconds of it.
fn xargs(jobs: usize) -> Result<f64, String> {
    let lines: String = (0..jobs).map(|job| format!("{job}\n")).collect();
    let (status, duration) = measure::time(|| {
        let mut xargs = Command::new("xargs")
            .args(["-P", &SLOTS.to_string(), "-n", "1", EXIT])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()?;
        let written = xargs.stdin.take().expect("piped").write_all(lines.as_bytes());
        xargs.wait().and_then(|status| written.map(|()| status))
    });
    let status = status.map_err(|error| format!("xargs: {error}"))?;
    if status.success() { Ok(duration.as_secs_f64() * 1e6) } else { Err(format!("xargs: {status}")) }
}

/// GNU's name and version; other kinds have no -P, or another one.
pub fn xargs_version() -> Option<String> {
    let said = Command::new("xargs").arg("--version").stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&said.stdout).lines().next()?.to_owned();
    let version = text.strip_prefix("xargs (GNU findutils) ")?;
    Some(version.to_owned())
}
