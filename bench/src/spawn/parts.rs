//! `bench spawn --parts`: what each call of a spawn costs on this machine. The plainest cycle in C (`c/parts.c`), and one after
//! the other the steps that a library adds; below them whole libraries and the floor of P1, in the same rounds.

use super::methods;
use crate::host::Host;
use crate::measure::{Effort, Method, Samples, interleave};
use crate::noise::{self, Interval};
use crate::options::Options;
use crate::peers::EXIT;
use crate::procsup::Api;
use crate::progress::Progress;
use crate::report::{Report, table, us};
use comfy_table::Table;
use serde::Serialize;
use std::ffi::{CString, c_char, c_int, c_uint};
use std::time::Duration;

unsafe extern "C" {
    fn bench_parts_cycle(path: *const c_char, steps: c_uint) -> c_int;
}

// As `enum bench_step` in c/bench.h has them.
const PIDFD: c_uint = 1;
const GROUP: c_uint = 2;
const UNSHARE: c_uint = 4;
const MASK: c_uint = 8;
const RESETS: c_uint = 16;
const POLL: c_uint = 32;
const PEEK: c_uint = 64;
const SWEEP: c_uint = 128;
const STATUS: c_uint = 256;
const STAT: c_uint = 512;
const ASK_31: c_uint = 1024;
const ASK_62: c_uint = 2048;
const RESET_29: c_uint = 4096;

/// A row: its steps, and the row that it adds something to.
struct Part {
    id: &'static str,
    label: &'static str,
    steps: c_uint,
    added_to: Option<&'static str>,
}

const CHILD: c_uint = PIDFD | GROUP | UNSHARE | MASK | RESETS;

/// Each has what the row has that it is added to.
const PARTS: [Part; 15] = [
    Part { id: "vfork+waitpid", label: "vfork, execve, waitpid", steps: 0, added_to: None },
    Part { id: "pidfd", label: "+ clone3 with a pidfd, waitid, close", steps: PIDFD, added_to: Some("vfork+waitpid") },
    Part { id: "group", label: "+ setpgid", steps: PIDFD | GROUP, added_to: Some("pidfd") },
    Part {
        id: "unshare",
        label: "+ CLONE_FILES, close_range(UNSHARE)",
        steps: PIDFD | GROUP | UNSHARE,
        added_to: Some("group"),
    },
    Part { id: "mask", label: "+ rt_sigprocmask", steps: PIDFD | GROUP | UNSHARE | MASK, added_to: Some("unshare") },
    Part { id: "resets", label: "+ 2 x rt_sigaction in the child", steps: CHILD, added_to: Some("mask") },
    Part { id: "poll", label: "+ poll before waitid", steps: CHILD | POLL, added_to: Some("resets") },
    Part { id: "peek", label: "  or waitid(WNOWAIT) before it", steps: CHILD | PEEK, added_to: Some("resets") },
    Part {
        id: "sweep",
        label: "+ the group is swept (after poll)",
        steps: CHILD | POLL | SWEEP,
        added_to: Some("poll"),
    },
    Part { id: "peek+sweep", label: "  or after waitid(WNOWAIT)", steps: CHILD | PEEK | SWEEP, added_to: Some("peek") },
    Part {
        id: "status",
        label: "+ pread of /proc/self/status",
        steps: CHILD | POLL | SWEEP | STATUS,
        added_to: Some("sweep"),
    },
    Part { id: "stat", label: "  or of /proc/self/stat", steps: CHILD | POLL | SWEEP | STAT, added_to: Some("sweep") },
    Part {
        id: "ask-31",
        label: "  or 31 x rt_sigaction",
        steps: CHILD | POLL | SWEEP | ASK_31,
        added_to: Some("sweep"),
    },
    Part {
        id: "ask-62",
        label: "  or 62 x rt_sigaction",
        steps: CHILD | POLL | SWEEP | ASK_62,
        added_to: Some("sweep"),
    },
    Part {
        id: "reset-29",
        label: "  or all 29 of them reset in the child, unasked",
        steps: CHILD | POLL | SWEEP | RESET_29,
        added_to: Some("sweep"),
    },
];

/// The calls that procsup makes, and nothing between them. `P3-stub` says so if they are others.
const STUB: c_uint = PIDFD | GROUP | UNSHARE | MASK | POLL | SWEEP | RESET_29;

/// The whole ones below them.
const WHOLE: [&str; 5] = ["floor", "stub", "procsup", "posix_spawn", "libuv"];

/// For the table and the results file. `ratio`: to the first row; `added_us`: what its steps add to the row `added_to`.
#[derive(Serialize)]
struct Row {
    id: &'static str,
    label: String,
    median_us: Option<f64>,
    ratio: Option<f64>,
    ratio_noise: Option<Interval>,
    added_to: Option<&'static str>,
    added_us: Option<f64>,
    added_noise_us: Option<Interval>,
}

pub fn methods() -> impl Iterator<Item = Method> {
    PARTS.iter().map(|part| method(part.id, part.label, part.steps))
}

/// What a library would cost that is nothing but its system calls.
pub fn stub() -> Method {
    method("stub", "the same calls in C", STUB)
}

fn method(id: &'static str, label: &str, steps: c_uint) -> Method {
    let path = CString::new(EXIT).unwrap();
    // SAFETY: a NUL-terminated path; the C side keeps nothing of it.
    let cycle = move || methods::done(unsafe { bench_parts_cycle(path.as_ptr(), steps) });
    Method { id, label: label.into(), cycle: Box::new(cycle) }
}

pub fn run(options: &Options) -> Result<bool, String> {
    let progress = Progress::new();
    let host = Host::prepare(options.cpu()?)?;
    let api = if options.without_procsup { None } else { Some(Api::open(&options.lib)?) };
    let mut all: Vec<Method> = methods().collect();
    let mut whole = methods::all(api)?;
    whole.retain(|method| WHOLE.contains(&method.id));
    whole.sort_by_key(|method| WHOLE.iter().position(|id| *id == method.id));
    all.append(&mut whole);
    let effort = if options.quick {
        Effort { rounds: 300, at_least: 300, time: Duration::from_millis(500) }
    } else {
        Effort { rounds: 4000, at_least: 4000, time: Duration::from_secs(10) }
    };
    let mut samples = vec![Samples::default(); all.len()];
    progress.say("cost of each call");
    interleave(&mut all, effort, &mut samples)?;
    drop(progress);

    let methods = rows(&all, &samples);
    let report = Report { machine: super::machine(host, api), results: Vec::new(), methods, curves: Vec::new() };
    report.print(&[(
        "One spawn + exit + reap, microseconds; each row with what the one above it has".into(),
        show(&report.methods),
    )]);
    println!(
        "added: to the row above (\"or\": to the row that the one above is added to, in its place); 95 of 100: where chance would have put that; ~: it could as well be nothing"
    );
    if let Some(path) = &options.json {
        report.write_json(path)?;
    }
    Ok(true)
}

fn rows(methods: &[Method], samples: &[Samples]) -> Vec<Row> {
    let floor = samples[0].median();
    let row = |(i, method): (usize, &Method)| {
        let added_to = PARTS.iter().find(|part| part.id == method.id).and_then(|part| part.added_to);
        let before = added_to.and_then(|id| methods.iter().position(|method| method.id == id)).map(|at| &samples[at]);
        let median = samples[i].median();
        Row {
            id: method.id,
            label: method.label.clone(),
            median_us: median,
            ratio: median.zip(floor).map(|(us, floor)| us / floor),
            ratio_noise: (i > 0).then(|| noise::of_ratio(samples[i].series(), samples[0].series())).flatten(),
            added_to,
            added_us: median.zip(before.and_then(Samples::median)).map(|(us, before)| us - before),
            added_noise_us: before.and_then(|before| noise::of_difference(samples[i].series(), before.series())),
        }
    };
    methods.iter().enumerate().map(row).collect()
}

fn show(rows: &[Row]) -> Table {
    let mut table = table(&["", "median", "ratio", "added", "95 of 100", ""], 1..=4);
    for row in rows {
        let added = row.added_us.map_or_else(String::new, |us| format!("{us:+.1}"));
        let noise =
            row.added_noise_us.map_or_else(String::new, |noise| format!("{:+.1} to {:+.1}", noise.low, noise.high));
        let ratio = row.ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}"));
        let lost = row.added_noise_us.is_some_and(|noise| noise.holds(0.0));
        table.add_row([row.label.clone(), us(row.median_us), ratio, added, noise, if lost { "~" } else { "" }.into()]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_has_what_the_row_has_that_it_is_added_to() {
        for part in PARTS.iter().skip(1) {
            let before = PARTS.iter().find(|other| Some(other.id) == part.added_to).expect(part.id);
            assert!(part.steps & before.steps == before.steps && part.steps != before.steps, "{}", part.id);
        }
    }
}
