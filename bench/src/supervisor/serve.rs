//! `bench serve` (hidden): the host of many children, a process of its own for each method, so that one method's
//! children raise no SIGCHLD for another, nor share its heap. It answers orders on its stream 0, one line each:
//!
//! | order                | answer                                                              |
//! |----------------------|---------------------------------------------------------------------|
//! | `children N`         | resident bytes of the host with 10 children and with N               |
//! | `exits HOW COUNT`    | microseconds from each kill to the exit taken                        |
//! | `terms HOW COUNT`    | the same, ended by SIGTERM                                           |
//! | `bursts HOW COUNT K` | microseconds from K kills to K exits taken, for each burst           |
//! | `storm JOBS SLOTS`   | microseconds for all of them                                         |
//!
//! The end of stream 0 ends it and its children.

use super::crowd::{self, Crowd, How, errno};
use crate::host::Host;
use crate::measure::time;
use crate::options::DEFAULT_LIB;
use crate::peers::EXIT;
use crate::procsup::{Api, PS_EVENT_EXITED};
use crate::trace;
use std::ffi::{CString, c_char, c_int};
use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::time::Duration;

unsafe extern "C" {
    fn bench_floor_storm(path: *const c_char, jobs: usize, slots: usize) -> c_int;
    #[cfg(have_libuv)]
    fn bench_uv_storm(path: *const c_char, jobs: usize, slots: usize) -> c_int;
}

pub const EVENT_LOOP: &str = "loop";
pub const BLOCKING: &str = "blocking";
/// procsup after ps_supervisor_set_hold_processor; storms only.
pub const HELD: &str = "procsup-held";

/// So many live before the memory of the others is counted: tables and stacks are made once.
pub const FIRST: usize = 10;
const SETTLING_LOOKS: usize = 10_000;
const PATIENCE_MS: i64 = 60_000;

#[derive(clap::Args)]
pub struct Options {
    /// Who looks after the children: procsup, procsup-held, sweep, libuv, floor
    method: String,
    /// libprocsup.so
    #[arg(long, env = "PROCSUP_LIB", default_value = DEFAULT_LIB)]
    lib: PathBuf,
    /// Before and after each exit a write that fails, for traces
    #[arg(long)]
    markers: bool,
}

pub fn run(options: &Options) -> Result<(), String> {
    Host::prepare(None)?;
    let api = if ["procsup", HELD].contains(&options.method.as_str()) { Some(Api::open(&options.lib)?) } else { None };
    let mut server = Server { method: &options.method, api, crowd: None, markers: options.markers };
    for line in std::io::stdin().lock().lines() {
        let line = line.map_err(|error| error.to_string())?;
        let words: Vec<&str> = line.split_whitespace().collect();
        let figures = server.obey(&words).map_err(|problem| format!("{}: {line}: {problem}", options.method))?;
        let mut answer: String = figures.iter().map(|figure| format!("{figure:.3} ")).collect();
        answer.push('\n');
        let mut out = std::io::stdout().lock();
        out.write_all(answer.as_bytes()).and_then(|()| out.flush()).map_err(|error| error.to_string())?;
    }
    Ok(())
}

struct Server<'a> {
    method: &'a str,
    api: Option<&'static Api>,
    crowd: Option<Box<dyn Crowd>>,
    markers: bool,
}

impl Server<'_> {
    fn obey(&mut self, words: &[&str]) -> Result<Vec<f64>, String> {
        match *words {
            ["children", n] => self.children(number(n)?),
            ["exits", how, count] => self.bursts(self::how(how)?, number(count)?, 1, libc::SIGKILL),
            ["terms", how, count] => self.bursts(self::how(how)?, number(count)?, 1, libc::SIGTERM),
            ["bursts", how, count, size] => self.bursts(self::how(how)?, number(count)?, number(size)?, libc::SIGKILL),
            ["storm", jobs, slots] => self.storm(number(jobs)?, number(slots)?),
            _ => Err("no such order".into()),
        }
    }

    fn children(&mut self, n: usize) -> Result<Vec<f64>, String> {
        let mut crowd = crowd::of(self.method, n, self.api)?;
        crowd.fill(FIRST.min(n))?;
        let few = resident()?;
        crowd.fill(n)?;
        let many = resident()?;
        crowd.pids().iter().try_for_each(|&pid| settled(pid))?;
        self.crowd = Some(crowd);
        Ok(vec![few, many])
    }

    fn bursts(&mut self, how: How, count: usize, size: usize, signal: i32) -> Result<Vec<f64>, String> {
        let crowd = self.crowd.as_mut().ok_or("no children yet")?;
        let mut places: Vec<usize> = (0..crowd.pids().len()).collect();
        let mut durations = Vec::with_capacity(count);
        for _ in 0..count {
            // The first `size` places of a shuffle.
            for i in 0..size.min(places.len()) {
                let other = fastrand::usize(i..places.len());
                places.swap(i, other);
            }
            let chosen = &places[..size.min(places.len())];
            let (done, duration) = time(|| {
                chosen.iter().try_for_each(|&place| kill(crowd.pids()[place], signal)).and_then(|()| {
                    if self.markers {
                        trace::mark(trace::BEGIN);
                    }
                    crowd.take(chosen, how)
                })
            });
            if self.markers {
                trace::mark(trace::END);
            }
            done?;
            durations.push(us(duration));
            crowd.fill(crowd.pids().len())?;
            chosen.iter().try_for_each(|&place| settled(crowd.pids()[place]))?;
        }
        Ok(durations)
    }

    fn storm(&self, jobs: usize, slots: usize) -> Result<Vec<f64>, String> {
        let path = CString::new(EXIT).unwrap();
        let (done, duration) = match (self.method, self.api) {
            ("procsup", Some(api)) => time(|| storm(api, jobs, slots, false)),
            (HELD, Some(api)) => time(|| storm(api, jobs, slots, true)),
            // SAFETY: a NUL-terminated path; the C side keeps nothing of it.
            ("floor", _) => time(|| errno(unsafe { bench_floor_storm(path.as_ptr(), jobs, slots) })),
            #[cfg(have_libuv)]
            // SAFETY: as above.
            ("libuv", _) => time(|| errno(unsafe { bench_uv_storm(path.as_ptr(), jobs, slots) })),
            _ => return Err(format!("no method {}", self.method)),
        };
        done.map(|()| vec![us(duration)])
    }
}

/// All jobs are given to the supervisor at once: the queue is its own.
fn storm(api: &Api, jobs: usize, slots: usize, held: bool) -> Result<(), String> {
    let supervisor = api.supervisor()?;
    api.set_max_running(supervisor, slots as u32)?;
    if held {
        api.hold_processor(supervisor)?;
    }
    let command = api.command(EXIT)?;
    for _ in 0..jobs {
        api.spawn(Some(supervisor), command)?;
    }
    let mut left = jobs;
    while left > 0 {
        let event = api.next_event(supervisor, PATIENCE_MS)?.ok_or("no event for a minute")?;
        if event.kind == PS_EVENT_EXITED {
            if !event.exit.success() {
                return Err("a job has failed".into());
            }
            api.child_free(event.child);
            left -= 1;
        }
    }
    api.supervisor_free(supervisor);
    Ok(())
}

fn kill(pid: libc::pid_t, signal: i32) -> Result<(), String> {
    if pid <= 0 {
        return Err("an empty place".into()); // 0 would be our own group
    }
    // SAFETY: no memory is involved.
    if unsafe { libc::kill(pid, signal) } == 0 { Ok(()) } else { Err(std::io::Error::last_os_error().to_string()) }
}

/// Waits until a new child sleeps. On one CPU it has not run at all yet when the spawn returns, and what it does before
/// it sleeps would be counted as part of the next exit.
fn settled(pid: libc::pid_t) -> Result<(), String> {
    for _ in 0..SETTLING_LOOKS {
        let stat = std::fs::read(format!("/proc/{pid}/stat")).map_err(|error| format!("process {pid}: {error}"))?;
        // "PID (name) S ...": the name is ours and has no parenthesis.
        let state = stat.iter().position(|&byte| byte == b')').and_then(|at| stat.get(at + 2));
        if state == Some(&b'S') {
            return Ok(());
        }
        std::thread::sleep(Duration::from_micros(20));
    }
    Err(format!("process {pid} does not fall asleep"))
}

/// Resident bytes of this process, counted page by page: the cheap counters of `statm` lag behind.
fn resident() -> Result<f64, String> {
    let text = std::fs::read_to_string("/proc/self/smaps_rollup").map_err(|error| format!("smaps_rollup: {error}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("Rss:"));
    let kib = line.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
    kib.map(|kib| kib * 1024.0).ok_or_else(|| "smaps_rollup: no Rss".into())
}

fn us(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

fn number(word: &str) -> Result<usize, String> {
    word.parse().map_err(|_| format!("{word}: not a number"))
}

fn how(word: &str) -> Result<How, String> {
    match word {
        EVENT_LOOP => Ok(How::EventLoop),
        BLOCKING => Ok(How::Blocking),
        _ => Err(format!("{word}: how?")),
    }
}
