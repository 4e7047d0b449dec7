//! `bench supervisor`: the experiments S1 to S3, P13 and P14 in one run. Read `run` for their order. `exits` (S1, S3) and `storm`
//! (S2) order hosts about (`served`), which are processes of their own (`serve`) with children of one kind (`crowd`).

mod crowd;
mod exits;
mod results;
pub mod serve;
mod storm;

use crate::bars::{Bar, Bars};
use crate::chart::{Curves, Line, Unit, grouped};
use crate::host::Host;
use crate::machine::Machine;
use crate::options::Options;
use crate::others::Busy;
use crate::peers;
use crate::procsup::Api;
use crate::progress::Progress;
use crate::report::{Report, table, us};
use crate::trace;
use comfy_table::Table;
use exits::{BURST, Exits, Taken};
use serde::Serialize;
use std::time::Duration;
use storm::{Place, SLOTS, Storm};

/// How much of everything is measured.
struct Scale {
    exits: exits::Effort,
    storm: storm::Effort,
    /// P13.
    fewer: storm::Effort,
}

impl Scale {
    fn new(quick: bool) -> Self {
        let seconds = |n| Duration::from_secs(n);
        if quick {
            Self {
                exits: exits::Effort { passes: 1, at_least: 1, time: seconds(5), exits: 30, bursts: 3 },
                storm: storm::Effort { jobs: 2_000, rounds: 2, at_least: 1, time: seconds(3) },
                fewer: storm::Effort { jobs: storm::FEWER_JOBS, rounds: 2, at_least: 1, time: seconds(3) },
            }
        } else {
            Self {
                exits: exits::Effort { passes: 9, at_least: 3, time: seconds(70), exits: 150, bursts: 10 },
                storm: storm::Effort { jobs: storm::JOBS, rounds: 9, at_least: 3, time: seconds(35) },
                fewer: storm::Effort { jobs: storm::FEWER_JOBS, rounds: 20, at_least: 9, time: seconds(60) },
            }
        }
    }
}

/// `false`: --strict, and a limit was missed.
pub fn run(options: &Options) -> Result<bool, String> {
    let scale = Scale::new(options.quick);
    let progress = Progress::new();
    let mut host = Host::prepare(options.cpu()?)?;
    let busy = Busy::begin();
    let procsup = if options.without_procsup { None } else { Some(Api::open(&options.lib)?.version()) };
    let xargs = storm::xargs_version();
    let holds = procsup.is_some() && Api::open(&options.lib)?.has("ps_supervisor_set_hold_processor");
    let here = |method: &&str| match *method {
        "procsup" => procsup.is_some(),
        serve::HELD => holds,
        "libuv" => peers::libuv_version().is_some(),
        "xargs" => xargs.is_some(),
        _ => true,
    };
    let watching: Vec<&str> = ["procsup", "sweep", "libuv", "floor"].into_iter().filter(here).collect();
    let storming: Vec<&'static str> = storm::METHODS.into_iter().filter(here).collect();

    let exits = exits::measure(&watching, &options.lib, &host, scale.exits, &progress)?;
    let place = host.cpu.map_or("on all CPUs", |_| "on one CPU");
    let jobs = |place| storm::measure(&storming, [Place::Here], &options.lib, scale.storm, place, &progress);
    let [storm] = jobs(place)?;
    let everywhere = match host.unpinned() {
        Some(free) => Some((jobs("on all CPUs")?, format!("on {} CPUs", free.cpus))),
        None => None,
    };
    let fewer = match host.on_two().map(drop) {
        Some(()) => {
            let methods: Vec<&str> = storm::FEWER.into_iter().filter(here).collect();
            let places = [Place::Here, Place::Two(&host)];
            Some(storm::measure(&methods, places, &options.lib, scale.fewer, "on one CPU and two", &progress)?)
        }
        None => None,
    };
    progress.say("counting system calls");
    let calls = |end| {
        let orders = format!("children {}\n{end} {} 20\n", exits.levels[0], serve::EVENT_LOOP);
        procsup.as_ref().map(|_| trace::count(&["serve", "procsup"], &orders, &options.lib))
    };
    let calls = calls("exits").zip(calls("terms"));

    let libuv = peers::libuv_version().map_or_else(|| "libuv".into(), |version| format!("libuv {version}"));
    let mut measured = results::of_exits(&exits, &libuv);
    measured.extend(results::of_storm(&storm, &results::ONE_PLACE, place, &libuv));
    if let Some(([storm], place)) = &everywhere {
        measured.extend(results::of_storm(storm, &results::ALL_CPUS, place, &libuv));
    }
    measured.extend(results::of_memory(&exits, &libuv));
    if let Some([one, two]) = &fewer {
        measured.extend(results::of_two_cpus(one, two, &libuv));
    }
    measured.extend(results::of_few_children(&exits, calls, &libuv));
    host.notes.push(busy.note());

    let names = Names { libuv, xargs };
    let mut storms = vec![(storm, place.to_owned())];
    storms.extend(everywhere.map(|([storm], place)| (storm, place)));
    if let Some([one, two]) = fewer {
        let jobs = grouped(one.jobs as f64);
        storms.extend([(one, format!("{jobs} on one")), (two, format!("{jobs} on two"))]);
    }
    let report = Report {
        machine: Machine {
            pinned_to_cpu: host.cpu,
            nofile: host.nofile,
            procsup,
            libuv: peers::libuv_version(),
            xargs: names.xargs.clone(),
            glibc: peers::glibc_version(),
            notes: host.notes,
            ..Machine::describe()
        },
        results: measured,
        methods: rows(&exits, &storms, &names),
        curves: vec![curves(&exits, &names)],
    };
    drop(progress);
    finish(&report, &exits, &storms, options)
}

fn finish(
    report: &Report<MethodRow>,
    exits: &Exits,
    storms: &[(Storm, String)],
    options: &Options,
) -> Result<bool, String> {
    report.print(&[
        ("Exits taken per second, one after the other".into(), exits_table(&report.methods, exits)),
        (format!("{} jobs through {SLOTS} slots", storms[0].0.jobs), storm_table(&report.methods, storms)),
    ]);
    if let Some(path) = &options.json {
        report.write_json(path)?;
    }
    if let Some(dir) = &options.svg {
        std::fs::create_dir_all(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
        let subtitle = format!("idle children; higher is better.  {}", report.machine.summary());
        report.curves.iter().try_for_each(|curves| curves.write_svg(dir, &subtitle))?;
        let subtitle = format!("jobs that only exit; higher is better.  {}", report.machine.hardware());
        // Those of P13 are more of the same.
        let most = storms.iter().map(|(storm, _)| storm.jobs).max();
        let shown = storms.iter().take_while(|(storm, _)| Some(storm.jobs) == most).count();
        bars(&report.methods, &storms[..shown]).write_svg(dir, &subtitle)?;
    }
    Ok(!options.strict || report.missed() == 0)
}

struct Names {
    libuv: String,
    xargs: Option<String>,
}

impl Names {
    fn label(&self, id: &str) -> String {
        match id {
            "procsup-blocking" => "procsup, blocking".into(),
            serve::HELD => "procsup, held".into(),
            "sweep" => "SIGCHLD + waitpid sweep".into(),
            "libuv" => self.libuv.clone(),
            "xargs" => format!("GNU xargs {}", self.xargs.as_deref().unwrap_or_default()),
            "floor" => "floor in C".into(),
            other => other.into(),
        }
    }
}

/// One method's figures, for the tables and the results file.
#[derive(Serialize)]
struct MethodRow {
    id: &'static str,
    label: String,
    exits: Vec<ExitsAmong>,
    /// Of each exit when `BURST` children end at once, among the most.
    burst_us: Option<f64>,
    bytes_per_child: Option<f64>,
    storms: Vec<StormRow>,
}

#[derive(Serialize)]
struct ExitsAmong {
    children: usize,
    min_us: Option<f64>,
    median_us: Option<f64>,
    p99_us: Option<f64>,
    per_second: Option<f64>,
}

#[derive(Serialize)]
struct StormRow {
    place: String,
    jobs: usize,
    slots: usize,
    wall_ms: Option<f64>,
    per_second: Option<f64>,
}

fn rows(exits: &Exits, storms: &[(Storm, String)], names: &Names) -> Vec<MethodRow> {
    let mut ids: Vec<&'static str> = exits.taken.iter().map(|taken| taken.way.id).collect();
    let storming = storms.iter().flat_map(|(storm, _)| &storm.methods).filter(|id| exits.of(id).is_none());
    for id in storming {
        if !ids.contains(id) {
            ids.push(id);
        }
    }
    ids.sort_by_key(|id| *id == "floor"); // a yardstick: below the others
    let row = |id| {
        let taken = exits.of(id);
        let among = |taken: &Taken| {
            let level = |(level, &children): (usize, &usize)| ExitsAmong {
                children,
                min_us: taken.exits[level].quantile(0.0),
                median_us: taken.exits[level].median(),
                p99_us: taken.exits[level].quantile(0.99),
                per_second: taken.per_second(level),
            };
            exits.levels.iter().enumerate().map(level).collect()
        };
        let storm = |(storm, place): &(Storm, String)| StormRow {
            place: place.clone(),
            jobs: storm.jobs,
            slots: SLOTS,
            wall_ms: storm.wall_ms(id),
            per_second: storm.per_second(id),
        };
        MethodRow {
            id,
            label: names.label(id),
            exits: taken.map(among).unwrap_or_default(),
            burst_us: taken.and_then(Taken::burst_us_per_exit),
            bytes_per_child: taken.and_then(|taken| taken.bytes.median()),
            storms: storms.iter().map(storm).filter(|storm| storm.wall_ms.is_some()).collect(),
        }
    };
    ids.into_iter().map(row).collect()
}

fn whole(number: Option<f64>) -> String {
    number.map_or_else(String::new, |number| format!("{number:.0}"))
}

fn exits_table(rows: &[MethodRow], exits: &Exits) -> Table {
    let most = exits.levels[exits.levels.len() - 1];
    let mut header: Vec<String> = vec!["method".into()];
    header.extend(exits.levels.iter().map(|n| format!("of {n}")));
    header.extend([format!("median µs, of {most}"), "p99 µs".into(), format!("{BURST} at once"), "bytes/child".into()]);
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let mut table = table(&header, 1..=header.len() - 1);
    for row in rows.iter().filter(|row| !row.exits.is_empty()) {
        let last = &row.exits[row.exits.len() - 1];
        let mut cells = vec![row.label.clone()];
        cells.extend(row.exits.iter().map(|among| whole(among.per_second)));
        cells.extend([us(last.median_us), us(last.p99_us)]);
        cells.extend([whole(row.burst_us.map(|us| 1e6 / us)), whole(row.bytes_per_child)]);
        table.add_row(cells);
    }
    table
}

fn storm_table(rows: &[MethodRow], storms: &[(Storm, String)]) -> Table {
    let mut header: Vec<String> = vec!["method".into()];
    for (_, place) in storms {
        header.extend([format!("jobs/s {place}"), "wall ms".into()]);
    }
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let mut table = table(&header, 1..=header.len() - 1);
    for row in rows.iter().filter(|row| !row.storms.is_empty()) {
        let figures = storms.iter().flat_map(|(_, place)| {
            let storm = row.storms.iter().find(|storm| storm.place == *place);
            [whole(storm.and_then(|storm| storm.per_second)), whole(storm.and_then(|storm| storm.wall_ms))]
        });
        table.add_row(std::iter::once(row.label.clone()).chain(figures));
    }
    table
}

fn curves(exits: &Exits, names: &Names) -> Curves {
    let line = |taken: &Taken| Line {
        id: taken.way.id,
        label: names.label(taken.way.id),
        y: (0..exits.levels.len()).map(|level| taken.per_second(level).unwrap_or(f64::NAN)).collect(),
    };
    Curves {
        name: "supervisor-exits",
        title: "Taking exits among many live children",
        x_label: "live children (log scale)",
        x_log: true,
        y_label: "exits per second, one after the other (log scale)",
        unit: Unit::PerSecond,
        x: exits.levels.iter().map(|&n| n as f64).collect(),
        lines: exits.taken.iter().map(line).collect(),
    }
}

fn bars(rows: &[MethodRow], storms: &[(Storm, String)]) -> Bars {
    let bar = |row: &MethodRow| Bar {
        id: row.id,
        label: row.label.clone(),
        values: row.storms.iter().take(storms.len()).map(|storm| storm.per_second.unwrap_or(0.0)).collect(),
    };
    Bars {
        name: "supervisor-storm",
        title: format!("{} short jobs through {SLOTS} slots, jobs per second", grouped(storms[0].0.jobs as f64)),
        groups: storms.iter().map(|(_, place)| place.clone()).collect(),
        unit: Unit::PerSecond,
        // One that is in P13 only is not in the picture.
        bars: rows
            .iter()
            .filter(|row| row.storms.first().is_some_and(|storm| storm.place == storms[0].1))
            .map(bar)
            .collect(),
    }
}
