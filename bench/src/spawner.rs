//! `bench spawner`: what a spawner takes off the host. P11: how long one `ps_spawn` takes with it, with 32 slots, and while an exec hangs for a
//! second; P11-rate: how many jobs a second that makes, beside the host's own spawns. Both beside bare processes in C that do the same
//! (`c/spawner_floor.c`). On two CPUs: the host's and whoever makes the children. Rounds are interleaved.

use crate::bars::{Bar, Bars};
use crate::chart::Unit;
use crate::host::Host;
use crate::machine::Machine;
use crate::measure::{Samples, time};
use crate::noise;
use crate::options::Options;
use crate::peers;
use crate::procsup::{Api, Command, Error, PS_EVENT_EXITED, PS_EVENT_STARTED, Supervisor};
use crate::progress::Progress;
use crate::report::{LimitKind, Measured, Report, table, us};
use serde::Serialize;
use std::ffi::{CString, c_char, c_int};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

unsafe extern "C" {
    fn bench_spawner_floor(
        path: *const c_char,
        jobs: usize,
        slots: usize,
        direct: c_int,
        call_ns: *mut u64,
        all_ns: *mut u64,
    ) -> c_int;
}

const SLOTS: usize = 32;

/// One way to run jobs: what each call took, and each storm.
#[derive(Default)]
struct Way {
    id: &'static str,
    label: &'static str,
    calls: Samples,
    per_job: Samples,
}

#[derive(Serialize)]
struct Row {
    id: &'static str,
    label: &'static str,
    calls: usize,
    call_p50_us: Option<f64>,
    call_p99_us: Option<f64>,
    job_us: Option<f64>,
}

/// Runs jobs through the slots; gives the time of each call to `called`.
fn storm(
    api: &Api,
    supervisor: Supervisor,
    command: Command,
    jobs: usize,
    mut called: impl FnMut(Duration),
) -> Result<Duration, String> {
    let (begun, mut started, mut ended) = (Instant::now(), 0, 0);
    while ended < jobs {
        while started < jobs && started - ended < SLOTS {
            let (child, took) = time(|| api.spawn(Some(supervisor), command));
            child?;
            called(took);
            started += 1;
        }
        match api.next_event(supervisor, 30_000)? {
            Some(event) if event.kind == PS_EVENT_EXITED => {
                api.child_free(event.child);
                ended += 1;
            }
            Some(event) if event.kind == PS_EVENT_STARTED => {}
            Some(event) => return Err(format!("an event of kind {}", event.kind)),
            None => return Err("no event within half a minute".into()),
        }
    }
    Ok(begun.elapsed())
}

fn floor(jobs: usize, direct: bool, way: &mut Way) -> Result<(), String> {
    let path = CString::new(peers::EXIT).unwrap();
    let (mut calls, mut all) = (vec![0u64; jobs], 0u64);
    // SAFETY: room for as many times as there are jobs.
    let status =
        unsafe { bench_spawner_floor(path.as_ptr(), jobs, SLOTS, c_int::from(direct), calls.as_mut_ptr(), &mut all) };
    if status != 0 {
        return Err(std::io::Error::from_raw_os_error(-status).to_string());
    }
    way.calls.extend(calls.into_iter().map(|ns| ns as f64 / 1e3));
    way.per_job.extend([all as f64 / 1e3 / jobs as f64]);
    Ok(())
}

fn with_spawner(api: &Api) -> Result<Supervisor, String> {
    type Call = unsafe extern "C" fn(Supervisor, i32, *mut Error) -> i32;
    // SAFETY: the signature is the one of the documented C face.
    let call: Call = unsafe { api.function("ps_supervisor_set_spawner") }?;
    let supervisor = api.supervisor()?;
    let mut error = std::ptr::null_mut();
    // SAFETY: as above.
    let status = unsafe { call(supervisor, 1, &mut error) };
    api.check("ps_supervisor_set_spawner", status, error).map(|()| supervisor)
}

/// A copy of the program that only exits, whose exec the kernel asks us about (fanotify(7), as root).
struct Held {
    notify: OwnedFd,
    path: PathBuf,
}

impl Held {
    fn new() -> Result<Self, String> {
        let path = std::env::temp_dir().join(format!("procsup-bench-held-{}", std::process::id()));
        std::fs::copy(peers::EXIT, &path).map_err(|error| error.to_string())?;
        let name = CString::new(path.to_string_lossy().as_bytes()).unwrap();
        // SAFETY: flags and a string; the descriptor is new and ours.
        unsafe {
            let flags = libc::FAN_CLASS_CONTENT | libc::FAN_CLOEXEC | libc::FAN_NONBLOCK;
            let fd = libc::fanotify_init(flags, libc::O_RDONLY as u32);
            let marked = fd >= 0
                && libc::fanotify_mark(fd, libc::FAN_MARK_ADD, libc::FAN_OPEN_EXEC_PERM, libc::AT_FDCWD, name.as_ptr())
                    == 0;
            if !marked {
                let why = std::io::Error::last_os_error();
                let _ = std::fs::remove_file(&path);
                return Err(format!("no exec can be held here: fanotify: {why}"));
            }
            Ok(Self { notify: OwnedFd::from_raw_fd(fd), path })
        }
    }

    /// Waits until somebody executes it; it hangs until [`Held::let_go`].
    fn asked(&self) -> Result<c_int, String> {
        let mut poll = libc::pollfd { fd: self.notify.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: one pollfd; a metadata structure that the kernel fills.
        unsafe {
            if libc::poll(&mut poll, 1, 10_000) != 1 {
                return Err("nobody has executed the program that was to hang".into());
            }
            let mut event: libc::fanotify_event_metadata = std::mem::zeroed();
            let size = size_of::<libc::fanotify_event_metadata>();
            if libc::read(poll.fd, (&raw mut event).cast(), size) != size as isize {
                return Err(format!("fanotify: {}", std::io::Error::last_os_error()));
            }
            Ok(event.fd)
        }
    }

    fn let_go(&self, asked: c_int) {
        let answer = libc::fanotify_response { fd: asked, response: libc::FAN_ALLOW };
        // SAFETY: a structure of the size that is written; the descriptor came from the kernel for us.
        unsafe {
            libc::write(self.notify.as_raw_fd(), (&raw const answer).cast(), size_of_val(&answer));
            libc::close(asked);
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Calls while an exec hangs for a second.
fn while_one_hangs(api: &Api, rounds: usize) -> Result<Samples, String> {
    let mut calls = Samples::default();
    let held = Held::new()?;
    let (supervisor, exits) = (with_spawner(api)?, api.command(peers::EXIT)?);
    let hangs = api.command(&held.path.to_string_lossy())?;
    for _ in 0..rounds {
        let child = api.spawn(Some(supervisor), hangs)?;
        let asked = held.asked()?;
        let until = Instant::now() + Duration::from_secs(1);
        while Instant::now() < until {
            storm(api, supervisor, exits, 2 * SLOTS, |took| calls.push(took))?;
        }
        held.let_go(asked);
        loop {
            match api.next_event(supervisor, 30_000)? {
                Some(event) if event.kind == PS_EVENT_EXITED && event.child == child => break,
                Some(_) => {}
                None => return Err("the program that hung has not ended".into()),
            }
        }
        api.child_free(child);
    }
    api.supervisor_free(supervisor);
    Ok(calls)
}

/// `false`: --strict, and a limit was missed.
pub fn run(options: &Options) -> Result<bool, String> {
    let (jobs, rounds, hangs) = if options.quick { (300, 2, 1) } else { (3_000, 15, 5) };
    let progress = Progress::new();
    let mut host = Host::prepare(options.cpu()?)?;
    let unpinned = host.unpinned();
    let mut ways = vec![
        Way { id: "floor-spawner", label: "bare spawner (C)", ..Way::default() },
        Way { id: "floor-direct", label: "bare clone3 (C)", ..Way::default() },
    ];
    let api = if options.without_procsup { None } else { Some(Api::open(&options.lib)?) };
    let mut ours = Vec::new();
    if let Some(api) = api {
        ways.push(Way { id: "spawner", label: "procsup, spawner", ..Way::default() });
        ways.push(Way { id: "direct", label: "procsup, direct", ..Way::default() });
        ours = vec![with_spawner(api)?, api.supervisor()?];
    }
    let mut order: Vec<usize> = (0..ways.len()).collect();
    for round in 0..=rounds {
        progress.say(&format!("storms of {jobs} jobs: {round} of {rounds}"));
        fastrand::shuffle(&mut order);
        for &i in &order {
            let mut taken = Way::default();
            match (i, api) {
                (0 | 1, _) => floor(jobs, i == 1, &mut taken)?,
                (_, Some(api)) => {
                    let command = api.command(peers::EXIT)?;
                    let all = storm(api, ours[i - 2], command, jobs, |took| taken.calls.push(took))?;
                    taken.per_job.push(all / jobs as u32);
                }
                _ => {}
            }
            // The first round warms everything up.
            if round > 0 {
                ways[i].calls.append(taken.calls);
                ways[i].per_job.append(taken.per_job);
            }
        }
    }
    let mut results = Vec::new();
    if let Some(api) = api {
        progress.say("calls while an exec hangs");
        let hung = while_one_hangs(api, hangs);
        let hung = hung.map_err(|problem| host.notes.push(format!("P11-hang: {problem}"))).unwrap_or_default();
        results = measured(&ways, &hung);
        ours.iter().for_each(|supervisor| api.supervisor_free(*supervisor));
    }
    if unpinned.is_none() {
        host.notes.push("there is but one CPU: the host and whoever makes its children take turns".into());
    }
    drop(unpinned);
    let report = Report {
        machine: Machine {
            nofile: host.nofile,
            procsup: api.map(Api::version),
            glibc: peers::glibc_version(),
            notes: host.notes,
            ..Machine::describe()
        },
        results,
        methods: ways.iter().map(Row::of).collect(),
        curves: Vec::new(),
    };
    drop(progress);
    report.print(&[(
        "One call of the host, and one job of a storm through 32 slots, microseconds".into(),
        overview(&ways),
    )]);
    if let Some(path) = &options.json {
        report.write_json(path)?;
    }
    if let Some(dir) = &options.svg {
        write_svg(&ways, dir, &report.machine)?;
    }
    Ok(!options.strict || report.missed() == 0)
}

fn measured(ways: &[Way], hung: &Samples) -> Vec<Measured> {
    let of = |id: &str| ways.iter().find(|way| way.id == id);
    let call = |id: &str, q| of(id).and_then(|way| way.calls.quantile(q));
    let jobs = |id: &str| of(id).map(|way| &way.per_job);
    let job = |id: &str| jobs(id).and_then(Samples::median);
    let limited = |id, what: &str, calls: Option<&Samples>, q, limit| {
        let value = calls.and_then(|calls| calls.quantile(q));
        let noise = calls.and_then(|calls| noise::of_quantile(calls.series(), q));
        Measured::new(id, what, "us", value, (LimitKind::Max, limit)).noise(noise)
    };
    let spawner = of("spawner").map(|way| &way.calls);
    let beside = |result: Measured, q| {
        let names =
            [("ps_spawn directly", "direct"), ("bare spawner", "floor-spawner"), ("bare clone3", "floor-direct")];
        names.into_iter().fold(result, |result, (label, id)| result.beside(label, call(id, q)))
    };
    let p50 = limited("P11", "ps_spawn with a spawner, p50", spawner, 0.5, 10.0);
    let p99 = limited("P11-p99", "the same, p99", spawner, 0.99, 50.0);
    let rate =
        Measured::at_least("P11-rate", "jobs a second: spawner over direct", jobs("spawner"), jobs("direct"), 1.0);
    vec![
        beside(p50, 0.5),
        beside(p99, 0.99),
        limited("P11-hang", "ps_spawn while an exec hangs for 1 s, p50", Some(hung), 0.5, 10.0),
        limited("P11-hang-p99", "the same, p99", Some(hung), 0.99, 50.0),
        rate.beside("bare spawner, one job", job("floor-spawner")).beside("bare clone3, one job", job("floor-direct")),
    ]
}

impl Row {
    fn of(way: &Way) -> Self {
        Self {
            id: way.id,
            label: way.label,
            calls: way.calls.len(),
            call_p50_us: way.calls.median(),
            call_p99_us: way.calls.quantile(0.99),
            job_us: way.per_job.median(),
        }
    }
}

fn overview(ways: &[Way]) -> comfy_table::Table {
    let mut table = table(&["who", "call p50", "call p99", "a job", "jobs/s"], 1..=4);
    for way in ways {
        let job = way.per_job.median();
        let rate = job.map_or_else(String::new, |us| format!("{:.0}", 1e6 / us));
        table.add_row([way.label.to_owned(), us(way.calls.median()), us(way.calls.quantile(0.99)), us(job), rate]);
    }
    table
}

fn write_svg(ways: &[Way], dir: &Path, machine: &Machine) -> Result<(), String> {
    std::fs::create_dir_all(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    let bar = |way: &Way| {
        Some(Bar {
            id: way.id,
            label: way.label.to_owned(),
            values: vec![way.calls.median()?, way.calls.quantile(0.99)?],
        })
    };
    let bars = Bars {
        name: "spawner-call",
        title: "The host's call for one child".into(),
        groups: vec!["p50".into(), "p99".into()],
        unit: Unit::Microseconds,
        bars: ways.iter().filter_map(bar).collect(),
    };
    bars.write_svg(dir, &format!("median; lower is better.  {}", machine.summary()))
}
