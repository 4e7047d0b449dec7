//! `bench spawn`: the experiments P1 to P7 in one run. Read `run` for their order; each lives in a file of its own:
//! `cost` (P1 to P3), `many` (P4 to P6), `syscalls` (P7), on methods (`methods`, `procsup`), in a host (`host`), by one
//! way of timing (`measure`).

mod cost;
pub mod cycle;
mod host;
mod many;
mod measure;
mod methods;
mod procsup;
mod results;
mod syscalls;

use crate::chart::{Curves, Line};
use crate::machine::Machine;
use crate::progress::Progress;
use crate::report::{MethodRow, Report};
use cost::Sweep;
use host::Host;
use measure::{Effort, Method, Samples};
use procsup::Api;
use std::path::PathBuf;
use std::time::Duration;

/// Where the package beside this one puts the library.
pub const DEFAULT_LIB: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/release/libprocsup.so");

const DESCRIPTORS: [usize; 4] = [10, 1_000, 5_000, 15_000];
const MEMORY: [usize; 4] = [0, 256 << 20, 1 << 30, 2 << 30];

#[derive(clap::Args)]
pub struct Options {
    /// Write the results as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write spawn-descriptors.svg and spawn-memory.svg
    #[arg(long, value_name = "DIR")]
    svg: Option<PathBuf>,
    /// Few rounds: shows that everything works, proves nothing
    #[arg(long)]
    quick: bool,
    /// Exit with 1 if a limit is missed
    #[arg(long)]
    strict: bool,
    /// libprocsup.so
    #[arg(long, env = "PROCSUP_LIB", default_value = DEFAULT_LIB)]
    lib: PathBuf,
    /// Measure the other methods alone
    #[arg(long)]
    without_procsup: bool,
    /// Run on this CPU, or "any": wherever the scheduler likes [default: the last one]
    #[arg(long, value_name = "CPU")]
    cpu: Option<String>,
}

/// How much of everything is measured.
struct Scale {
    baseline: Effort,
    sweep: Effort,
    passes: usize,
    live: Effort,
    find: usize,
    find_by_sweep: usize,
    kill: usize,
}

impl Scale {
    fn new(quick: bool) -> Self {
        let effort = |rounds, at_least, ms| Effort { rounds, at_least, time: Duration::from_millis(ms) };
        if quick {
            let sweep = effort(20, 2, 150);
            Self {
                baseline: effort(200, 50, 500),
                sweep,
                passes: 1,
                live: effort(100, 100, 500),
                find: 50,
                find_by_sweep: 5,
                kill: 2,
            }
        } else {
            let sweep = effort(120, 4, 450);
            Self {
                baseline: effort(4000, 500, 3000),
                sweep,
                passes: 5,
                live: effort(300, 300, 2000),
                find: 400,
                find_by_sweep: 25,
                kill: 12,
            }
        }
    }
}

/// `false`: --strict, and a limit was missed.
pub fn run(options: &Options) -> Result<bool, String> {
    let scale = Scale::new(options.quick);
    let progress = Progress::new();
    let mut host = Host::prepare(choose_cpu(options.cpu.as_deref())?)?;
    let api = if options.without_procsup { None } else { Some(Api::open(&options.lib)?) };
    let mut methods = methods::all(api)?;
    // procsup reserves its low descriptors at the first use: a server makes its supervisor early.
    for method in &mut methods {
        (method.cycle)().map_err(|problem| format!("{}: {problem}", method.label))?;
    }

    progress.say("cost of one spawn");
    let baseline = cost::baseline(&mut methods, scale.baseline)?;
    let descriptors = DESCRIPTORS.map(|n| host.descriptors(n)).to_vec();
    let descriptors = cost::over_descriptors(&mut methods, descriptors, scale.passes, scale.sweep, &progress)?;
    let memory = MEMORY.map(|bytes| host.memory(bytes)).to_vec();
    let memory = cost::over_memory(&mut methods, memory, scale.passes, scale.sweep, &progress)?;

    let taken = results::Taken { methods: &methods, baseline: &baseline, descriptors: &descriptors, memory: &memory };
    let mut measured = Vec::new();
    if let Some(api) = api {
        measured = results::of_cost(&taken);
        let procsup = methods.iter_mut().find(|method| method.id == "procsup").expect("built above");
        progress.say(&format!("cost among {} live children", many::MANY));
        measured.push(results::live(&many::with_live_children(api, procsup, &host, scale.passes, scale.live)?));
        progress.say(&format!("finding one exit among {}", many::MANY));
        let found = many::find_and_reap(api, &host, scale.find)?;
        let swept = many::waitpid_sweep(&host, scale.find_by_sweep)?;
        measured.extend(results::find(&found, &swept));
        progress.say(&format!("killing {} children", many::KILLED));
        measured.push(results::kill(&many::kill_and_reap(api, scale.kill)?));
        progress.say("counting system calls");
        measured.extend(results::system_calls(syscalls::count(&options.lib)));
    }

    let report = Report {
        machine: machine(host, api),
        results: measured,
        methods: rows(&methods, &baseline, &descriptors, &memory),
        curves: vec![descriptor_curves(&methods, &descriptors), memory_curves(&methods, &memory)],
        absent: absent(api.is_some()),
    };
    drop(progress);
    finish(&report, options)
}

/// Everything on one CPU by default: see the README for what that changes.
fn choose_cpu(wanted: Option<&str>) -> Result<Option<usize>, String> {
    match wanted {
        None => Ok(host::last_cpu()),
        Some("any") => Ok(None),
        Some(number) => number.parse().map(Some).map_err(|_| format!("--cpu {number}: a number or \"any\"")),
    }
}

fn finish(report: &Report, options: &Options) -> Result<bool, String> {
    let most_memory = report.curves[1].x.last().map_or(0.0, |mib| mib / 1024.0);
    let most_descriptors = report.curves[0].x.last().copied().unwrap_or(0.0);
    report.print([&format!("{most_descriptors} descriptors"), &format!("{most_memory} GiB resident")]);
    if let Some(path) = &options.json {
        report.write_json(path)?;
    }
    if let Some(dir) = &options.svg {
        std::fs::create_dir_all(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
        let subtitle = format!("static program that only exits; lower is better.  {}", report.machine.summary());
        report.curves.iter().try_for_each(|curves| curves.write_svg(dir, &subtitle))?;
    }
    Ok(!options.strict || report.missed() == 0)
}

fn machine(host: Host, api: Option<&Api>) -> Machine {
    Machine {
        pinned_to_cpu: host.cpu,
        nofile: host.nofile,
        procsup: api.map(Api::version),
        libuv: methods::libuv_version(),
        glib: methods::glib_version(),
        glibc: methods::glibc_version(),
        notes: host.notes,
        ..Machine::describe()
    }
}

fn rows(methods: &[Method], baseline: &[Samples], descriptors: &Sweep, memory: &Sweep) -> Vec<MethodRow> {
    let row = |(i, method): (usize, &Method)| MethodRow {
        id: method.id,
        label: method.label.clone(),
        min_us: baseline[i].quantile(0.0),
        median_us: baseline[i].median(),
        p99_us: baseline[i].quantile(0.99),
        most_descriptors_us: descriptors.median(descriptors.levels.len() - 1, i),
        most_memory_us: memory.median(memory.levels.len() - 1, i),
    };
    methods.iter().enumerate().map(row).collect()
}

fn absent(with_procsup: bool) -> Vec<(String, String)> {
    let mut rows = Vec::new();
    for (label, there) in [
        ("libuv", methods::libuv_version().is_some()),
        ("GLib", methods::glib_version().is_some()),
        ("procsup", with_procsup),
    ] {
        if !there {
            let why = if label == "procsup" { "left out" } else { "not built" };
            rows.push((label.to_owned(), why.to_owned()));
        }
    }
    rows
}

fn descriptor_curves(methods: &[Method], sweep: &Sweep) -> Curves {
    Curves {
        name: "spawn-descriptors",
        title: "Spawning from a host with many open descriptors",
        x_label: "descriptors that the host has open (log scale)",
        x_log: true,
        x: sweep.levels.iter().map(|&n| n as f64).collect(),
        lines: lines(methods, sweep),
    }
}

fn memory_curves(methods: &[Method], sweep: &Sweep) -> Curves {
    Curves {
        name: "spawn-memory",
        title: "Spawning from a host with much memory",
        x_label: "resident memory of the host (MiB, 4 KiB pages)",
        x_log: false,
        x: sweep.levels.iter().map(|&bytes| (bytes >> 20) as f64).collect(),
        lines: lines(methods, sweep),
    }
}

fn lines(methods: &[Method], sweep: &Sweep) -> Vec<Line> {
    let line = |(i, method): (usize, &Method)| Line {
        id: method.id,
        label: method.label.clone(),
        y: (0..sweep.levels.len()).map(|level| sweep.median(level, i).unwrap_or(f64::NAN)).collect(),
    };
    methods.iter().enumerate().map(line).collect()
}
