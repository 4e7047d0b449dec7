//! Interleaved timing. Methods that are measured one after the other are measured on different machines: clocks,
//! neighbours and caches drift. Here every round runs each method once, in a new order, and medians are compared.
//! Before its timed cycle a method runs one cycle that is not timed, so nobody pays for what the method before left
//! behind (fork leaves every page of the host write-protected).

use std::time::{Duration, Instant};

pub type Cycle = Box<dyn FnMut() -> Result<(), String>>;

/// One way to spawn, wait for and reap the target program.
pub struct Method {
    pub id: &'static str,
    pub label: String,
    pub cycle: Cycle,
}

/// Durations in microseconds.
#[derive(Default, Clone)]
pub struct Samples(Vec<f64>);

impl Samples {
    pub fn of(us: &[f64]) -> Self {
        Self(us.to_vec())
    }

    pub fn push(&mut self, duration: Duration) {
        self.0.push(duration.as_secs_f64() * 1e6);
    }

    /// Durations that another process has taken.
    pub fn extend(&mut self, us: impl IntoIterator<Item = f64>) {
        self.0.extend(us);
    }

    pub fn append(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub fn quantile(&self, q: f64) -> Option<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().checked_sub(1)?;
        let at = q * last as f64;
        let (low, high) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
        Some(low + (high - low) * at.fract())
    }

    pub fn median(&self) -> Option<f64> {
        self.quantile(0.5)
    }

    /// In the order in which they were taken.
    pub fn all(&self) -> &[f64] {
        &self.0
    }

    pub fn len(&self) -> usize {
        self.0.len()
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
        let samples = Samples(vec![4.0, 1.0, 3.0, 2.0]);
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
