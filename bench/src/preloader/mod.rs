//! `bench preloader`: P8-rack, from nothing until a worker of Passenger's `rack-preloader.rb` is ready and its sockets are known: through the
//! library (`library`), and by a bare driver of the same protocol in C (`c/preloader_driver.c`). Each has a preloader of its own with the same
//! application; what a worker's end takes is not timed.

mod driver;
mod library;

use crate::host::Host;
use crate::machine::Machine;
use crate::measure::Samples;
use crate::options::Options;
use crate::peers;
use crate::procsup::Api;
use crate::progress::Progress;
use crate::report::{LimitKind, Measured, Report, table};
use comfy_table::Table;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::Instant;

const NEEDED: [&str; 2] = ["/usr/bin/ruby", "/usr/share/passenger/helper-scripts/rack-preloader.rb"];
const APPLICATION: &str =
    "run lambda { |env| [200, {'Content-Type' => 'text/plain'}, [\"#{Process.pid} #{env['PATH_INFO']}\\n\"]] }\n";

/// The library's limit in the reference: what it may add to the bare driver.
const ADDED_MS: f64 = 1.0;

/// A place with a short path (the names of sockets must fit), in memory if there is such.
struct Place(PathBuf);

impl Place {
    fn new() -> Result<Self, String> {
        let root = if Path::new("/dev/shm").is_dir() { "/dev/shm" } else { "/tmp" };
        let dir = PathBuf::from(format!("{root}/pb{}", std::process::id()));
        let failed = |error| format!("{}: {error}", dir.display());
        for name in ["", "app", "bare", "ours"] {
            std::fs::create_dir(dir.join(name)).map_err(failed)?;
        }
        std::fs::write(dir.join("app/config.ru"), APPLICATION).map_err(failed)?;
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
    /// Until it is ready: this is timed.
    fn ready(&mut self) -> Result<(), String>;
    /// It ends, and is forgotten.
    fn end(&mut self) -> Result<(), String>;
}

struct Taken {
    id: &'static str,
    ready: Samples,
}

/// `false`: --strict, and the limit was missed.
pub fn run(options: &Options) -> Result<bool, String> {
    if let Some(missing) = NEEDED.iter().find(|path| !Path::new(path).exists()) {
        return Err(format!("{missing} is not here: ./x setup gets it, as root (Debian: passenger ruby ruby-rack)"));
    }
    let rounds = if options.quick { 15 } else { 250 };
    let progress = Progress::new();
    let host = Host::prepare(options.cpu()?)?;
    let api = if options.without_procsup { None } else { Some(Api::open(&options.lib)?) };
    let one = measure(api, rounds, "one CPU", &progress)?;
    let all = match host.unpinned() {
        Some(_free) => measure(api, rounds / 3 + 1, "all CPUs", &progress)?,
        None => Vec::new(),
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
        results: results(&one, &all),
        methods: rows(&one, "one CPU").chain(rows(&all, "all CPUs")).collect(),
        curves: Vec::new(),
    };
    drop(progress);
    report.print(&[
        ("A ready worker of rack-preloader.rb, on one CPU, ms".into(), times(&one)),
        ("On all CPUs, ms".into(), times(&all)),
    ]);
    if let Some(path) = &options.json {
        report.write_json(path)?;
    }
    Ok(!options.strict || report.missed() == 0)
}

fn measure(api: Option<&'static Api>, rounds: usize, place: &str, progress: &Progress) -> Result<Vec<Taken>, String> {
    const WARM_UP: usize = 5;
    let dir = Place::new()?;
    let mut ways: Vec<(Taken, Box<dyn Way>)> = Vec::new();
    if let Some(api) = api {
        ways.push((taken("procsup"), Box::new(library::Preloader::new(api, &dir.0.join("ours"), &dir.0.join("app"))?)));
    }
    ways.push((taken("bare"), Box::new(driver::Preloader::new(&dir.0.join("bare"), &dir.0.join("app"))?)));
    let mut order: Vec<usize> = (0..ways.len()).collect();
    for round in 0..rounds + WARM_UP {
        progress.say(&format!("a worker, on {place}: {round} of {rounds}"));
        fastrand::shuffle(&mut order);
        for &i in &order {
            let (taken, way) = &mut ways[i];
            let begun = Instant::now();
            let ready = way.ready();
            let took = begun.elapsed();
            ready.and_then(|()| way.end()).map_err(|problem| format!("{}: {problem}", taken.id))?;
            if round >= WARM_UP {
                taken.ready.push(took);
            }
        }
    }
    Ok(ways.into_iter().map(|(taken, _)| taken).collect())
}

fn taken(id: &'static str) -> Taken {
    Taken { id, ready: Samples::default() }
}

fn median(all: &[Taken], id: &str) -> Option<f64> {
    all.iter().find(|taken| taken.id == id)?.ready.median()
}

fn results(one: &[Taken], all: &[Taken]) -> Vec<Measured> {
    let added = |all: &[Taken]| {
        let (ours, other) = (median(all, "procsup"), median(all, "bare"));
        (ours.zip(other).map(|(ours, other)| (ours - other) / 1e3), ours, other)
    };
    let (one, ours, other) = added(one);
    let what = "a ready rack worker, added to a bare driver's";
    let mut results = vec![Measured::new("P8-rack", what, "ms", one, (LimitKind::Max, ADDED_MS)).with(ours, other)];
    if !all.is_empty() {
        let (value, ours, other) = added(all);
        results.push(Measured::told("P8-rack-all", "the same on all CPUs", "ms", value).with(ours, other));
    }
    results
}

/// One method's figures in the results file.
#[derive(Serialize)]
struct Row {
    id: &'static str,
    place: &'static str,
    samples: usize,
    median_us: Option<f64>,
    p10_us: Option<f64>,
    p90_us: Option<f64>,
}

fn rows<'a>(all: &'a [Taken], place: &'static str) -> impl Iterator<Item = Row> + 'a {
    all.iter().map(move |taken| Row {
        id: taken.id,
        place,
        samples: taken.ready.len(),
        median_us: taken.ready.median(),
        p10_us: taken.ready.quantile(0.1),
        p90_us: taken.ready.quantile(0.9),
    })
}

fn times(all: &[Taken]) -> Table {
    let mut table = table(&["method", "median", "p10", "p90"], 1..=3);
    for taken in all {
        let ms = |q: f64| taken.ready.quantile(q).map_or_else(String::new, |us| format!("{:.2}", us / 1e3));
        let label = if taken.id == "bare" { "a bare driver" } else { taken.id };
        table.add_row([label.into(), ms(0.5), ms(0.1), ms(0.9)]);
    }
    table
}
