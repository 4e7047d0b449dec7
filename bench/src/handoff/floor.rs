//! The floor without any work: two bare processes, one pre-warmed and asleep in `recvmsg`. From before the `sendmsg` of
//! a descriptor until the other one has it. Both have slept before each pass; how long decides much of the result.

use super::case::PACE;
use crate::host;
use crate::measure::Samples;
use std::ffi::c_int;
use std::time::Duration;

unsafe extern "C" {
    fn bench_handoff_floor(count: usize, silence_ns: u64, ns: *mut u64) -> c_int;
}

/// No silence to speak of: the kernel's part with everything warm.
const BRIEF: Duration = Duration::from_millis(1);
/// What a successor of this bench sleeps between its readiness and its handoff: until each long-lived connection has
/// asked once more (`waited` of each case has the figure).
pub const DRAIN: Duration = Duration::from_millis(1000 / super::case::KEPT.1);

pub struct Floor {
    pub silence: Duration,
    /// Measured in turn with the cases that load so long.
    pub load_ms: u32,
    pub rounds: usize,
    /// Of a round.
    passes: usize,
    /// In microseconds.
    pub samples: Samples,
}

impl Floor {
    pub fn label(&self) -> String {
        format!("two bare processes, {} ms of silence", self.silence.as_millis())
    }

    /// Both on the servers' CPU.
    pub fn pass(&self, server_cpu: Option<usize>, back_to: Option<usize>) -> Result<Vec<f64>, String> {
        server_cpu.map_or(Ok(()), host::pin)?;
        let mut ns = vec![0; self.passes];
        // SAFETY: room for so many numbers.
        let errno = unsafe { bench_handoff_floor(ns.len(), self.silence.as_nanos() as u64, ns.as_mut_ptr()) };
        back_to.map_or(Ok(()), host::pin)?;
        if errno != 0 {
            return Err(format!("the floor: {}", std::io::Error::from_raw_os_error(-errno)));
        }
        Ok(ns.into_iter().map(|ns| ns as f64 / 1e3).collect())
    }
}

/// `rounds`: of the cases that load at once, and of those that load long.
pub fn all(quick: bool, rounds: (usize, usize)) -> Vec<Floor> {
    let (init300, init3000) = (Duration::from_millis(300), Duration::from_millis(3000));
    // The passes of one round, whole and quick.
    let wanted =
        [(BRIEF, 0, 300, 300), (DRAIN, 0, 60, 30), (PACE, 0, 30, 12), (init300, 300, 15, 5), (init3000, 3000, 5, 1)];
    let floor = |(silence, load_ms, passes, in_quick): (Duration, u32, usize, usize)| Floor {
        silence,
        load_ms,
        rounds: if load_ms == 0 { rounds.0 } else { rounds.1 },
        passes: if quick { in_quick } else { passes },
        samples: Samples::default(),
    };
    wanted.map(floor).into()
}
