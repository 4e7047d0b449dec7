//! From samples to results: which two medians each of P1 to P7 compares, and the limit it is held against.

use super::cost::Sweep;
use super::many::{FEW, Found, KILLED, MANY, Pair};
use crate::measure::{Method, Samples};
use crate::report::{LimitKind, Measured};
use crate::trace::Count;

/// What the cost experiments gave.
pub struct Taken<'a> {
    pub methods: &'a [Method],
    pub baseline: &'a [Samples],
    pub descriptors: &'a Sweep,
    pub memory: &'a Sweep,
}

impl Taken<'_> {
    fn index(&self, id: &str) -> Option<usize> {
        self.methods.iter().position(|method| method.id == id)
    }

    fn label(&self, id: &str) -> Option<&str> {
        self.index(id).map(|i| self.methods[i].label.as_str())
    }

    fn alone(&self, id: &str) -> Option<&Samples> {
        self.index(id).map(|i| &self.baseline[i])
    }
}

/// P1, P2 and P3. A peer that was not built has no result. `twin`: the floor once more.
pub fn of_cost(taken: &Taken, twin: &Samples) -> Vec<Measured> {
    let ours = taken.alone("procsup");
    let p1 = [
        ("P1", "floor", 1.12),
        ("P1-posix_spawn", "posix_spawn", 0.95),
        ("P1-libuv", "libuv", 0.8),
        ("P1-glib", "glib", 1.0),
        ("P1-std", "std", 1.0),
    ];
    let mut results = Vec::new();
    for (id, peer, limit) in p1 {
        if let Some(label) = taken.label(peer) {
            results.push(Measured::at_most(
                id,
                format!("spawn + exit + reap, ours to {label}"),
                ours,
                taken.alone(peer),
                limit,
            ));
        }
    }

    let what = "spawn + exit + reap, the floor to itself: the machine's noise";
    results.push(Measured::at_most("P1-noise", what, taken.alone("floor"), twin, 1.0).only_told());

    if let (Some(contained), Some(label)) = (taken.alone("contained"), taken.label("contained_floor")) {
        let floor = taken.alone("contained_floor");
        results.push(Measured::at_most(
            "P1-contained",
            format!("a contained one, ours to the {label}"),
            contained,
            floor,
            1.15,
        ));
    }

    let of = |sweep, level, id| of(taken, sweep, level, id);
    let (memory, descriptors) = (taken.memory, taken.descriptors);
    let (most, least) = (memory.levels.len() - 1, 0);
    let what =
        format!("ours with {} MiB resident to ours with {}", memory.levels[most] >> 20, memory.levels[least] >> 20);
    results.push(Measured::at_most("P2", what, of(memory, most, "procsup"), of(memory, least, "procsup"), 1.2));

    let (most, least) = (descriptors.levels.len() - 1, 0);
    let (many, few) = (descriptors.levels[most], descriptors.levels[least]);
    let ours = of(descriptors, most, "procsup");
    results.push(Measured::at_most(
        "P3",
        format!("ours with {many} descriptors to ours with {few}"),
        ours,
        of(descriptors, least, "procsup"),
        1.2,
    ));
    // The same number for each peer: (peer / ours) / (peer / stub).
    let stub = of(descriptors, most, "stub");
    let what = format!(
        "with {many} descriptors, what ours gains over a peer to what {} gain",
        taken.label("stub").unwrap_or_default()
    );
    results.push(Measured::at_least("P3-stub", what, ours, stub, 0.9));
    for (id, peer) in [("P3-posix_spawn", "posix_spawn"), ("P3-libuv", "libuv")] {
        if let Some(label) = taken.label(peer) {
            let peer = of(descriptors, most, peer);
            let gained =
                peer.and_then(Samples::median).zip(stub.and_then(Samples::median)).map(|(peer, stub)| peer / stub);
            let what = format!("the same, {label} to ours");
            let note = gained.map_or_else(String::new, |gained| format!("to the same calls in C {gained:.1}"));
            results.push(Measured::at_least(id, what, ours, peer, 1.0).only_told().note(note));
        }
    }
    results
}

fn of<'a>(taken: &Taken<'a>, sweep: &'a Sweep, level: usize, id: &str) -> Option<&'a Samples> {
    taken.index(id).map(|method| sweep.at(level, method))
}

pub fn live(pair: &Pair) -> Measured {
    Measured::at_most("P4", format!("ours with {MANY} live children to ours with 0"), &pair.ours, &pair.other, 1.2)
}

pub fn find(found: &Found, swept: &Samples) -> [Measured; 2] {
    let ours = &found.cold.ours;
    let warm = |samples: &Samples| samples.median().unwrap_or(f64::NAN);
    let (many, few) = (warm(&found.warm.ours), warm(&found.warm.other));
    let note = format!(
        "the host did other work before each exit; with warm caches {many:.1} to {few:.1} µs, {:.2}",
        many / few
    );
    [
        Measured::at_most(
            "P5",
            format!("find and reap one exit, among {MANY} to among {FEW}"),
            ours,
            &found.cold.other,
            1.5,
        )
        .note(note),
        Measured::at_least("P5-sweep", format!("the same among {MANY}, waitpid sweep to ours"), ours, swept, 100.0),
    ]
}

pub fn kill(pair: &Pair) -> Measured {
    Measured::at_most(
        "P6",
        format!("kill and reap {KILLED} children, ours to the raw loop in C"),
        &pair.ours,
        &pair.other,
        1.15,
    )
}

/// P3-stub is for nothing if the stub makes other calls.
pub fn compare_calls(results: &mut [Measured], ours: &Result<Count, String>, stub: &Result<Count, String>) {
    let (Ok(ours), Ok(stub)) = (ours, stub) else { return };
    if ours == stub {
        return;
    }
    let said = |count: &Count| {
        format!("{}; {} (and rt_sigaction x {})", count.parent.join(" "), count.child.join(" "), count.resets)
    };
    for result in results.iter_mut().filter(|result| result.id == "P3-stub") {
        result.note = Some(format!("the calls in C are others than ours: {}, ours: {}", said(stub), said(ours)));
    }
}

pub fn system_calls(count: Result<Count, String>) -> [Measured; 2] {
    let result = |id, what: &str, limit, calls: Result<(usize, String), String>| {
        let value = calls.as_ref().ok().map(|(number, _)| *number as f64);
        Measured::new(id, what, "calls", value, (LimitKind::Max, limit)).note(match calls {
            Ok((_, names)) => names,
            Err(problem) => format!("not counted: {problem}"),
        })
    };
    let parent = count.as_ref().map(|count| (count.parent.len(), count.parent.join(" "))).map_err(Clone::clone);
    let child = count.as_ref().map_err(Clone::clone).map(|count| {
        let resets = if count.resets > 0 {
            format!(" (and rt_sigaction x {}, not counted)", count.resets)
        } else {
            String::new()
        };
        (count.child.len(), count.child.join(" ") + &resets)
    });
    [
        result("P7-parent", "system calls of the host per spawn + reap", 12.0, parent),
        result("P7-child", "system calls of the child up to its execve", 8.0, child),
    ]
}
