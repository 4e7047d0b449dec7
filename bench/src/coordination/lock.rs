//! C4 and C5: from the moment at which one process lets a lock go (or is killed) until another one, which slept for it,
//! has it. Both are processes of their own (`party`), and silent before. Who is killed is as small as a process can be, and
//! holds the same kind of lock: how long a large one takes to die is not the lock's.

use super::party::SILENCE;
use super::stamp::now_ns;
use crate::measure::Samples;
use crate::peers::HOLD;
use crate::progress::Progress;
use crate::served::Served;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

pub const METHODS: [&str; 4] = ["procsup", "flock", "inotify", "polling"];

#[derive(Clone, Copy)]
pub struct Effort {
    pub rounds: usize,
    /// Of each kind, in a round.
    pub passes: usize,
}

pub struct Taken {
    pub id: &'static str,
    pub handed: Samples,
    pub orphaned: Samples,
}

pub fn measure(
    methods: &[&'static str],
    lib: &Path,
    dir: &Path,
    effort: Effort,
    place: &str,
    progress: &Progress,
) -> Result<Vec<Taken>, String> {
    let taken = |&id| Taken { id, handed: Samples::default(), orphaned: Samples::default() };
    let mut all: Vec<Taken> = methods.iter().map(taken).collect();
    let mut order: Vec<usize> = (0..all.len()).collect();
    for round in 1..=effort.rounds {
        fastrand::shuffle(&mut order);
        for &i in &order {
            progress.say(&format!("a lock, {place}: {}, {round} of {}", all[i].id, effort.rounds));
            let taken = &mut all[i];
            let path = dir.join(format!("{}.lock", taken.id));
            let words = ["coordination-party", "lock", taken.id, path.to_str().ok_or("a path that is no text")?];
            let party = || Served::start(&words, lib);
            let (mut one, mut other) = (party()?, party()?);
            // The first pass does not count: pages are touched, names are looked up.
            let mut handed = Vec::new();
            for _ in 0..=effort.passes {
                handed.push(hand_over(&mut one, &mut other)?);
            }
            taken.handed.extend(handed.drain(1..));
            for _ in 0..effort.passes {
                taken.orphaned.extend([kill(&path, &mut other)?]);
            }
        }
    }
    Ok(all)
}

fn us(from_ns: f64, to_ns: f64) -> f64 {
    (to_ns - from_ns) / 1e3
}

fn number(answer: &[f64]) -> Result<f64, String> {
    answer.first().copied().ok_or_else(|| "no number".into())
}

fn wait_for_it(other: &mut Served) -> Result<(), String> {
    other.ask("wait")?; // its first answer: it is about to
    std::thread::sleep(SILENCE);
    Ok(())
}

fn hand_over(one: &mut Served, other: &mut Served) -> Result<f64, String> {
    one.ask("hold")?;
    wait_for_it(other)?;
    let released = number(&one.ask("release")?)?;
    Ok(us(released, number(&other.answer("wait")?)?))
}

fn kill(path: &Path, other: &mut Served) -> Result<f64, String> {
    let failed = |error: std::io::Error| format!("the owner: {error}");
    let file = File::options().read(true).write(true).open(path).map_err(failed)?;
    let mut owner = Command::new(HOLD).stdin(file).stdout(Stdio::piped()).spawn().map_err(failed)?;
    owner.stdout.take().expect("piped").read_exact(&mut [0; 2]).map_err(failed)?;
    wait_for_it(other)?;
    let killed = now_ns();
    owner.kill().map_err(failed)?;
    let taken = number(&other.answer("wait")?);
    owner.wait().map_err(failed)?;
    Ok(us(killed as f64, taken?))
}
