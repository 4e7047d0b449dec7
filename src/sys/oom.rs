//! How many processes of this machine were killed for want of memory: `oom_kill` of /proc/vmstat (Linux 4.13), of every limit and every group.
//!
//! The trap: it is a count without names, and to read it takes some 30 us. So it is read once before the first child, and then only when a
//! child was killed by a stranger. What it was when that one was born is not known, but the last look that was not later knows what it was at
//! least: more now, and somebody was killed since that look. Who, and whether after the birth, nobody can say: so it makes an end "probable" and no
//! more.

use std::fs::File;
use std::sync::Mutex;

use nix::errno::Errno;

use super::counts;
use super::memory::PerProcess;
use crate::clock;
use crate::lock::lock;

/// A look that has found more than those before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Look {
    at: i64,
    kills: u64,
}

/// The last such looks, oldest first.
#[derive(Debug, Default)]
struct Looks {
    kept: [Option<Look>; 8],
    /// There were others before these.
    forgotten: bool,
}

impl Looks {
    fn kept(&self) -> impl DoubleEndedIterator<Item = Look> + '_ {
        self.kept.iter().flatten().copied()
    }

    fn note(&mut self, look: Look) {
        // A thread that has looked before another may come after it.
        if self.kept().next_back().is_some_and(|last| look.kills <= last.kills || look.at < last.at) {
            return;
        }
        let free = self.kept.iter().position(Option::is_none).unwrap_or_else(|| {
            self.kept.rotate_left(1);
            self.forgotten = true;
            self.kept.len() - 1
        });
        self.kept[free] = Some(look);
    }

    /// Whether somebody was killed since the last look that is no later than this birth. Without such a look the answer is no.
    fn have_risen(&self, born: i64, kills: u64) -> bool {
        // One that is older than all that is kept is older than the rise to them.
        let before = self.kept().rfind(|look| look.at <= born);
        before.map_or(self.forgotten, |before| before.kills < kills)
    }
}

static LOOKS: PerProcess<Mutex<Looks>> = PerProcess::new();

fn kills() -> Option<u64> {
    let [kills] = counts::of_names(File::open("/proc/vmstat").ok()?.into(), ["oom_kill"]);
    kills
}

/// Looks, and asks what was known before of so many kills. `None`: it cannot be done.
fn compared<T>(ask: impl FnOnce(&Looks, u64) -> T) -> Option<T> {
    let kills = kills()?;
    // Afterwards: so many there were by then.
    let look = Look { at: clock::now(), kills };
    let made: Result<_, Errno> = LOOKS.get_or_try_init(|| Ok(Mutex::default()));
    let mut looks = lock(made.ok()?);
    let answer = ask(&looks, kills);
    looks.note(look);
    Some(answer)
}

/// Looks, for the children to come. Where it cannot be done, no end of them is probable.
pub fn look() {
    let _ = compared(|_, _| ());
}

/// Whether this machine has killed somebody for want of memory since the last look before this time. `false` where it is not known.
pub fn has_killed_since(born: i64) -> bool {
    compared(|looks, kills| looks.have_risen(born, kills)).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looks(found: &[(i64, u64)]) -> Looks {
        let mut looks = Looks::default();
        found.iter().for_each(|(at, kills)| looks.note(Look { at: *at, kills: *kills }));
        looks
    }

    #[test]
    fn a_rise_since_the_last_look_before_the_birth_counts() {
        let seen = looks(&[(10, 5), (20, 5), (30, 7)]);
        assert!(!seen.have_risen(15, 5), "nobody");
        assert!(seen.have_risen(15, 7), "between the birth and a look that was made for another");
        assert!(seen.have_risen(25, 7), "maybe before the birth: nobody knows");
        assert!(!seen.have_risen(30, 7), "all before it");
        assert!(seen.have_risen(30, 8));
    }

    #[test]
    fn without_a_look_before_the_birth_nothing_is_known() {
        assert!(!looks(&[]).have_risen(15, 9));
        assert!(!looks(&[(20, 5)]).have_risen(15, 9));
    }

    #[test]
    fn who_is_older_than_what_is_kept_has_seen_it_rise() {
        let found: Vec<(i64, u64)> = (1..=20).map(|at| (at * 10, at as u64)).collect();
        let seen = looks(&found);
        assert_eq!(seen.kept().map(|look| look.kills).collect::<Vec<_>>(), (13..=20).collect::<Vec<_>>());
        assert!(seen.have_risen(15, 20));
        assert!(!seen.have_risen(200, 20));
    }

    #[test]
    fn a_late_word_of_an_earlier_look_changes_nothing() {
        let seen = looks(&[(10, 5), (30, 7), (20, 6), (40, 6)]);
        assert_eq!(seen.kept().map(|look| look.at).collect::<Vec<_>>(), [10, 30]);
    }

    #[test]
    fn this_machine_is_looked_at() {
        look();
        let born = clock::now();
        assert!(kills().is_none() || LOOKS.get().is_some_and(|looks| lock(looks).kept().next().is_some()));
        // Nobody says that nobody is killed meanwhile.
        let _ = has_killed_since(born);
    }
}
