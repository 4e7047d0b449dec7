//! S1 and S3: how many exits a second a host can take while 10, 1 000 or 8 000 of its children sleep, and how much
//! memory each of those costs it. A pass visits every method at every level once, in a new order, each in a new process;
//! all passes are one pool of samples.

use super::serve::{BLOCKING, EVENT_LOOP, FIRST};
use crate::host::Host;
use crate::measure::Samples;
use crate::progress::Progress;
use crate::served::Served;
use std::path::Path;
use std::time::{Duration, Instant};

pub const LEVELS: [usize; 3] = [10, 1_000, 8_000];
/// Children that end at once, among as many as there are at the last level.
pub const BURST: usize = 100;

/// How much is measured: a machine on which it takes long has fewer passes.
#[derive(Clone, Copy)]
pub struct Effort {
    pub passes: usize,
    pub at_least: usize,
    pub time: Duration,
    pub exits: usize,
    pub bursts: usize,
}

/// Exits before the first that counts.
const WARM_UP: usize = 10;

/// A row of the table: the process that serves it, and how it waits.
pub struct Way {
    pub id: &'static str,
    pub served_by: &'static str,
    pub how: &'static str,
    /// Whether it is a library that keeps something for each child.
    pub keeps: bool,
}

const WAYS: [Way; 5] = [
    Way { id: "procsup", served_by: "procsup", how: EVENT_LOOP, keeps: true },
    Way { id: "procsup-blocking", served_by: "procsup", how: BLOCKING, keeps: true },
    Way { id: "sweep", served_by: "sweep", how: EVENT_LOOP, keeps: false },
    Way { id: "libuv", served_by: "libuv", how: EVENT_LOOP, keeps: true },
    Way { id: "floor", served_by: "floor", how: EVENT_LOOP, keeps: false },
];

/// What was found out about one way.
pub struct Taken {
    pub way: &'static Way,
    /// One for each level.
    pub exits: Vec<Samples>,
    /// By SIGTERM, at the first level: of a SIGKILL that nobody here has sent procsup asks whether memory was short.
    pub terms: Samples,
    /// Whole bursts, at the last level.
    pub bursts: Samples,
    /// Bytes of each child, at the last level.
    pub bytes: Samples,
}

impl Taken {
    /// Exits per second by the median.
    pub fn per_second(&self, level: usize) -> Option<f64> {
        self.exits[level].median().map(|us| 1e6 / us)
    }

    /// In microseconds.
    pub fn burst_us_per_exit(&self) -> Option<f64> {
        self.bursts.median().map(|us| us / BURST as f64)
    }
}

pub struct Exits {
    pub levels: Vec<usize>,
    pub taken: Vec<Taken>,
}

impl Exits {
    pub fn of(&self, id: &str) -> Option<&Taken> {
        self.taken.iter().find(|taken| taken.way.id == id)
    }
}

pub fn measure(
    methods: &[&str],
    lib: &Path,
    host: &Host,
    effort: Effort,
    progress: &Progress,
) -> Result<Exits, String> {
    let levels: Vec<usize> = LEVELS.map(|n| host.descriptors(n)).to_vec();
    let new = |way| Taken {
        way,
        exits: vec![Samples::default(); levels.len()],
        terms: Samples::default(),
        bursts: Samples::default(),
        bytes: Samples::default(),
    };
    let mut taken: Vec<Taken> = WAYS.iter().filter(|way| methods.contains(&way.served_by)).map(new).collect();
    let mut order: Vec<(&str, usize)> = Vec::new();
    for method in methods.iter().filter(|method| WAYS.iter().any(|way| way.served_by == **method)) {
        // Few children take little time, and how well two processes do differs by more than P14 may miss.
        order.extend((0..levels.len()).chain([0, 0]).map(|level| (*method, level)));
    }
    let begun = Instant::now();
    for pass in 1..=effort.passes {
        if pass > effort.at_least && begun.elapsed() > effort.time {
            break;
        }
        fastrand::shuffle(&mut order);
        for &(method, level) in &order {
            let n = levels[level];
            progress.say(&format!("exits among {n} children: {method}, pass {pass} of {}", effort.passes));
            let mut served = Served::start(&["serve", method], lib)?;
            let memory = served.ask(&format!("children {n}"))?;
            let mut ways: Vec<&mut Taken> = taken.iter_mut().filter(|taken| taken.way.served_by == method).collect();
            if level == levels.len() - 1 && n > FIRST {
                let bytes = (memory[1] - memory[0]) / (n - FIRST) as f64;
                ways.iter_mut().filter(|taken| taken.way.keeps).for_each(|taken| taken.bytes.extend([bytes]));
            }
            fastrand::shuffle(&mut ways);
            for taken in ways {
                let how = taken.way.how;
                served.ask(&format!("exits {how} {WARM_UP}"))?;
                taken.exits[level].extend(served.ask(&format!("exits {how} {}", effort.exits))?);
                if level == 0 {
                    taken.terms.extend(served.ask(&format!("terms {how} {}", effort.exits))?);
                }
                if level == levels.len() - 1 {
                    taken.bursts.extend(served.ask(&format!("bursts {how} {} {BURST}", effort.bursts))?);
                }
            }
        }
    }
    Ok(Exits { levels, taken })
}
