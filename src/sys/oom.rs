//! How many processes of this machine were killed for want of memory: `oom_kill` of /proc/vmstat (Linux 4.13), of every limit and every group.
//!
//! The trap: it is a count without names, and to read it takes some 20 us. So it is read once before the first child, and then only when a
//! child was killed by a stranger. What it was when that one was born is not known, but the last look that was not later knows what it was at
//! least: more now, and somebody was killed since that look. Who, and whether after the birth, nobody can say: so it makes an end "probable" and no
//! more.
//!
//! The kernel counts a kill before it sends the signal. So a look tells the truth of all who were dead when it began, and of several who are
//! found dead together the first makes it for all.
//!
//! Half of the time goes into opening the file and into the lines behind this one. So it stays open where there is room for that, and is read
//! just so far. A host may close numbers that it has not opened, and have another file there: what does not begin as that file does is not
//! believed.

use std::fs::File;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};

use nix::sys::uio::pread;

use super::counts;
use super::fds;
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
    /// The last of all: when it began.
    last: Option<Look>,
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

    /// So many had been killed when whoever was dead at that time died, if a look has begun since.
    fn seen_since(&self, dead: i64) -> Option<u64> {
        self.last.filter(|last| last.at >= dead).map(|last| last.kills)
    }

    /// Whether somebody was killed since the last look that is no later than this birth. Without such a look the answer is no.
    fn have_risen(&self, born: i64, kills: u64) -> bool {
        // One that is older than all that is kept is older than the rise to them.
        let before = self.kept().rfind(|look| look.at <= born);
        before.map_or(self.forgotten, |before| before.kills < kills)
    }
}

/// What this process knows, and looks with.
#[derive(Debug, Default)]
struct Watch {
    looks: Mutex<Looks>,
    /// The file, if it is kept open.
    file: OnceLock<OwnedFd>,
    /// So much of it has the line, or had when it was read last; 0: not known.
    reach: AtomicUsize,
}

static WATCH: PerProcess<Watch> = PerProcess::new();

const PATH: &str = "/proc/vmstat";
const NAME: &str = "oom_kill";
/// How the file begins.
const BEGIN: &[u8] = b"nr_free_pages ";
/// The line is in here, or the file is not kept open.
const MOST: usize = 4096;
/// Numbers before it may have grown by so many digits since.
const SLACK: usize = 64;
/// A host that has no more descriptors than that left has a better use for them.
const SPARE: usize = 64;

fn watch() -> Option<&'static Watch> {
    let give_back = |before: &Watch| before.file.get().into_iter().for_each(|file| fds::give_back(file.as_raw_fd()));
    WATCH.get_or_succeed(|| Ok(Watch::default()), give_back).ok()
}

/// The number, and where its line ends.
fn found_in(text: &[u8]) -> Option<(u64, usize)> {
    let line = text.starts_with(BEGIN).then(|| counts::last_line_of(text, NAME))??;
    Some((counts::number(&text[line.clone()])?, line.end))
}

impl Watch {
    /// Looks through the file that is kept open.
    fn kept_kills(&self) -> Option<u64> {
        // A read of what a host may have put there can wait.
        let file = self.file.get().filter(|file| fds::is_marked(file.as_raw_fd(), fds::Mark::Lasting))?;
        let mut text = [0; MOST];
        let mut look = |most: usize| {
            let count = pread(file, &mut text[..most], 0).ok()?;
            found_in(&text[..count])
        };
        let reach = self.reach.load(Ordering::Relaxed);
        let near = if reach == 0 { None } else { look((reach + SLACK).min(MOST)) };
        let (kills, end) = near.or_else(|| look(MOST))?;
        self.reach.store(end, Ordering::Relaxed);
        Some(kills)
    }

    fn kills(&self) -> Option<u64> {
        self.kept_kills().or_else(|| counts::of_names(File::open(PATH).ok()?.into(), [NAME])[0])
    }

    /// Keeps the file open, if it is one that can be looked at in one go.
    fn keep(&self) {
        if self.file.get().is_some() || !fds::has_room(fds::soft_limit(), SPARE) {
            return;
        }
        let Some(file) = File::open(PATH).ok().and_then(|file| fds::above_standard(file.into()).ok()) else { return };
        let mut text = [0; MOST];
        if pread(&file, &mut text, 0).ok().and_then(|count| found_in(&text[..count])).is_some() {
            fds::mark(&file, fds::Mark::Lasting);
            let _ = self.file.set(file);
        }
    }

    /// Looks, unless somebody has since that time, and asks what was known before of so many kills. `None`: it cannot be done.
    fn compared<T>(&self, dead: i64, ask: impl FnOnce(&Looks, u64) -> T) -> Option<T> {
        let looks = lock(&self.looks);
        if let Some(kills) = looks.seen_since(dead) {
            return Some(ask(&looks, kills));
        }
        drop(looks);
        let began = clock::now();
        let kills = self.kills()?;
        // Afterwards: so many there were by then.
        let look = Look { at: clock::now(), kills };
        let mut looks = lock(&self.looks);
        let answer = ask(&looks, kills);
        looks.note(look);
        if looks.last.is_none_or(|last| last.at < began) {
            looks.last = Some(Look { at: began, kills });
        }
        Some(answer)
    }
}

/// Opens what is kept open, early: no other time changes what the process has open.
pub fn prepare() {
    if let Some(watch) = watch() {
        watch.keep();
    }
}

/// Looks, for the children to come. Where it cannot be done, no end of them is probable.
pub fn look() {
    if let Some(watch) = watch() {
        watch.keep();
        let _ = watch.compared(i64::MAX, |_, _| ());
    }
}

/// Whether this machine has killed somebody for want of memory since the last look before this time. `dead`: by then the one in question was
/// dead. `false` where it is not known.
pub fn has_killed_since(born: i64, dead: i64) -> bool {
    watch().and_then(|watch| watch.compared(dead, |looks, kills| looks.have_risen(born, kills))).unwrap_or(false)
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
    fn a_look_is_the_truth_of_those_who_were_dead_before_it() {
        let last = |at, kills| Looks { last: Some(Look { at, kills }), ..Looks::default() };
        assert_eq!(last(50, 7).seen_since(50), Some(7));
        assert_eq!(last(50, 7).seen_since(51), None, "it may have been killed since");
        assert_eq!(Looks::default().seen_since(0), None);
    }

    #[test]
    fn a_file_that_does_not_begin_so_is_not_believed() {
        assert_eq!(found_in(b"nr_free_pages 1\noom_kill 12\nnr_last 3\n"), Some((12, 27)));
        for text in
            ["", "nr_free_pages 1\n", "nr_free_pages 1\noom_kill 12", "oom_kill 12\nnr_free_pages 1\n", "nr_free_pages 1\noom_kill x\n"]
        {
            assert_eq!(found_in(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn several_who_are_found_dead_together_take_one_look() {
        look();
        let watch = watch().unwrap();
        let begun = || lock(&watch.looks).last.map(|last| last.at);
        if begun().is_none() {
            return; // No such file here.
        }
        let dead = clock::now();
        // Nobody says that nobody is killed meanwhile.
        let _ = has_killed_since(dead, dead);
        let first = begun();
        assert!(first >= Some(dead));
        let _ = has_killed_since(dead, dead);
        assert_eq!(begun(), first);
        let _ = has_killed_since(dead, clock::now());
        assert!(begun() > first);
        assert_eq!(watch.kept_kills(), watch.file.get().and_then(|_| counts::of_names(File::open(PATH).ok()?.into(), [NAME])[0]));
    }
}
