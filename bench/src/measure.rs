//! Interleaved timing. Methods that are measured one after the other are measured on different machines: clocks,
//! neighbours and caches drift. Here every round runs each method once, in a new order, and medians are compared.
//! Before its timed cycle a method runs one cycle that is not timed, so nobody pays for what the method before left
//! behind (fork leaves every page of the host write-protected).

use crate::noise::Series;
use std::time::{Duration, Instant};

pub type Cycle = Box<dyn FnMut() -> Result<(), String>>;

/// One way to spawn, wait for and reap the target program.
pub struct Method {
    pub id: &'static str,
    pub label: String,
    pub cycle: Cycle,
}

/// Durations in microseconds, in the order in which they were taken.
#[derive(Default, Clone)]
pub struct Samples {
    us: Vec<f64>,
    /// The most that came at once: those of one process.
    batch: usize,
}

impl Samples {
    pub fn of(us: &[f64]) -> Self {
        Self { us: us.to_vec(), batch: 1 }
    }

    pub fn push(&mut self, duration: Duration) {
        self.us.push(duration.as_secs_f64() * 1e6);
        self.batch = self.batch.max(1);
    }

    /// Durations that another process has taken.
    pub fn extend(&mut self, us: impl IntoIterator<Item = f64>) {
        let before = self.us.len();
        self.us.extend(us);
        self.batch = self.batch.max(self.us.len() - before);
    }

    pub fn append(&mut self, other: Self) {
        self.batch = self.batch.max(other.batch);
        self.us.extend(other.us);
    }

    pub fn quantile(&self, q: f64) -> Option<f64> {
        let mut sorted = self.us.clone();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().checked_sub(1)?;
        let at = q * last as f64;
        let (low, high) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
        Some(low + (high - low) * at.fract())
    }

    pub fn median(&self) -> Option<f64> {
        self.quantile(0.5)
    }

    pub fn series(&self) -> Series<'_> {
        Series { values: &self.us, batch: self.batch }
    }

    pub fn len(&self) -> usize {
        self.us.len()
    }
}

/// How long to measure. A method that has used up `time` sits out once it has `at_least` samples, so that a fork of a
/// large host does not take all the time there is.
#[derive(Clone, Copy)]
pub struct Effort {
    pub rounds: usize,
    pub at_least: usize,
    pub time: Duration,
}

const WARM_UP_ROUNDS: usize = 3;

/// Adds this run's samples to `samples`, which has one entry per method.
pub fn interleave(methods: &mut [Method], effort: Effort, samples: &mut [Samples]) -> Result<(), String> {
    let mut order: Vec<usize> = (0..methods.len()).collect();
    let mut spent = vec![Duration::ZERO; methods.len()];
    let mut taken = vec![0; methods.len()];
    for round in 0..WARM_UP_ROUNDS + effort.rounds {
        fastrand::shuffle(&mut order);
        for &i in &order {
            if taken[i] >= effort.at_least && spent[i] > effort.time {
                continue;
            }
            let method = &mut methods[i];
            let begun = Instant::now();
            (method.cycle)().map_err(|problem| format!("{}: {problem}", method.label))?;
            let timed = Instant::now();
            (method.cycle)().map_err(|problem| format!("{}: {problem}", method.label))?;
            let duration = timed.elapsed();
            spent[i] += begun.elapsed();
            if round >= WARM_UP_ROUNDS {
                samples[i].push(duration);
                taken[i] += 1;
            }
        }
    }
    Ok(())
}

/// Times one call.
pub fn time<T>(call: impl FnOnce() -> T) -> (T, Duration) {
    let begun = Instant::now();
    let result = call();
    (result, begun.elapsed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_the_samples() {
        let samples = Samples::of(&[4.0, 1.0, 3.0, 2.0]);
        assert_eq!(samples.median(), Some(2.5));
        assert_eq!(samples.quantile(0.0), Some(1.0));
        assert_eq!(samples.quantile(1.0), Some(4.0));
        assert_eq!(Samples::default().median(), None);
    }

    #[test]
    fn a_slow_method_sits_out_but_not_before_it_has_its_samples() {
        let busy = || {
            let begun = Instant::now();
            while begun.elapsed() < Duration::from_millis(2) {}
            Ok(())
        };
        let slow = Method { id: "slow", label: "slow".into(), cycle: Box::new(busy) };
        let fast = Method { id: "fast", label: "fast".into(), cycle: Box::new(|| Ok(())) };
        let mut samples = vec![Samples::default(); 2];
        let effort = Effort { rounds: 50, at_least: 4, time: Duration::from_millis(1) };
        interleave(&mut [slow, fast], effort, &mut samples).unwrap();
        assert_eq!((samples[0].len(), samples[1].len()), (4, 50));
    }
}
