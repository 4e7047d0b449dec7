//! P8-share: what a worker has for itself alone after a thousand requests: `Private_Dirty` of /proc/PID/smaps_rollup, the library's beside a bare
//! fork's of the same application, which does the same work.

use super::app::App;
use super::orders::Line;
use crate::progress::Progress;
use std::rc::Rc;

pub const REQUESTS: usize = 1_000;

#[derive(Default)]
pub struct Shares {
    pub id: &'static str,
    pub label: &'static str,
    /// KiB, one for each worker: when it was ready, and after its requests.
    pub before: Vec<f64>,
    pub after: Vec<f64>,
}

impl Shares {
    pub fn median(kib: &[f64]) -> Option<f64> {
        crate::measure::Samples::of(kib).median()
    }
}

pub fn measure(
    id: &'static str,
    label: &'static str,
    app: &Rc<App>,
    library: bool,
    workers: usize,
    progress: &Progress,
) -> Result<Shares, String> {
    let mut shares = Shares { id, label, ..Shares::default() };
    for at in 0..workers {
        progress.say(&format!("{label}, {REQUESTS} requests: {at} of {workers}"));
        if library {
            let library = app.library().ok_or("it was not started by the library")?;
            let (worker, _) = library.worker()?;
            one(app, &mut shares)?;
            library.bury(worker)?;
        } else {
            app.line.ask(b'w', &[])?;
            one(app, &mut shares)?;
        }
    }
    Ok(shares)
}

/// The worker that connects now.
fn one(app: &App, shares: &mut Shares) -> Result<(), String> {
    let (line, pid) = app.listener.accept()?;
    request(&line)?; // the first makes the heap and the stack its own
    let before = private_dirty_kib(pid)?;
    (0..REQUESTS).try_for_each(|_| request(&line))?;
    shares.before.push(before);
    shares.after.push(private_dirty_kib(pid)?);
    line.say(b'q', &[])
}

fn request(line: &Line) -> Result<(), String> {
    line.say(b'r', &[])?;
    line.byte().map(|_| ())
}

fn private_dirty_kib(pid: u64) -> Result<f64, String> {
    let path = format!("/proc/{pid}/smaps_rollup");
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("Private_Dirty:"));
    let kib = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
    kib.ok_or_else(|| format!("{path}: no Private_Dirty"))
}
