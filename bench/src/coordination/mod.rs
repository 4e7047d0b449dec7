//! `bench coordination`: the experiments C1 to C6 in one run. Read `run` for their order. `budget` (C1 to C3) is measured in
//! this process; `lock` (C4, C5) and `ready` (C6) between processes (`party`), which have one clock (`stamp`).

mod budget;
mod library;
mod lock;
pub mod party;
mod ready;
mod stamp;

use crate::bars::{Bar, Bars};
use crate::chart::Unit;
use crate::host::Host;
use crate::machine::Machine;
use crate::measure::Samples;
use crate::options::Options;
use crate::peers;
use crate::procsup::Api;
use crate::progress::Progress;
use crate::report::{LimitKind, Measured, Report, table, us};
use comfy_table::Table;
use serde::Serialize;
use std::path::PathBuf;

/// How much of everything is measured.
struct Scale {
    budget: budget::Effort,
    lock: lock::Effort,
    ready: usize,
}

impl Scale {
    fn new(quick: bool) -> Self {
        if quick {
            Self {
                budget: budget::Effort { rounds: 3, pairs: 100_000 },
                lock: lock::Effort { rounds: 2, passes: 10 },
                ready: 20,
            }
        } else {
            Self {
                budget: budget::Effort { rounds: 25, pairs: 200_000 },
                lock: lock::Effort { rounds: 12, passes: 40 },
                ready: 400,
            }
        }
    }
}

/// What the parties share; in memory, if there is such a place.
struct Place(PathBuf);

impl Place {
    fn new() -> Result<Self, String> {
        let root = if std::path::Path::new("/dev/shm").is_dir() { "/dev/shm".into() } else { std::env::temp_dir() };
        let dir = root.join(format!("procsup-bench-{}", std::process::id()));
        std::fs::create_dir(&dir).map_err(|error| format!("{}: {error}", dir.display()))?;
        Ok(Self(dir))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// `false`: --strict, and a limit was missed.
pub fn run(options: &Options) -> Result<bool, String> {
    let scale = Scale::new(options.quick);
    let progress = Progress::new();
    let mut host = Host::prepare(options.cpu()?)?;
    let api = if options.without_procsup { None } else { Some(Api::open(&options.lib)?) };
    let dir = Place::new()?;
    let methods: Vec<&str> = lock::METHODS.into_iter().filter(|id| *id != "procsup" || api.is_some()).collect();
    let place = if host.cpu.is_some() { "on one CPU" } else { "on all CPUs" };

    let mut taken = Taken { budgets: budget::prepare(api)?, ..Taken::default() };
    budget::measure(&mut taken.budgets, scale.budget, &progress)?;
    taken.locks = lock::measure(&methods, &options.lib, &dir.0, scale.lock, place, &progress)?;
    taken.ready = ready::measure(api, &dir.0, scale.ready, place, &progress)?;
    if let Some(free) = host.unpinned() {
        taken.cpus = free.cpus;
        budget::measure_threads(&mut taken.budgets, scale.budget, &progress)?;
        let fewer = lock::Effort { rounds: scale.lock.rounds.div_ceil(2), ..scale.lock };
        taken.locks_everywhere = lock::measure(&methods, &options.lib, &dir.0, fewer, "on all CPUs", &progress)?;
        taken.ready_everywhere = ready::measure(api, &dir.0, scale.ready / 2, "on all CPUs", &progress)?;
    } else {
        host.notes.push("one CPU, or --cpu any: no figures of several threads".into());
    }

    let report = Report {
        machine: Machine {
            pinned_to_cpu: host.cpu,
            nofile: host.nofile,
            procsup: api.map(Api::version),
            glibc: peers::glibc_version(),
            notes: host.notes,
            ..Machine::describe()
        },
        results: taken.results(),
        methods: taken.rows(),
        curves: Vec::new(),
    };
    drop(progress);
    report.print(&[
        ("An attempt begun and finished, ns".into(), taken.budget_table()),
        (format!("A lock, {place}, µs"), lock_table(&taken.locks)),
        (format!("READY=1, {place}, µs"), ready_table(&taken.ready)),
        ("A lock, on all CPUs, µs".into(), lock_table(&taken.locks_everywhere)),
        ("READY=1, on all CPUs, µs".into(), ready_table(&taken.ready_everywhere)),
    ]);
    if let Some(path) = &options.json {
        report.write_json(path)?;
    }
    if let Some(dir) = &options.svg {
        std::fs::create_dir_all(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
        bars(&taken.locks).write_svg(dir, &format!("median; lower is better.  {}", report.machine.summary()))?;
    }
    Ok(!options.strict || report.missed() == 0)
}

#[derive(Default)]
struct Taken {
    budgets: Vec<budget::Taken>,
    locks: Vec<lock::Taken>,
    ready: Vec<ready::Taken>,
    /// 0: nothing was measured there.
    cpus: usize,
    locks_everywhere: Vec<lock::Taken>,
    ready_everywhere: Vec<ready::Taken>,
}

impl Taken {
    fn budget(&self, id: &str, which: fn(&budget::Taken) -> &Samples) -> Option<&Samples> {
        self.budgets.iter().find(|taken| taken.id == id).map(which)
    }

    fn results(&self) -> Vec<Measured> {
        type Which = fn(&budget::Taken) -> &Samples;
        let attempt = |id, what: String, which: Which, limit| {
            let us = |id| self.budget(id, which).and_then(Samples::median);
            let (ours, floor) = (us("procsup"), us("floor"));
            let measured =
                Measured::new(id, what, "ns", ours.map(|us| us * 1e3), (LimitKind::Max, limit)).with(ours, floor);
            let ratio = ours.zip(floor).map(|(ours, floor)| (floor * 1e3, ours / floor));
            ratio.into_iter().fold(measured, |measured, (ns, ratio)| {
                measured.note(format!("a locked table takes {ns:.0} ns; {ratio:.2} of it"))
            })
        };
        let one = self.budget("procsup", |taken| &taken.one_thread);
        let several = self.budget("procsup", |taken| &taken.threads);
        let handed = |id| lock(&self.locks, id, |taken| &taken.handed);
        let orphaned = |id| lock(&self.locks, id, |taken| &taken.orphaned);
        let us = |samples: Option<&Samples>| samples.and_then(Samples::median);
        let everywhere = &self.locks_everywhere;
        vec![
            attempt("C1", "begin and finish, one key; other: a locked table".into(), |taken| &taken.one_key, 250.0),
            attempt("C2", format!("the same, {} keys in any order", budget::KEYS), |taken| &taken.many_keys, 500.0),
            Measured::at_least(
                "C3",
                format!("throughput of {} threads to one's, {} CPUs", budget::THREADS, self.cpus),
                several,
                one,
                1.0,
            ),
            // Who has a deadline cannot wait in flock(2); what else there is takes twice as long as that by itself.
            Measured::at_most(
                "C4",
                "lock handed over, to inotify and a try",
                handed("procsup"),
                handed("inotify"),
                2.5,
            )
            .beside("a blocking flock", us(handed("flock")))
            .beside("a try every millisecond", us(handed("polling"))),
            told_ratio("C4-flock", "the same to a blocking flock", handed("procsup"), handed("flock")),
            Measured::new(
                "C5-us",
                "lock of an owner that is killed",
                "us",
                us(orphaned("procsup")),
                (LimitKind::Max, 400.0),
            )
            .with(us(orphaned("procsup")), us(orphaned("flock")))
            .beside("inotify and a try, nothing else", us(orphaned("inotify")))
            .beside("a try every millisecond", us(orphaned("polling"))),
            Measured::at_most(
                "C6",
                "READY=1 sent until its event, to a bare pair of sockets",
                ready(&self.ready, "procsup"),
                ready(&self.ready, "socketpair"),
                2.0,
            ),
            told_ratio(
                "C4-all",
                "C4 on all CPUs",
                lock(everywhere, "procsup", |taken| &taken.handed),
                lock(everywhere, "inotify", |taken| &taken.handed),
            ),
            told_ratio(
                "C5-all",
                "C5 on all CPUs, to a blocking flock",
                lock(everywhere, "procsup", |taken| &taken.orphaned),
                lock(everywhere, "flock", |taken| &taken.orphaned),
            ),
            told_ratio(
                "C6-all",
                "C6 on all CPUs",
                ready(&self.ready_everywhere, "procsup"),
                ready(&self.ready_everywhere, "socketpair"),
            ),
        ]
    }

    fn rows(&self) -> Vec<MethodRow> {
        let quantiles = |place, what, samples: &Samples| Figure {
            what,
            place,
            samples: samples.len(),
            median_us: samples.median(),
            p99_us: samples.quantile(0.99),
        };
        let mut rows: Vec<MethodRow> = Vec::new();
        let mut add = |id: &'static str, figure: Figure| match rows.iter_mut().find(|row| row.id == id) {
            _ if figure.samples == 0 => {}
            Some(row) => row.figures.push(figure),
            None => rows.push(MethodRow { id, label: label(id), figures: vec![figure] }),
        };
        for taken in &self.budgets {
            add(taken.id, quantiles("one CPU", "attempt, one key", &taken.one_key));
            add(taken.id, quantiles("one CPU", "attempt, many keys", &taken.many_keys));
            add(taken.id, quantiles("all CPUs", "attempt, one thread", &taken.one_thread));
            add(taken.id, quantiles("all CPUs", "attempt, several threads", &taken.threads));
        }
        for (place, locks) in [("one CPU", &self.locks), ("all CPUs", &self.locks_everywhere)] {
            for taken in locks {
                add(taken.id, quantiles(place, "lock handed over", &taken.handed));
                add(taken.id, quantiles(place, "lock of a killed owner", &taken.orphaned));
            }
        }
        for (place, ready) in [("one CPU", &self.ready), ("all CPUs", &self.ready_everywhere)] {
            for taken in ready {
                add(taken.id, quantiles(place, "ready", &taken.told));
            }
        }
        rows
    }

    fn budget_table(&self) -> Table {
        let several = format!("{} threads", budget::THREADS);
        let many = format!("{} keys", budget::KEYS);
        let mut table = table(&["method", "one key", &many, "one thread", &several], 1..=4);
        for taken in &self.budgets {
            let ns = |samples: &Samples| us(samples.median().map(|us| us * 1e3));
            table.add_row([
                label(taken.id),
                ns(&taken.one_key),
                ns(&taken.many_keys),
                ns(&taken.one_thread),
                ns(&taken.threads),
            ]);
        }
        table
    }
}

/// A ratio of which two CPUs decide more than we do.
fn told_ratio(id: &'static str, what: &str, ours: Option<&Samples>, other: Option<&Samples>) -> Measured {
    Measured::at_most(id, what, ours, other, 1.0).only_told()
}

fn lock<'a>(all: &'a [lock::Taken], id: &str, which: fn(&lock::Taken) -> &Samples) -> Option<&'a Samples> {
    all.iter().find(|taken| taken.id == id).map(which)
}

fn ready<'a>(all: &'a [ready::Taken], id: &str) -> Option<&'a Samples> {
    all.iter().find(|taken| taken.id == id).map(|taken| &taken.told)
}

/// One method's figures in the results file.
#[derive(Serialize)]
struct MethodRow {
    id: &'static str,
    label: String,
    figures: Vec<Figure>,
}

#[derive(Serialize)]
struct Figure {
    what: &'static str,
    place: &'static str,
    samples: usize,
    median_us: Option<f64>,
    p99_us: Option<f64>,
}

fn label(id: &str) -> String {
    match id {
        "floor" => "a locked table",
        "flock" => "blocking flock(2)",
        "inotify" => "inotify, then a try",
        "polling" => "a try every millisecond",
        "socketpair" => "a pair of sockets",
        other => other,
    }
    .into()
}

fn lock_table(all: &[lock::Taken]) -> Table {
    let mut table = table(&["method", "handed over", "p99", "owner killed", "p99"], 1..=4);
    for taken in all {
        table.add_row([
            label(taken.id),
            us(taken.handed.median()),
            us(taken.handed.quantile(0.99)),
            us(taken.orphaned.median()),
            us(taken.orphaned.quantile(0.99)),
        ]);
    }
    table
}

fn ready_table(all: &[ready::Taken]) -> Table {
    let mut table = table(&["method", "known after", "p99"], 1..=2);
    for taken in all {
        table.add_row([label(taken.id), us(taken.told.median()), us(taken.told.quantile(0.99))]);
    }
    table
}

fn bars(all: &[lock::Taken]) -> Bars {
    let bar = |taken: &lock::Taken| Bar {
        id: if taken.id == "flock" { "floor" } else { taken.id },
        label: label(taken.id),
        values: [&taken.handed, &taken.orphaned].map(|samples| samples.median().unwrap_or(0.0)).into(),
    };
    Bars {
        name: "coordination-lock",
        title: "Until the next process has the lock".into(),
        groups: vec!["it was handed over".into(), "its owner was killed".into()],
        unit: Unit::Microseconds,
        bars: all.iter().map(bar).collect(),
    }
}
