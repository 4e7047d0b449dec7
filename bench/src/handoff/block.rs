//! One block: a fresh first server of one method under load, first left alone (the baseline), then replaced again and
//! again. Afterwards the clients' log, the servers' stamps, their write-ahead log and the kernel's counters are put
//! together.

use super::client::{self, Load, Log, Outcome, Sample};
use super::method::Method;
use super::network::{self, Counts};
use super::ring::{Event, Ring, Stamp, now};
use super::wire::{RECORD, Record};
use crate::host;
use crate::served::Served;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Until all caches are warm and the clients are in step.
const WARM_UP: Duration = Duration::from_millis(300);
const SETTLE: Duration = Duration::from_millis(100);

#[derive(Clone, Copy)]
pub struct Plan {
    pub method: &'static Method,
    pub load_ms: u32,
    pub backlog: u32,
    pub rate: u64,
    /// Long-lived connections, and requests a second on each.
    pub kept: (u64, u64),
    pub baseline: Duration,
    pub handoffs: usize,
    /// From one to the next; longer if it takes longer.
    pub pace: Duration,
}

pub struct Place<'a> {
    pub base: &'a Path,
    pub disk: &'a Path,
    pub lib: &'a Path,
    pub server_cpu: Option<usize>,
    pub client_cpu: Option<usize>,
}

/// In microseconds each; one entry for each handoff.
#[derive(Default)]
pub struct Taken {
    /// write_on of the new one - write_off of the old one.
    pub write_gap: Vec<f64>,
    /// accept_on - accept_off; negative: both accepted.
    pub accept_gap: Vec<f64>,
    /// The parts of the gap: the old one gives (its call returns, or the new one knows even before that), the new one
    /// wakes, the new one may write. `owned` is the first two in one.
    pub given: Vec<f64>,
    pub woken: Vec<f64>,
    pub opened: Vec<f64>,
    pub owned: Vec<f64>,
    /// How long the new one had been ready when the old one stopped to write: a successor sleeps that long.
    pub waited: Vec<f64>,
    /// From the order to the end.
    pub whole: Vec<f64>,
    /// From `main` of the new one until it could take over.
    pub started: Vec<f64>,
}

pub struct Block {
    pub taken: Taken,
    pub baseline: Vec<Sample>,
    pub under: Vec<Sample>,
    /// Acknowledged, but not in the log, or twice, or out of order.
    pub violations: u64,
    pub counts: Counts,
    /// When each new owner could write (or accept).
    pub marks: Vec<u64>,
    pub problem: Option<String>,
}

pub fn run(plan: Plan, place: &Place) -> Result<Block, String> {
    let dir = place.base.join("run");
    let _ = std::fs::remove_dir_all(&dir);
    let _ = std::fs::remove_dir_all(place.disk);
    let made = |path: &Path| std::fs::create_dir_all(path).map_err(|error| format!("{}: {error}", path.display()));
    made(&dir)?;
    made(place.disk)?;
    std::os::unix::fs::symlink(place.disk, super::disk(&dir)).map_err(|error| error.to_string())?;
    let ring = Ring::create(&dir)?;
    ring.set_cpus(place.server_cpu, place.client_cpu);
    ring.backlog.store(plan.backlog, Relaxed);
    ring.load_ms.store(plan.load_ms, Relaxed);
    let migrate = plan.method.id == "reuseport-migrate";
    if migrate {
        network::set("ipv4/tcp_migrate_req", "1")?;
    }
    let done = with_servers(plan, place, &dir, ring);
    if migrate {
        network::set("ipv4/tcp_migrate_req", "0")?;
    }
    done
}

fn with_servers(plan: Plan, place: &Place, dir: &Path, ring: &Ring) -> Result<Block, String> {
    let (kept, kept_rate) = plan.kept;
    let cpu = place.server_cpu.map(|cpu| format!("--cpu={cpu}"));
    let mut words = vec!["handoff-conductor", plan.method.id];
    let path = dir.to_string_lossy();
    words.push(&path);
    words.extend(cpu.as_deref());
    let mut conductor = Served::start(&words, place.lib)?;
    conductor.ask("start")?;
    let port = ring.port.load(Relaxed) as u16;
    let (load, stop) = (Load { port, rate: plan.rate, kept, kept_rate }, AtomicBool::new(false));
    let clients = || {
        if let Some(cpu) = place.client_cpu {
            host::pin(cpu)?;
        }
        client::run::<client::Own>(load, &stop)
    };
    let (log, replaced) = std::thread::scope(|scope| {
        let clients = scope.spawn(clients);
        let replaced = replace(plan, &mut conductor);
        stop.store(true, Relaxed);
        let log = clients.join().map_err(|_| "the clients have panicked".to_owned()).and_then(|log| log);
        (log, replaced)
    });
    let log = log?;
    let _ = conductor.ask("stop");
    drop(conductor); // the servers have ended with it
    gather(plan, &log, replaced, ring, dir)
}

struct Replaced {
    begun_ns: u64,
    replacing_ns: u64,
    ended_ns: u64,
    whole: Vec<f64>,
    counts: Counts,
    problem: Option<String>,
}

fn replace(plan: Plan, conductor: &mut Served) -> Replaced {
    std::thread::sleep(WARM_UP);
    let begun_ns = now();
    std::thread::sleep(plan.baseline);
    let before = network::counts();
    let replacing_ns = now();
    let (mut whole, mut problem) = (Vec::new(), None);
    let mut next = Instant::now();
    for _ in 0..plan.handoffs {
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
        next = (next + plan.pace).max(Instant::now() + Duration::from_millis(20));
        match conductor.ask("replace") {
            Ok(us) => whole.extend(us),
            Err(error) => {
                problem = Some(error);
                break;
            }
        }
    }
    let ended_ns = now();
    std::thread::sleep(SETTLE); // what is still under way belongs to it
    Replaced { begun_ns, replacing_ns, ended_ns, whole, counts: network::since(&before), problem }
}

fn gather(plan: Plan, log: &Log, replaced: Replaced, ring: &Ring, dir: &Path) -> Result<Block, String> {
    let between = |from: u64, to: u64| {
        let inside = |sample: &&Sample| (from..to).contains(&sample.intended_ns);
        let mut samples: Vec<Sample> = log.samples.iter().filter(inside).copied().collect();
        samples.sort_by_key(|sample| sample.intended_ns); // they were noted in the order of their answers
        samples
    };
    let stamps = ring.stamps()?;
    let mut taken = taken(&stamps, replaced.whole.len());
    taken.whole = replaced.whole;
    let on = if plan.method.stateful { Event::WriteOn } else { Event::AcceptOn };
    let marks = stamps.iter().filter(|stamp| stamp.event == on && stamp.generation > 0).map(|stamp| stamp.ns).collect();
    let violations = if plan.method.stateful { check(log, dir)? } else { 0 };
    Ok(Block {
        taken,
        baseline: between(replaced.begun_ns, replaced.replacing_ns),
        under: between(replaced.replacing_ns, replaced.ended_ns),
        violations,
        counts: replaced.counts,
        marks,
        problem: replaced.problem,
    })
}

/// Each owner after the one before it.
fn taken(stamps: &[Stamp], handoffs: usize) -> Taken {
    let at = |generation: u32, event: Event| {
        let found = stamps.iter().find(|stamp| stamp.generation == generation && stamp.event == event);
        found.map(|stamp| stamp.ns as f64 / 1e3)
    };
    let owners = stamps.iter().filter(|stamp| stamp.event == Event::WriteOn).map(|stamp| stamp.generation);
    let owners: Vec<u32> = owners.collect();
    let mut taken = Taken::default();
    for pair in owners.windows(2).take(handoffs) {
        let (old, new) = (pair[0], pair[1]);
        let between = |from: Option<f64>, to: Option<f64>| from.zip(to).map(|(from, to)| to - from);
        let off = at(old, Event::WriteOff);
        taken.write_gap.extend(between(off, at(new, Event::WriteOn)));
        taken.accept_gap.extend(between(at(old, Event::AcceptOff), at(new, Event::AcceptOn)));
        let known = at(new, Event::Owns);
        let given = at(old, Event::Given).zip(known).map(|(given, known)| given.min(known));
        taken.given.extend(between(off, given));
        taken.woken.extend(between(given, known));
        taken.owned.extend(between(off, known));
        taken.opened.extend(between(known, at(new, Event::WriteOn)));
        taken.waited.extend(between(at(new, Event::Warm), off));
        taken.started.extend(between(at(new, Event::Started), at(new, Event::Warm)));
    }
    taken
}

/// The log has each number once and in order, and each acknowledged request under the number that it was told.
fn check(log: &Log, dir: &Path) -> Result<u64, String> {
    let path = dir.join("log");
    let bytes = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let records: Vec<Record> = bytes.chunks_exact(RECORD).map(Record::read).collect();
    let misplaced = records.iter().zip(1..).filter(|(record, number)| record.sequence != *number).count();
    let is_lost = |&&(id, sequence): &&(u64, u64)| {
        let place = (sequence as usize).checked_sub(1).and_then(|place| records.get(place));
        place.is_none_or(|record| record.id != id)
    };
    let lost = log.acknowledged.iter().filter(is_lost).count();
    Ok((misplaced + lost) as u64)
}

pub fn failed(samples: &[Sample]) -> u64 {
    samples.iter().filter(|sample| sample.outcome != Outcome::Answered).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(us: u64, generation: u32, event: Event) -> Stamp {
        Stamp { ns: us * 1000, generation, event }
    }

    #[test]
    fn a_gap_lies_between_two_owners_also_when_a_generation_never_owned() {
        let stamps = [
            stamp(0, 0, Event::WriteOn),
            stamp(40, 1, Event::Started), // and came to nothing
            stamp(60, 2, Event::Warm),
            stamp(100, 0, Event::WriteOff),
            stamp(110, 0, Event::Given),
            stamp(130, 2, Event::Owns),
            stamp(150, 2, Event::WriteOn),
        ];
        let taken = taken(&stamps, 1);
        assert_eq!((taken.write_gap, taken.owned, taken.opened), (vec![50.0], vec![30.0], vec![20.0]));
        assert_eq!((taken.given, taken.woken, taken.waited), (vec![10.0], vec![20.0], vec![40.0]));
    }

    #[test]
    fn the_parts_of_a_gap_are_never_longer_than_it() {
        let stamps = [
            stamp(0, 0, Event::WriteOn),
            stamp(100, 0, Event::WriteOff),
            stamp(130, 1, Event::Owns),
            stamp(150, 1, Event::WriteOn),
            stamp(900, 0, Event::Given), // the new one ran first
        ];
        let taken = taken(&stamps, 1);
        assert_eq!((taken.given, taken.woken, taken.opened), (vec![30.0], vec![0.0], vec![20.0]));
    }

    #[test]
    fn lost_doubled_and_misplaced_writes_are_found() {
        let dir = std::env::temp_dir().join(format!("bench-handoff-test-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let write = |records: &[(u64, u64)]| {
            let bytes: Vec<u8> =
                records.iter().flat_map(|&(sequence, id)| Record { sequence, id, pid: 1 }.bytes()).collect();
            std::fs::write(dir.join("log"), bytes).unwrap();
        };
        let log = Log { acknowledged: vec![(70, 1), (80, 2)], ..Log::default() };
        write(&[(1, 70), (2, 80), (3, 90)]); // the third was never acknowledged: that is allowed
        assert_eq!(check(&log, &dir), Ok(0));
        write(&[(1, 70)]);
        assert_eq!(check(&log, &dir), Ok(1));
        write(&[(1, 70), (1, 80), (2, 80)]);
        assert_eq!(check(&log, &dir), Ok(2));
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
