//! What one spawn + exit + reap costs (P1), and how that grows with the host: with its open descriptors (P3) and its
//! resident memory (P2). The levels of a sweep are visited several times in changing order, so a slow minute of the
//! machine cannot pass for an effect.

use crate::host::{Descriptors, Resident};
use crate::measure::{Effort, Method, Samples, interleave};
use crate::progress::Progress;

/// Samples of every method at every level.
pub struct Sweep {
    pub levels: Vec<usize>,
    samples: Vec<Vec<Samples>>,
}

impl Sweep {
    pub fn at(&self, level: usize, method: usize) -> &Samples {
        &self.samples[level][method]
    }

    /// In microseconds.
    pub fn median(&self, level: usize, method: usize) -> Option<f64> {
        self.at(level, method).median()
    }
}

/// The methods, and one of them once more: how far it is from itself is the machine's doing.
pub fn baseline(methods: &mut Vec<Method>, twin: Method, effort: Effort) -> Result<(Vec<Samples>, Samples), String> {
    methods.push(twin);
    let mut samples = vec![Samples::default(); methods.len()];
    let done = interleave(methods, effort, &mut samples);
    methods.pop();
    let twin = samples.pop().expect("one each");
    done.map(|()| (samples, twin))
}

pub fn over_descriptors(
    methods: &mut [Method],
    levels: Vec<usize>,
    passes: usize,
    effort: Effort,
    progress: &Progress,
) -> Result<Sweep, String> {
    sweep(methods, levels, passes, effort, Descriptors::open, |n| {
        progress.say(&format!("cost with {n} open descriptors"))
    })
}

pub fn over_memory(
    methods: &mut [Method],
    levels: Vec<usize>,
    passes: usize,
    effort: Effort,
    progress: &Progress,
) -> Result<Sweep, String> {
    sweep(methods, levels, passes, effort, Resident::touch, |n| {
        progress.say(&format!("cost with {} MiB resident", n >> 20))
    })
}

fn sweep<C>(
    methods: &mut [Method],
    levels: Vec<usize>,
    passes: usize,
    effort: Effort,
    condition: impl Fn(usize) -> Result<C, String>,
    say: impl Fn(usize),
) -> Result<Sweep, String> {
    let mut samples = vec![vec![Samples::default(); methods.len()]; levels.len()];
    let mut order: Vec<usize> = (0..levels.len()).collect();
    for _ in 0..passes {
        fastrand::shuffle(&mut order);
        for &level in &order {
            say(levels[level]);
            let _held = condition(levels[level])?;
            interleave(methods, effort, &mut samples[level])?;
        }
    }
    Ok(Sweep { levels, samples })
}
