//! `bench spawn`: the experiments P1 to P7 in one run. Read `run` for their order; each lives in a file of its own:
//! `cost` (P1 to P3), `many` (P4 to P6); P7 is a `trace`. The methods are in `methods`, and what they are made of in `parts`.

mod cost;
pub mod cycle;
mod many;
mod methods;
mod parts;
mod results;

use crate::chart::{Curves, Line, Unit};
use crate::host::Host;
use crate::machine::Machine;
use crate::measure::{Effort, Method, Samples};
use crate::options;
use crate::others::Busy;
use crate::peers;
use crate::procsup::Api;
use crate::progress::Progress;
use crate::report::{Report, table, us};
use crate::trace;
use comfy_table::Table;
use cost::Sweep;
use serde::Serialize;
use std::time::Duration;

const DESCRIPTORS: [usize; 4] = [10, 1_000, 5_000, 15_000];
const COST: &str = "one spawn + exit + reap, median (log scale)";
const MEMORY: [usize; 4] = [0, 256 << 20, 1 << 30, 2 << 30];

#[derive(clap::Args)]
pub struct Options {
    #[command(flatten)]
    common: options::Options,
    /// What each call costs, instead of P1 to P7
    #[arg(long)]
    parts: bool,
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
                kill: 6,
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
                kill: 24,
            }
        }
    }
}

/// `false`: --strict, and a limit was missed.
pub fn run(Options { common: options, parts }: &Options) -> Result<bool, String> {
    if *parts {
        return parts::run(options);
    }
    let scale = Scale::new(options.quick);
    let progress = Progress::new();
    let mut host = Host::prepare(options.cpu()?)?;
    let api = if options.without_procsup { None } else { Some(Api::open(&options.lib)?) };
    let mut methods = methods::all(api)?;
    // procsup reserves its low descriptors at the first use: a server makes its supervisor early.
    for method in &mut methods {
        (method.cycle)().map_err(|problem| format!("{}: {problem}", method.label))?;
    }

    let busy = Busy::begin();
    progress.say("cost of one spawn");
    let (baseline, twin) = cost::baseline(&mut methods, methods::floor(), scale.baseline)?;
    let descriptors = DESCRIPTORS.map(|n| host.descriptors(n)).to_vec();
    let descriptors = cost::over_descriptors(&mut methods, descriptors, scale.passes, scale.sweep, &progress)?;
    let memory = MEMORY.map(|bytes| host.memory(bytes)).to_vec();
    let memory = cost::over_memory(&mut methods, memory, scale.passes, scale.sweep, &progress)?;

    let taken = results::Taken { methods: &methods, baseline: &baseline, descriptors: &descriptors, memory: &memory };
    let mut measured = Vec::new();
    if let Some(api) = api {
        measured = results::of_cost(&taken, &twin);
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
        let calls = |method| trace::count(&["cycle", method, "--count", "10"], "", &options.lib);
        let (ours, stub) = (calls("procsup"), calls("stub"));
        results::compare_calls(&mut measured, &ours, &stub);
        measured.extend(results::system_calls(ours));
    }

    host.notes.push(busy.note());
    let report = Report {
        machine: machine(host, api),
        results: measured,
        methods: rows(&methods, &baseline, &descriptors, &memory),
        curves: vec![descriptor_curves(&methods, &descriptors), memory_curves(&methods, &memory)],
    };
    drop(progress);
    finish(&report, &absent(api.is_some()), options)
}

fn finish(report: &Report<MethodRow>, absent: &[(&str, &str)], options: &options::Options) -> Result<bool, String> {
    let most_memory = report.curves[1].x.last().map_or(0.0, |mib| mib / 1024.0);
    let most_descriptors = report.curves[0].x.last().copied().unwrap_or(0.0);
    let columns = [format!("{most_descriptors} descriptors"), format!("{most_memory} GiB resident")];
    let title = "One spawn + exit + reap, microseconds".to_owned();
    report.print(&[(title, overview(&report.methods, absent, &columns))]);
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
        libuv: peers::libuv_version(),
        glib: peers::glib_version(),
        glibc: peers::glibc_version(),
        notes: host.notes,
        ..Machine::describe()
    }
}

/// One method's figures, for the overview and the results file.
#[derive(Serialize)]
struct MethodRow {
    id: &'static str,
    label: String,
    min_us: Option<f64>,
    median_us: Option<f64>,
    p99_us: Option<f64>,
    most_descriptors_us: Option<f64>,
    most_memory_us: Option<f64>,
}

/// `columns`: names of the two columns for the largest host.
fn overview(rows: &[MethodRow], absent: &[(&str, &str)], columns: &[String; 2]) -> Table {
    let mut table = table(&["method", "min", "median", "p99", &columns[0], &columns[1]], 1..=5);
    for row in rows {
        let figures = [row.min_us, row.median_us, row.p99_us, row.most_descriptors_us, row.most_memory_us];
        table.add_row(std::iter::once(row.label.clone()).chain(figures.map(us)));
    }
    for (label, why) in absent {
        table.add_row([label, "", why]);
    }
    table
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

/// Rows that only say why they have no figures.
fn absent(with_procsup: bool) -> Vec<(&'static str, &'static str)> {
    let mut rows = Vec::new();
    for (label, there, why) in [
        ("libuv", peers::libuv_version().is_some(), "not built"),
        ("GLib", peers::glib_version().is_some(), "not built"),
        ("procsup", with_procsup, "left out"),
    ] {
        if !there {
            rows.push((label, why));
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
        y_label: COST,
        unit: Unit::Microseconds,
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
        y_label: COST,
        unit: Unit::Microseconds,
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
