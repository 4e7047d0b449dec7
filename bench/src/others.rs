//! What other programs of the machine do meanwhile, and what the machine below a virtual one takes.

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use std::time::Instant;

/// Since when.
pub struct Busy {
    all: [f64; 2],
    ours: f64,
    begun: Instant,
}

impl Busy {
    pub fn begin() -> Self {
        Self { all: all(), ours: ours(), begun: Instant::now() }
    }

    /// What others used of one CPU since then. Our children count once they have been waited for.
    pub fn others(&self) -> f64 {
        let used = (all()[0] - self.all[0]) - (ours() - self.ours);
        (used / self.begun.elapsed().as_secs_f64()).max(0.0)
    }

    /// What was taken from all CPUs of a virtual machine, of one of them.
    fn stolen(&self) -> f64 {
        (all()[1] - self.all[1]) / self.begun.elapsed().as_secs_f64()
    }

    /// For people.
    pub fn note(&self) -> String {
        let percent = |share: f64| format!("{:.0} %", share * 100.0);
        format!(
            "meanwhile other programs used {} of a CPU, and the machine below took {}",
            percent(self.others()),
            percent(self.stolen())
        )
    }
}

/// Seconds of all CPUs that were spent in processes (interrupts are nobody's), and that were stolen.
fn all() -> [f64; 2] {
    let text = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    let first = text.lines().next().unwrap_or_default();
    let ticks: Vec<f64> = first.split_whitespace().skip(1).filter_map(|word| word.parse::<f64>().ok()).collect();
    // SAFETY: a number.
    let a_second = unsafe { libc::sysconf(libc::_SC_CLK_TCK) } as f64;
    [ticks.iter().take(3).sum::<f64>() / a_second, ticks.get(7).unwrap_or(&0.0) / a_second]
}

fn ours() -> f64 {
    let used = |who| {
        let usage = getrusage(who).ok();
        usage.map_or(0.0, |usage| (usage.user_time() + usage.system_time()).num_microseconds() as f64 / 1e6)
    };
    used(UsageWho::RUSAGE_SELF) + used(UsageWho::RUSAGE_CHILDREN)
}
