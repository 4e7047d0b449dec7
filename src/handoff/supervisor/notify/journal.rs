//! What a supervisor of daemons that know nothing of it writes down for the one that comes after it: nobody else could tell that one who serves.
//!
//! The trap: it says who *was* there. A process counts only if it is proven to be the one (`process/lasting.rs`), and of the rest nothing is done to
//! anybody. It is written whenever one of them changes, and taken away when none is left, at once behind what it tells of; so one that was killed
//! between a spawn and that leaves a successor of which nobody knows.
//!
//! Text, for people. Lines in this order, each ended; those with a `?` need not be there, `*` may be several times:
//!
//! ```text
//! procsup supervisor 1 notify
//! generation 3
//! build NAME                    ? of who serves
//! serving PLAN PROCESS          ? its stop plan, 15:2000,9:-1, and a line of process/lasting.rs
//! next ready|starting PLAN PROCESS   ? who is on trial, or the first one before it serves
//! leaving TIME PROCESS          * sent away; TIME: CLOCK_MONOTONIC, ns, when it is stopped again
//! listener INODE:COOKIE NAME    * what those were given, by what the kernel calls it; or - NAME
//! end
//! ```

use std::ffi::CString;
use std::path::Path;

use crate::clock::Deadline;
use crate::error::Result;
use crate::handoff::outcome::BuildId;
use crate::handoff::supervisor::journal::{File, Kind};
use crate::handoff::supervisor::listeners::Given;
use crate::process::lasting::{self, Lasting};
use crate::process::stop::{self, Step};
use crate::process::systemd;

const HEAD: &str = "procsup supervisor 1 notify\n";
const TAIL: &str = "end\n";
/// So many that leave are written down, and steps of a plan (one with more is not: then it is the usual one).
pub const LEAVERS: usize = 16;
const STEPS: usize = 32;
/// The line of a listener.
const NAME: usize = 320;
/// As many names as a supervisor holds listeners, as long as they can be; and all else.
const LONGEST: usize = 252 * NAME + (LEAVERS + 4) * (lasting::LONGEST + 32 * STEPS);

/// The file.
pub fn file(path: &Path) -> Result<File> {
    File::at(path, Kind { longest: LONGEST, is_one: |bytes| Left::parse(bytes).is_some(), decides: true })
}

/// The journal of this supervisor.
#[derive(Debug)]
pub struct Diary {
    /// What stands in it.
    pub written: Left,
    /// It could not be written: from then on it is tried again.
    pub again: Deadline,
    /// What the generation that was found was given, by name.
    pub given: Vec<Given>,
}

impl Default for Diary {
    fn default() -> Self {
        Self { written: Left::default(), again: Deadline::NEVER, given: Vec::new() }
    }
}

/// A process that has a seat.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seated {
    /// How it is stopped.
    pub plan: Vec<Step>,
    /// Who it is.
    pub process: Lasting,
}

/// See the head of this file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Left {
    pub generation: u64,
    pub build: BuildId,
    pub serving: Option<Seated>,
    /// Whether it was ready, and who it is.
    pub next: Option<(bool, Seated)>,
    /// When each is stopped again.
    pub leaving: Vec<(i64, Lasting)>,
    pub listeners: Vec<Given>,
}

impl Left {
    /// Whether it tells of nobody.
    pub fn is_of_nobody(&self) -> bool {
        self.serving.is_none() && self.next.is_none() && self.leaving.is_empty()
    }

    /// As it stands in the file. `None`: no memory is to be had.
    pub fn text(&self) -> Option<String> {
        use std::fmt::Write as _;
        let mut text = String::new();
        text.try_reserve(self.listeners.len() * NAME + (self.leaving.len() + 4) * (lasting::LONGEST + 32 * STEPS)).ok()?;
        let _ = writeln!(text, "{HEAD}generation {}", self.generation);
        if !self.build.is_empty() {
            let _ = writeln!(text, "build {}", self.build.text());
        }
        if let Some(Seated { plan, process }) = &self.serving {
            let _ = writeln!(text, "serving {} {process}", plan_text(plan));
        }
        if let Some((ready, Seated { plan, process })) = &self.next {
            let _ = writeln!(text, "next {} {} {process}", if *ready { "ready" } else { "starting" }, plan_text(plan));
        }
        for (until, process) in &self.leaving {
            let _ = writeln!(text, "leaving {until} {process}");
        }
        for Given { name, inode, cookie } in &self.listeners {
            let _ = match cookie {
                0 => write!(text, "listener - "),
                _ => write!(text, "listener {inode}:{cookie} "),
            };
            let _ = writeln!(text, "{}", name.to_string_lossy());
        }
        text.push_str(TAIL);
        Some(text)
    }

    /// Reads it; `None`: it is none, or not all of one.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let text = core::str::from_utf8(bytes).ok()?.strip_prefix(HEAD)?.strip_suffix(TAIL)?;
        let mut lines = text.split_terminator('\n').peekable();
        // What has lines of its own ends each of them.
        if !text.ends_with('\n') {
            return None;
        }
        let mut left = Self { generation: lines.next()?.strip_prefix("generation ")?.parse().ok()?, ..Self::default() };
        if let Some(build) = lines.peek().and_then(|line| line.strip_prefix("build ")) {
            left.build = BuildId::from_bytes(build.as_bytes())?;
            lines.next();
        }
        if let Some(line) = lines.peek().and_then(|line| line.strip_prefix("serving ")) {
            left.serving = Some(seated(line)?);
            lines.next();
        }
        if let Some(line) = lines.peek().and_then(|line| line.strip_prefix("next ")) {
            let (how, line) = line.split_once(' ')?;
            let ready = match how {
                "ready" => true,
                "starting" => false,
                _ => return None,
            };
            left.next = Some((ready, seated(line)?));
            lines.next();
        }
        while let Some(line) = lines.peek().and_then(|line| line.strip_prefix("leaving ")) {
            let (until, process) = line.split_once(' ')?;
            if left.leaving.len() == LEAVERS {
                return None;
            }
            left.leaving.push((until.parse().ok()?, Lasting::parse(process.as_bytes()).ok()?));
            lines.next();
        }
        for line in lines {
            left.listeners.push(given(line.strip_prefix("listener ")?)?);
        }
        Some(left)
    }
}

fn seated(line: &str) -> Option<Seated> {
    let (plan, process) = line.split_once(' ')?;
    Some(Seated { plan: parse_plan(plan)?, process: Lasting::parse(process.as_bytes()).ok()? })
}

fn given(line: &str) -> Option<Given> {
    let (which, name) = line.split_once(' ')?;
    let name = CString::new(name).ok()?;
    systemd::name(Some(&name)).ok()?;
    if which == "-" {
        return Some(Given { name, inode: 0, cookie: 0 });
    }
    let (inode, cookie) = which.split_once(':')?;
    let (inode, cookie) = (inode.parse().ok()?, cookie.parse().ok().filter(|cookie| *cookie != 0)?);
    Some(Given { name, inode, cookie })
}

fn plan_text(plan: &[Step]) -> String {
    let plan = if plan.is_empty() || plan.len() > STEPS { &stop::DEFAULT[..] } else { plan };
    let steps: Vec<_> = plan.iter().map(|step| format!("{}:{}", step.signal, step.wait_ms)).collect();
    steps.join(",")
}

fn parse_plan(text: &str) -> Option<Vec<Step>> {
    let mut plan = Vec::new();
    for step in text.split(',') {
        let (signal, wait_ms) = step.split_once(':')?;
        let (signal, wait_ms) = (signal.parse().ok()?, wait_ms.parse().ok()?);
        if plan.len() == STEPS || !(1..=libc::SIGRTMAX()).contains(&signal) || wait_ms < -1 {
            return None;
        }
        plan.push(Step { signal, wait_ms });
    }
    Some(plan)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PROCESS: &str = "procsup process 1 pid=17 start=987654 inode=255 handle=fe:ff00000000000000 pidns=4026531836 \
                           boot=01234567-89ab-cdef-0123-456789abcdef";

    fn full() -> Left {
        let process = Lasting::parse(PROCESS.as_bytes()).unwrap();
        let seated = Seated { plan: stop::DEFAULT.to_vec(), process: process.clone() };
        Left {
            generation: 3,
            build: BuildId::from_bytes(b"v3").unwrap(),
            serving: Some(seated.clone()),
            next: Some((true, seated)),
            leaving: vec![(99, process.clone()), (-1, process)],
            listeners: vec![
                Given { name: c"http".to_owned(), inode: 7, cookie: 9 },
                Given { name: c"a b".to_owned(), inode: 0, cookie: 0 },
            ],
        }
    }

    // covers: C16-8
    #[test]
    fn it_says_what_was_put_into_it() {
        let text = full().text().unwrap();
        let lines = format!(
            "procsup supervisor 1 notify\ngeneration 3\nbuild v3\nserving 15:2000,9:-1 {PROCESS}\nnext ready 15:2000,9:-1 {PROCESS}\n\
             leaving 99 {PROCESS}\nleaving -1 {PROCESS}\nlistener 7:9 http\nlistener - a b\nend\n"
        );
        assert_eq!(text, lines);
        assert_eq!(Left::parse(text.as_bytes()), Some(full()));
        let bare = Left { generation: 1, ..Left::default() };
        assert_eq!(Left::parse(bare.text().unwrap().as_bytes()), Some(bare.clone()));
        assert!(bare.is_of_nobody() && !full().is_of_nobody());
    }

    // covers: C16-8, LAW-17
    #[test]
    fn what_is_torn_or_garbled_is_none() {
        let text = full().text().unwrap();
        (0..text.len()).for_each(|end| assert_eq!(Left::parse(&text.as_bytes()[..end]), None, "cut at {end}"));
        for (from, to) in [
            ("supervisor 1", "supervisor 2"),
            ("15:2000", "15:-2"),
            ("15:2000", "0:2000"),
            ("15:2000", "15"),
            ("ready", "there"),
            ("listener 7:9 http", "listener 7:9 "),
            ("listener 7:9 http", "listener 7:9 a:b"),
            ("listener 7:9 http", "listener 7:0 http"),
            ("listener 7:9 http", "listener http"),
            ("\nserving", "\n\nserving"),
            ("\nleaving 99", "\nleaving x"),
            ("end\n", "more\nend\n"),
        ] {
            assert_eq!(Left::parse(text.replacen(from, to, 1).as_bytes()), None, "{from} {to}");
        }
        let leavers = (0..=LEAVERS).map(|_| (0, full().leaving[0].1.clone())).collect();
        assert_eq!(Left::parse(Left { leaving: leavers, ..full() }.text().unwrap().as_bytes()), None);
    }

    proptest! {
        #[test]
        fn bytes_that_anybody_wrote_are_read_without_harm(at in 0..600usize, bytes in proptest::collection::vec(any::<u8>(), 1..64)) {
            let mut text = full().text().unwrap().into_bytes();
            for (place, byte) in (at..text.len()).zip(bytes) {
                text[place] = byte;
            }
            if let Some(left) = Left::parse(&text) {
                prop_assert_eq!(Left::parse(left.text().unwrap().as_bytes()), Some(left));
            }
        }
    }
}
