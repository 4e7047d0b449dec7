//! What other programs of the machine do meanwhile. On two CPUs one compiler beside us puts milliseconds on every latency,
//! so a block waits for a quiet moment, and one that was disturbed is measured again. Only the time that others used
//! decides that, never the result.

use crate::measure::Samples;
use crate::others::Busy;
use std::time::{Duration, Instant};

/// So much of one CPU may be somebody else's: the kernel's threads, and what always runs.
const QUIET: f64 = 0.1;
const LOOK: Duration = Duration::from_millis(500);
/// For each block, and for all of a run.
const PATIENCE: Duration = Duration::from_secs(20);
const PATIENCE_OF_A_RUN: Duration = Duration::from_secs(300);
const ATTEMPTS: usize = 3;

/// The patience that a run has left.
pub struct Quiet {
    patience: Duration,
    pub repeated: usize,
    /// What others used of one CPU beside each block, in percent.
    pub others: Samples,
}

impl Quiet {
    /// `patient`: wait and repeat; otherwise only look.
    pub fn new(patient: bool) -> Self {
        let patience = if patient { PATIENCE_OF_A_RUN } else { Duration::ZERO };
        Self { patience, repeated: 0, others: Samples::default() }
    }

    fn spend(&mut self, begun: Instant) {
        self.patience = self.patience.saturating_sub(begun.elapsed());
    }

    fn wait(&mut self) {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE.min(self.patience) {
            let look = Busy::begin();
            std::thread::sleep(LOOK);
            if look.others() < QUIET {
                return; // a look is not what the patience is for
            }
        }
        self.spend(begun);
    }

    /// The least disturbed of some attempts.
    pub fn least_disturbed<T>(&mut self, mut block: impl FnMut() -> Result<T, String>) -> Result<T, String> {
        self.wait();
        let (mut best, mut least) = self.attempt(&mut block)?;
        for _ in 1..ATTEMPTS {
            if least < QUIET || self.patience.is_zero() {
                break;
            }
            let begun = Instant::now();
            self.wait();
            let (another, others) = self.attempt(&mut block)?;
            self.spend(begun);
            self.repeated += 1;
            if others < least {
                (best, least) = (another, others);
            }
        }
        self.others.extend([least * 100.0]);
        Ok(best)
    }

    fn attempt<T>(&self, block: &mut impl FnMut() -> Result<T, String>) -> Result<(T, f64), String> {
        let busy = Busy::begin();
        let done = block()?;
        Ok((done, busy.others()))
    }
}
