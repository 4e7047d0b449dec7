//! From samples to results: which figures each of S1 to S3, P13 and P14 compares, and the limit they are held against. A peer that
//! is not here has no result.

use super::exits::{BURST, Exits, Taken};
use super::serve::HELD;
use super::storm::{SLOTS, Storm};
use crate::measure::Samples;
use crate::noise;
use crate::report::{LimitKind, Measured};
use crate::trace::Count;

/// The ids at one level, and the limits: so many times more exits a second than a sweep and than libuv; so near to the
/// kernel's own time.
struct Level {
    id: &'static str,
    peers: [(&'static str, &'static str, f64); 2],
    floor: (&'static str, f64),
}

const S1: [Level; 3] = [
    Level {
        id: "S1-10",
        peers: [("S1-10-sweep", "sweep", 0.8), ("S1-10-libuv", "libuv", 0.8)],
        floor: ("S1-10-floor", 1.6),
    },
    Level {
        id: "S1-1000",
        peers: [("S1-1000-sweep", "sweep", 4.0), ("S1-1000-libuv", "libuv", 4.0)],
        floor: ("S1-1000-floor", 1.5),
    },
    Level {
        id: "S1-8000",
        peers: [("S1-8000-sweep", "sweep", 30.0), ("S1-8000-libuv", "libuv", 30.0)],
        floor: ("S1-8000-floor", 1.5),
    },
];

pub fn of_exits(exits: &Exits, libuv: &str) -> Vec<Measured> {
    let mut results = Vec::new();
    let Some(ours) = exits.of("procsup") else { return results };
    let label = |peer: &str| if peer == "libuv" { libuv.to_owned() } else { "SIGCHLD and waitpid sweep".into() };
    let floor = |level: usize| exits.of("floor").and_then(|floor| floor.exits[level].median());
    for (level, Level { id, peers, floor: (floor_id, limit_to_floor) }) in S1.into_iter().enumerate() {
        let n = exits.levels[level];
        let median = ours.exits[level].median();
        results.push(
            Measured::told(id, format!("exits per second among {n} children"), "exits/s", ours.per_second(level))
                .with(median, None),
        );
        for (id, peer, limit) in peers {
            if let Some(other) = exits.of(peer) {
                let what = format!("the same, ours to {}", label(peer));
                results.push(Measured::at_least(id, what, &ours.exits[level], &other.exits[level], limit));
            }
        }
        let what = "time of one, ours to the kernel's own part";
        let floor = exits.of("floor").map(|floor| &floor.exits[level]);
        results.push(Measured::at_most(floor_id, what, &ours.exits[level], floor, limit_to_floor));
    }
    let last = exits.levels.len() - 1;
    let (many, few) = (exits.levels[last], exits.levels[0]);
    let added = |level: usize| Some(ours.exits[level].median()? - floor(level)?);
    results.push(Measured::at_most(
        "S1-flat",
        format!("what ours adds to the kernel's part, among {many} to among {few}"),
        added(last),
        added(0),
        2.0,
    ));
    let burst = ours.burst_us_per_exit();
    results.push(
        Measured::told(
            "S1-burst",
            format!("exits per second when {BURST} of {many} end at once"),
            "exits/s",
            burst.map(|us| 1e6 / us),
        )
        .with(burst, None),
    );
    for (id, peer, limit) in [("S1-burst-sweep", "sweep", 1.5), ("S1-burst-libuv", "libuv", 8.0)] {
        if let Some(other) = exits.of(peer) {
            let what = format!("the same, ours to {}", label(peer));
            let result = Measured::at_least(id, what, &ours.bursts, &other.bursts, limit);
            results.push(result.with(burst, other.burst_us_per_exit()));
        }
    }
    results
}

/// The ids of one place: of the rate; of the ratios to xargs, libuv and the plainest loop, with their limits.
pub struct StormIds {
    rate: &'static str,
    peers: [(&'static str, f64); 3],
}

pub const ONE_PLACE: StormIds =
    StormIds { rate: "S2", peers: [("S2-xargs", 1.0), ("S2-libuv", 1.1), ("S2-floor", 1.5)] };
/// Wider: what the scheduler does with two processes on two CPUs changes from round to round.
pub const ALL_CPUS: StormIds =
    StormIds { rate: "S2-all", peers: [("S2-all-xargs", 1.0), ("S2-all-libuv", 1.25), ("S2-all-floor", 2.0)] };

pub fn of_storm(storm: &Storm, ids: &StormIds, place: &str, libuv: &str) -> Vec<Measured> {
    let Some(ours) = storm.us_per_job("procsup") else { return Vec::new() };
    let what = format!("{} jobs through {SLOTS} slots {place}, jobs per second", storm.jobs);
    let mut results =
        vec![Measured::told(ids.rate, what, "jobs/s", storm.per_second("procsup")).with(Some(ours), None)];
    let peers = [("xargs", "GNU xargs -P"), ("libuv", libuv), ("floor", "vfork and waitpid(-1) in C")];
    for ((id, limit), (peer, label)) in ids.peers.into_iter().zip(peers) {
        if let Some(other) = storm.us_per_job(peer) {
            let what = format!("time of the same, ours to {label}");
            let result = Measured::at_most(id, what, storm.samples("procsup"), storm.samples(peer), limit);
            results.push(result.with(Some(ours), Some(other)));
        }
    }
    results
}

/// P13. `one`, `two`: the same on so many CPUs, in the same rounds.
pub fn of_two_cpus(one: &Storm, two: &Storm, libuv: &str) -> Vec<Measured> {
    let (ours, rate) = (two.us_per_job("procsup"), two.per_second("procsup"));
    if rate.is_none() {
        return Vec::new();
    }
    let what = format!("{} jobs through {SLOTS} slots on two CPUs, jobs per second", two.jobs);
    let mut results = vec![Measured::told("P13", what, "jobs/s", rate).with(ours, None)];
    let rows = [
        ("P13-libuv", two, "libuv", format!("the same, ours to {libuv}"), 1.0),
        ("P13-floor", two, "floor", "the same, ours to vfork and waitpid(-1) in C".into(), 0.85),
        ("P13-one", one, "procsup", "the same, ours to ours on one CPU".into(), 1.0),
    ];
    for (id, storm, other, what, limit) in rows {
        if storm.samples(other).is_some() {
            let result = Measured::at_least(id, what, two.samples("procsup"), storm.samples(other), limit);
            let beside = |id| Some(two.per_second(id)? / one.per_second(id)?);
            let scales = ["procsup", "libuv", "floor"].map(|id| beside(id).map(|ratio| format!("{id} {ratio:.2}")));
            let note =
                format!("on two CPUs to on one: {}", scales.into_iter().flatten().collect::<Vec<_>>().join(", "));
            let result = if id == "P13-one" { result.note(note) } else { result };
            results.push(result.with(ours, storm.us_per_job(other)));
        }
    }
    results.extend(of_held(two, libuv));
    results
}

/// P13 after ps_supervisor_set_hold_processor.
fn of_held(two: &Storm, libuv: &str) -> Vec<Measured> {
    let (held, Some(rate)) = (two.us_per_job(HELD), two.per_second(HELD)) else { return Vec::new() };
    let what = "the same, the thread held on its processor while it starts, jobs per second";
    let mut results = vec![Measured::told("P13-held", what, "jobs/s", Some(rate)).with(held, None)];
    let rows = [
        ("P13-held-libuv", "libuv", format!("the same, ours to {libuv}")),
        ("P13-held-floor", "floor", "the same, ours to vfork and waitpid(-1) in C".into()),
    ];
    for (id, other, what) in rows {
        if let Some(theirs) = two.us_per_job(other) {
            let noise = two.samples(HELD).zip(two.samples(other));
            let noise = noise.and_then(|(ours, theirs)| noise::of_ratio(theirs.series(), ours.series()));
            let ratio = held.map(|held| theirs / held);
            results.push(Measured::told(id, what, "ratio", ratio).with(held, Some(theirs)).noise(noise));
        }
    }
    results
}

type Calls = Result<Count, String>;
type Which = fn(&Taken) -> &Samples;

/// P14. `calls`: of one exit as strace counts them, by SIGKILL and by SIGTERM.
pub fn of_few_children(exits: &Exits, calls: Option<(Calls, Calls)>, libuv: &str) -> Vec<Measured> {
    let (Some(ours), Some((by_kill, by_term))) = (exits.of("procsup"), calls) else { return Vec::new() };
    let n = exits.levels[0];
    let sweep = "SIGCHLD and waitpid sweep";
    let mut results = Vec::new();
    let ends: [(&str, Which, _); 2] = [
        ("SIGKILL", |taken| &taken.exits[0], ["P14-sweep", "P14-libuv"]),
        ("SIGTERM", |taken| &taken.terms, ["P14-term-sweep", "P14-term-libuv"]),
    ];
    for (signal, which, ids) in ends {
        for (id, (peer, label)) in ids.into_iter().zip([("sweep", sweep), ("libuv", libuv)]) {
            if let Some(other) = exits.of(peer) {
                let what = format!("one exit by {signal}, event loop, {n} children, {label} to ours");
                results.push(Measured::at_least(id, what, which(ours), which(other), 1.0));
            }
        }
    }
    for (id, signal, calls) in [("P14-calls", "SIGKILL", by_kill), ("P14-term-calls", "SIGTERM", by_term)] {
        let what = format!("system calls of the host for one exit by {signal}, its own epoll_wait among them");
        let (count, note) = match calls {
            Ok(count) => (Some(count.parent.len() as f64), count.parent.join(" ")),
            Err(problem) => (None, format!("not counted: {problem}")),
        };
        results.push(Measured::new(id, what, "calls", count, (LimitKind::Max, 6.0)).note(note));
    }
    let many = exits.levels[exits.levels.len() - 1];
    let what = format!("resident bytes of the host per live child, of {many}");
    let bytes = Measured::new("P14-bytes", what, "bytes", ours.bytes.median(), (LimitKind::Max, 500.0));
    results.push(bytes.noise(noise::of_quantile(ours.bytes.series(), 0.5)));
    results
}

pub fn of_memory(exits: &Exits, libuv: &str) -> Vec<Measured> {
    let bytes = |id| exits.of(id).and_then(|taken| taken.bytes.median());
    let Some(ours) = bytes("procsup") else { return Vec::new() };
    let n = exits.levels[exits.levels.len() - 1];
    let what = format!("resident bytes of the host per live child, of {n}");
    let mut results = vec![Measured::new("S3", what, "bytes", Some(ours), (LimitKind::Max, 2048.0))];
    if let Some(other) = bytes("libuv") {
        let what = format!("the same, ours to {libuv}");
        let note = format!("{libuv}: {other:.0} bytes");
        results.push(Measured::told("S3-libuv", what, "ratio", Some(ours / other)).note(note));
    }
    results
}
