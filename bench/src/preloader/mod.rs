//! `bench preloader`: what a worker takes that is forked from an application which is loaded already. `native` (P8 and what belongs to it): from
//! a preloader of our own protocol, beside bare forks in that same process, processes by hand, Python's forkserver. `rack` (P8-rack): from
//! Passenger's `rack-preloader.rb`, beside a bare driver of its protocol. What a worker's end takes is not timed.

mod native;
mod rack;

use crate::bars::Bars;
use crate::host::Host;
use crate::machine::Machine;
use crate::measure::Samples;
use crate::options::Options;
use crate::peers;
use crate::procsup::Api;
use crate::progress::Progress;
use crate::report::Report;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A place with a short path (the names of sockets must fit), in memory if there is such.
struct Place(PathBuf);

impl Place {
    fn new() -> Result<Self, String> {
        let root = if Path::new("/dev/shm").is_dir() { "/dev/shm" } else { "/tmp" };
        let dir = PathBuf::from(format!("{root}/pb{}", std::process::id()));
        std::fs::create_dir(&dir).map_err(|error| format!("{}: {error}", dir.display()))?;
        Ok(Self(dir))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// One way to have a worker.
trait Way {
    /// Until it is ready: how long that took.
    fn ready(&mut self) -> Result<Duration, String>;
    /// It ends, and is forgotten.
    fn end(&mut self) -> Result<(), String>;
}

struct Taken {
    id: &'static str,
    label: &'static str,
    place: &'static str,
    ready: Samples,
}

struct Contender {
    taken: Taken,
    way: Box<dyn Way>,
}

impl Contender {
    fn new(id: &'static str, label: &'static str, place: &'static str, way: impl Way + 'static) -> Self {
        Self { taken: Taken { id, label, place, ready: Samples::default() }, way: Box::new(way) }
    }
}

/// Each once in every round, in a new order; the first rounds do not count. `untimed`: before each there is one that is not timed either, so
/// that nobody pays for what the one before him has left behind.
fn interleave(
    contenders: &mut [Contender],
    rounds: usize,
    untimed: bool,
    progress: &Progress,
    what: &str,
) -> Result<(), String> {
    const WARM_UP: usize = 5;
    let mut order: Vec<usize> = (0..contenders.len()).collect();
    for round in 0..rounds + WARM_UP {
        progress.say(&format!("{what}: {round} of {rounds}"));
        fastrand::shuffle(&mut order);
        for &i in &order {
            let Contender { taken, way } = &mut contenders[i];
            let failed = |problem| format!("{}: {problem}", taken.id);
            if untimed {
                way.ready().and_then(|_| way.end()).map_err(failed)?;
            }
            let took = way.ready().and_then(|took| way.end().map(|()| took)).map_err(failed)?;
            if round >= WARM_UP {
                taken.ready.push(took);
            }
        }
    }
    Ok(())
}

fn ready<'a>(all: &'a [Taken], id: &str) -> Option<&'a Samples> {
    all.iter().find(|taken| taken.id == id).map(|taken| &taken.ready)
}

fn median(all: &[Taken], id: &str) -> Option<f64> {
    ready(all, id)?.median()
}

/// `false`: --strict, and a limit was missed.
pub fn run(options: &Options) -> Result<bool, String> {
    let progress = Progress::new();
    let mut host = Host::prepare(options.cpu()?)?;
    let api = if options.without_procsup { None } else { Some(Api::open(&options.lib)?) };
    let native = native::measure(api, options, &mut host.notes, &progress)?;
    let racks = match rack::missing() {
        Some(path) => {
            host.notes
                .push(format!("{path} is not here: ./x setup gets it, as root (Debian: passenger ruby ruby-rack)"));
            rack::Racks::default()
        }
        None => rack::measure(api, options.quick, &host, &progress)?,
    };
    let report = Report {
        machine: Machine {
            pinned_to_cpu: host.cpu,
            nofile: host.nofile,
            procsup: api.map(Api::version),
            glibc: peers::glibc_version(),
            notes: host.notes,
            ..Machine::describe()
        },
        results: native.results().into_iter().chain(racks.results()).collect(),
        methods: native.ready.iter().chain(&racks.one).chain(&racks.all).map(Row::of).collect(),
        curves: Vec::new(),
    };
    drop(progress);
    report.print(&native.tables().into_iter().chain(racks.tables()).collect::<Vec<_>>());
    if let Some(path) = &options.json {
        report.write_json(path)?;
    }
    if let Some(dir) = &options.svg {
        std::fs::create_dir_all(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
        let subtitle = format!("median; lower is better.  {}", report.machine.summary());
        native.bars().iter().try_for_each(|bars: &Bars| bars.write_svg(dir, &subtitle))?;
    }
    Ok(!options.strict || report.missed() == 0)
}

/// One method's figures in the results file.
#[derive(Serialize)]
struct Row {
    id: &'static str,
    label: &'static str,
    place: &'static str,
    samples: usize,
    median_us: Option<f64>,
    p10_us: Option<f64>,
    p90_us: Option<f64>,
}

impl Row {
    fn of(taken: &Taken) -> Self {
        Self {
            id: taken.id,
            label: taken.label,
            place: taken.place,
            samples: taken.ready.len(),
            median_us: taken.ready.median(),
            p10_us: taken.ready.quantile(0.1),
            p90_us: taken.ready.quantile(0.9),
        }
    }
}
