//! From samples to results: which two medians each of P1 to P7 compares, and the limit it is held against.

use super::cost::Sweep;
use super::many::{FEW, Found, KILLED, MANY, Pair};
use super::syscalls::Count;
use crate::measure::{Method, Samples};
use crate::report::{LimitKind, Measured};

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

    fn alone(&self, id: &str) -> Option<f64> {
        self.baseline[self.index(id)?].median()
    }
}

/// P1, P2 and P3. A peer that was not built has no result.
pub fn of_cost(taken: &Taken) -> Vec<Measured> {
    let ours = taken.alone("procsup");
    let p1 = [
        ("P1", "floor", 1.15),
        ("P1-posix_spawn", "posix_spawn", 0.9),
        ("P1-libuv", "libuv", 0.5),
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

    if let (Some(contained), Some(label)) = (taken.alone("contained"), taken.label("contained_floor")) {
        let floor = taken.alone("contained_floor");
        results.push(Measured::at_most(
            "P1-contained",
            format!("a contained one, ours to the {label}"),
            Some(contained),
            floor,
            1.15,
        ));
    }

    let of = |sweep: &Sweep, level, id| taken.index(id).and_then(|method| sweep.median(level, method));
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
    for (id, peer) in [("P3-posix_spawn", "posix_spawn"), ("P3-libuv", "libuv")] {
        if let Some(label) = taken.label(peer) {
            let what = format!("with {many} descriptors, {label} to ours");
            results.push(Measured::at_least(id, what, ours, of(descriptors, most, peer), 15.0));
        }
    }
    results
}

pub fn live(pair: &Pair) -> Measured {
    Measured::at_most(
        "P4",
        format!("ours with {MANY} live children to ours with 0"),
        pair.ours.median(),
        pair.other.median(),
        1.2,
    )
}

pub fn find(found: &Found, swept: &Samples) -> [Measured; 2] {
    let ours = found.cold.ours.median();
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
            found.cold.other.median(),
            1.5,
        )
        .note(note),
        Measured::at_least(
            "P5-sweep",
            format!("the same among {MANY}, waitpid sweep to ours"),
            ours,
            swept.median(),
            100.0,
        ),
    ]
}

pub fn kill(pair: &Pair) -> Measured {
    Measured::at_most(
        "P6",
        format!("kill and reap {KILLED} children, ours to the raw loop in C"),
        pair.ours.median(),
        pair.other.median(),
        1.15,
    )
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
