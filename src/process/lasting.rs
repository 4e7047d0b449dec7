//! The identity of a process that outlives whoever looks after it: a line for a file, from which a restarted supervisor holds the very process again.
//!
//! The law: **never a process whose identity is not proven.** A file tells of a process that was; the number in it may be anybody's by now, and the
//! file itself may be of another boot, another machine, another pid namespace. So what the line says is only what to look for. What is found is held
//! by a pidfd first, compared then, and given out if the kernel's own marks are the same (`sys/identity.rs`); all else has a typed answer.
//!
//! | what is asked, in this order                         | same     | other, or ESTALE | cannot be asked |
//! |------------------------------------------------------|----------|------------------|-----------------|
//! | the boot of the machine                              | go on    | [`Refusal::OtherBoot`] | [`Refusal::Unproven`] |
//! | the file handle of its pidfd (Linux 6.14)            | [`Certainty::Handle`] | [`Refusal::Gone`] (of another pid namespace: [`Refusal::Elsewhere`]) | go on |
//! | the pid namespace                                    | go on    | [`Refusal::Elsewhere`] | [`Refusal::Unproven`] |
//! | the inode of the pidfd that the number opens (6.9)   | [`Certainty::Inode`] | [`Refusal::Gone`] | go on |
//! | the start time of that process                       | [`Certainty::StartTime`] | [`Refusal::Gone`] | [`Refusal::Unproven`] |
//!
//! A zombie that nobody has reaped is found: it is that process, and how it ended can be asked. Once it was reaped nothing finds it; who held its
//! pidfd before can still ask the kernel ([`end`]).

use std::fmt;
use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;

use crate::error::{Error, Result, Status};
use crate::sys::identity::{Handle, Marks, Place};
use crate::sys::pidfd::{self, Life};
use crate::sys::stranger::{self, End};
use crate::sys::{Fault, procfs};

/// No line is longer.
pub const LONGEST: usize = 256;

const HEAD: &str = "procsup process 1";
const NONE: &str = "-";

/// See the head of this file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lasting {
    marks: Marks,
    handle: Option<Handle>,
    place: Place,
}

/// By what it was proven.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Certainty {
    /// The kernel has opened the very process.
    Handle,
    /// Its number was opened, and has the inode.
    Inode,
    /// Its number was opened, and began at that time.
    StartTime,
}

/// The process again. It may be a zombie.
#[derive(Debug)]
pub struct Reopened {
    /// Its number here, for display.
    pub pid: i32,
    /// It, and nobody else.
    pub pidfd: OwnedFd,
    /// How that is known.
    pub certainty: Certainty,
}

/// Why there is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// It has ended and was reaped; its number is nobody's, or another's.
    Gone,
    /// It was a process before the machine was started anew, or of another machine.
    OtherBoot,
    /// It is of another pid namespace: what its number means here is not known.
    Elsewhere,
    /// There is a process of that number, and nothing here proves that it is the one.
    Unproven,
    /// Nothing was found out.
    Cannot(Fault),
}

impl Refusal {
    /// Whether the process cannot be running in this boot and pid namespace.
    pub fn is_gone(self) -> bool {
        matches!(self, Self::Gone | Self::OtherBoot)
    }

    /// The end of a sentence that begins with the process.
    pub fn why(self) -> String {
        match self {
            Self::Gone => "has ended".to_owned(),
            Self::OtherBoot => "is of another boot of the machine, or of another one".to_owned(),
            Self::Elsewhere => "is of another pid namespace".to_owned(),
            Self::Unproven => "cannot be proven to be the one that has its number".to_owned(),
            Self::Cannot(fault) => format!("cannot be held: {}: {}", fault.step, fault.errno.desc()),
        }
    }
}

impl Lasting {
    /// The record of the process behind a pidfd, which has this number here. `Exited`: it was reaped already. `Unsupported`: nothing here tells it from
    /// others (no /proc, and a kernel before 6.9).
    pub fn of(pid: i32, pidfd: &OwnedFd) -> Result<Self> {
        let (inode, handle) = (pidfd::number(pidfd), Handle::of(pidfd));
        let (start, place) = (procfs::start_time(pid), Place::here());
        // Last of all: the number was its own while the time was read. (Where nothing says so it is no mark.)
        let life = pidfd::life(pidfd.as_raw_fd());
        let start = start.filter(|_| life != Life::Reaped && pidfd::number_here(pidfd.as_raw_fd()) == Some(pid));
        if life == Life::Reaped {
            return Err(Error::new(Status::Exited, "pidfd", format!("process {pid} was reaped already")));
        }
        if inode.is_none() && start.is_none() || place.boot.is_empty() {
            let text = format!("nothing tells process {pid} from others that will have its number: /proc is not to be read");
            return Err(Error::new(Status::Unsupported, "stat", text));
        }
        Ok(Self { marks: Marks { pid, inode, start }, handle, place })
    }

    /// Its number where it was recorded, for display.
    pub fn pid(&self) -> i32 {
        self.marks.pid
    }

    /// Reads a line, without its end. `Protocol`: it is none.
    pub fn parse(line: &[u8]) -> Result<Self> {
        let none = || Error::new(Status::Protocol, "lasting", "it is no record of a process");
        let line = core::str::from_utf8(line).ok().filter(|line| line.len() <= LONGEST).ok_or_else(none)?;
        let mut fields = line.strip_prefix(HEAD).and_then(|rest| rest.strip_prefix(' ')).ok_or_else(none)?.split(' ');
        let mut next = |key: &str| fields.next()?.strip_prefix(key)?.strip_prefix('=');
        let parsed = (|| {
            let pid = decimal(next("pid")?).and_then(|pid| i32::try_from(pid).ok()).filter(|pid| *pid > 0)?;
            let start = optional(next("start")?, decimal)?;
            let inode = optional(next("inode")?, decimal)?;
            let handle = optional(next("handle")?, Handle::parse)?;
            let namespace = decimal(next("pidns")?)?;
            let boot = next("boot")?;
            let is_id = boot.len() == 36 && boot.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
            let place = is_id.then(|| Place { boot: boot.to_owned(), namespace })?;
            Some(Self { marks: Marks { pid, inode, start }, handle, place })
        })();
        let is_all = fields.next().is_none();
        parsed.filter(|_| is_all).ok_or_else(none)
    }

    /// Holds the process again, if it is proven to be the one. Never waits.
    pub fn reopen(&self) -> core::result::Result<Reopened, Refusal> {
        let here = Place::here();
        if here.boot.is_empty() {
            return Err(Refusal::Unproven);
        }
        // Not knowing where one is is no proof of anything.
        let elsewhere = if here.namespace == 0 || self.place.namespace == 0 { Refusal::Unproven } else { Refusal::Elsewhere };
        if !self.place.is_of_boot(&here) {
            return Err(Refusal::OtherBoot);
        }
        let is_here = self.place.is(&here);
        match self.handle.as_ref().map(Handle::open) {
            Some(Ok(pidfd)) => {
                let pid = pidfd::number_here(pidfd.as_raw_fd()).or_else(|| is_here.then_some(self.marks.pid));
                // Both marks are the kernel's, of one boot: two that do not fit were not written by this library.
                let fits = self.marks.inode.zip(pidfd::number(&pidfd)).is_none_or(|(its, found)| its == found);
                return match pid {
                    Some(pid) if fits => Ok(Reopened { pid, pidfd, certainty: Certainty::Handle }),
                    Some(_) => Err(Refusal::Unproven),
                    None => Err(elsewhere),
                };
            }
            Some(Err(Errno::ESTALE)) => return Err(if is_here { Refusal::Gone } else { elsewhere }),
            Some(Err(errno @ (Errno::EMFILE | Errno::ENFILE | Errno::ENOMEM))) => {
                return Err(Refusal::Cannot(Fault { step: "open_by_handle_at", errno }));
            }
            // An older kernel, or a filter.
            Some(Err(_)) | None => {}
        }
        if !is_here {
            return Err(elsewhere);
        }
        self.reopen_by_number()
    }

    fn reopen_by_number(&self) -> core::result::Result<Reopened, Refusal> {
        let pid = self.marks.pid;
        let pidfd = match pidfd::open(pid) {
            Ok(pidfd) => pidfd,
            // Nobody has it, or it is a thread's by now.
            Err(Errno::ESRCH | Errno::EINVAL | Errno::ENOENT) => return Err(Refusal::Gone),
            // By number alone nobody is held; but who is gone is gone.
            Err(Errno::ENOSYS | Errno::EPERM | Errno::EACCES) => {
                let is_gone = self.marks.start.is_some() && procfs::start_time(pid).is_some_and(|found| Some(found) != self.marks.start)
                    || pidfd::kill_number(pid, 0) == Err(Errno::ESRCH);
                return Err(if is_gone { Refusal::Gone } else { Refusal::Unproven });
            }
            Err(errno) => return Err(Refusal::Cannot(Fault { step: "pidfd_open", errno })),
        };
        let has_inode = self.marks.inode.is_some() && pidfd::number(&pidfd).is_some();
        let is_it = self.marks.are_of(&pidfd);
        if pidfd::life(pidfd.as_raw_fd()) == Life::Reaped {
            return Err(Refusal::Gone);
        }
        match is_it {
            Some(true) => {
                let certainty = if has_inode { Certainty::Inode } else { Certainty::StartTime };
                Ok(Reopened { pid, pidfd, certainty })
            }
            Some(false) => Err(Refusal::Gone),
            None => Err(Refusal::Unproven),
        }
    }
}

/// A line, without its end.
impl fmt::Display for Lasting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |number: Option<u64>| number.map_or_else(|| NONE.to_owned(), |number| number.to_string());
        let Self { marks: Marks { pid, inode, start }, handle, place: Place { boot, namespace } } = self;
        let handle = handle.as_ref().map_or_else(|| NONE.to_owned(), Handle::text);
        let (start, inode) = (number(*start), number(*inode));
        write!(f, "{HEAD} pid={pid} start={start} inode={inode} handle={handle} pidns={namespace} boot={boot}")
    }
}

/// How the process behind a pidfd ended, whoever reaps it: as its own parent says it, or /proc of a zombie, or what the kernel keeps for whoever holds
/// the pidfd of one that was reaped (PIDFD_GET_INFO, Linux 6.15). Reaps nobody.
pub fn end(pid: i32, pidfd: &OwnedFd) -> End {
    stranger::end(pidfd.as_raw_fd(), pid, false)
}

fn decimal(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

fn optional<T>(text: &str, read: impl FnOnce(&str) -> Option<T>) -> Option<Option<T>> {
    if text == NONE { Some(None) } else { read(text).map(Some) }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use proptest::prelude::*;

    use super::*;
    use crate::clock::{Deadline, MILLI};
    use crate::sys::poll;

    const LINE: &str = "procsup process 1 pid=17 start=987654 inode=255 handle=fe:ff00000000000000 pidns=4026531836 \
                        boot=01234567-89ab-cdef-0123-456789abcdef";

    /// A child of this test that nobody else reaps; killed and reaped in the end.
    struct Own(std::process::Child);

    impl Own {
        fn new() -> (Self, OwnedFd, Lasting) {
            let child = std::process::Command::new("sleep").arg("1000").spawn().unwrap();
            let pidfd = pidfd::open(child.id() as i32).unwrap();
            let lasting = Lasting::of(child.id() as i32, &pidfd).unwrap();
            (Self(child), pidfd, lasting)
        }

        fn reap(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    impl Drop for Own {
        fn drop(&mut self) {
            self.reap();
        }
    }

    fn without_handle(lasting: &Lasting) -> Lasting {
        Lasting { handle: None, ..lasting.clone() }
    }

    fn without_pidfs(lasting: &Lasting) -> Lasting {
        Lasting { handle: None, marks: Marks { inode: None, ..lasting.marks }, ..lasting.clone() }
    }

    // covers: C16-8
    #[test]
    fn a_process_is_found_again_by_the_best_mark_that_there_is() {
        let (_own, pidfd, lasting) = Own::new();
        let read = Lasting::parse(lasting.to_string().as_bytes()).unwrap();
        assert_eq!(read, lasting);
        for (record, least) in [
            (lasting.clone(), if lasting.handle.is_some() { Certainty::Handle } else { Certainty::Inode }),
            (without_handle(&lasting), Certainty::Inode),
            (without_pidfs(&lasting), Certainty::StartTime),
        ] {
            let found = record.reopen().unwrap();
            assert_eq!(found.pid, lasting.pid());
            let has_inodes = pidfd::number(&pidfd).is_some();
            assert_eq!(found.certainty, if has_inodes { least } else { Certainty::StartTime });
            assert_eq!(pidfd::number(&found.pidfd), pidfd::number(&pidfd));
        }
    }

    // covers: C16-8, LAW-8
    #[test]
    fn another_process_of_its_number_is_nobody_that_was_asked_for() {
        let (_own, _, lasting) = Own::new();
        let (_other, _, other) = Own::new();
        // As if the other one had got the number: its marks are its own.
        let recycled = |record: Lasting| Lasting { marks: Marks { pid: other.pid(), ..record.marks }, ..record };
        assert_eq!(recycled(without_handle(&lasting)).reopen().unwrap_err(), Refusal::Gone);
        let begun_before = Marks { start: Some(1), ..without_pidfs(&lasting).marks };
        assert_eq!(recycled(Lasting { marks: begun_before, ..without_pidfs(&lasting) }).reopen().unwrap_err(), Refusal::Gone);
        let unmarked = Marks { start: None, inode: None, ..lasting.marks };
        assert_eq!(Lasting { marks: unmarked, ..without_handle(&lasting) }.reopen().unwrap_err(), Refusal::Unproven);
        if lasting.handle.is_some() {
            // The handle opens whom it names, whatever the number says.
            assert_eq!(recycled(lasting.clone()).reopen().unwrap().pid, lasting.pid());
            let forged = Lasting { handle: other.handle, ..lasting };
            assert_eq!(forged.reopen().unwrap_err(), Refusal::Unproven);
        }
    }

    // covers: C16-8
    #[test]
    fn another_boot_is_another_world_and_another_namespace_has_other_numbers() {
        let (_own, _, lasting) = Own::new();
        let boot = "01234567-89ab-cdef-0123-456789abcdef".to_owned();
        let place = Place { boot, ..lasting.place.clone() };
        let elsewhere = Place { namespace: lasting.place.namespace + 1, ..lasting.place.clone() };
        for record in [lasting.clone(), without_handle(&lasting), without_pidfs(&lasting)] {
            assert_eq!(Lasting { place: place.clone(), ..record.clone() }.reopen().unwrap_err(), Refusal::OtherBoot);
            let nowhere = Place { namespace: 0, ..lasting.place.clone() };
            let lost = Lasting { place: nowhere, ..record.clone() }.reopen();
            assert!(record.handle.is_some() || lost.unwrap_err() == Refusal::Unproven);
            let found = Lasting { place: elsewhere.clone(), ..record.clone() }.reopen();
            match record.handle {
                // Whom the kernel opens needs no number.
                Some(_) => assert_eq!(found.unwrap().pid, lasting.pid()),
                None => assert_eq!(found.unwrap_err(), Refusal::Elsewhere),
            }
        }
    }

    // covers: C16-8
    #[test]
    fn a_zombie_is_found_and_tells_its_end_and_once_it_is_reaped_nobody_is() {
        let (mut own, pidfd, lasting) = Own::new();
        assert_eq!(end(lasting.pid(), &pidfd), End::Running);
        own.0.kill().unwrap();
        assert!(poll::wait(&[pidfd.as_fd()], Deadline::after(20_000 * MILLI)).unwrap());
        for record in [lasting.clone(), without_handle(&lasting), without_pidfs(&lasting)] {
            let found = record.reopen().unwrap();
            let ended = end(found.pid, &found.pidfd);
            assert!(matches!(ended, End::Ended(ending) if ending.signal == libc::SIGKILL), "{ended:?}");
        }
        own.reap();
        for record in [lasting.clone(), without_handle(&lasting), without_pidfs(&lasting)] {
            assert_eq!(record.reopen().unwrap_err(), Refusal::Gone);
        }
        assert_eq!(Lasting::of(lasting.pid(), &pidfd).unwrap_err().status, Status::Exited);
        match end(lasting.pid(), &pidfd) {
            End::Ended(ending) => assert_eq!(ending.signal, libc::SIGKILL, "kept since Linux 6.15"),
            other => assert_eq!(other, End::Lost),
        }
    }

    #[test]
    fn a_line_says_what_was_put_into_it() {
        let lasting = Lasting::parse(LINE.as_bytes()).unwrap();
        assert_eq!(lasting.marks, Marks { pid: 17, inode: Some(255), start: Some(987_654) });
        assert_eq!((lasting.to_string().as_str(), lasting.place.namespace), (LINE, 4_026_531_836));
        let bare = LINE.replace("987654", "-").replace("255", "-").replace("fe:ff00000000000000", "-");
        let lasting = Lasting::parse(bare.as_bytes()).unwrap();
        assert_eq!((lasting.marks.start, lasting.marks.inode, lasting.handle), (None, None, None));
        assert_eq!(lasting.to_string(), bare);
    }

    // covers: LAW-17
    #[test]
    fn what_is_no_line_is_none() {
        for end in 0..LINE.len() {
            assert_eq!(Lasting::parse(&LINE.as_bytes()[..end]).unwrap_err().status, Status::Protocol, "cut at {end}");
        }
        for (from, to) in
            [("=17", "=0"), ("=17", "=-17"), ("=17", "=+17"), ("=17", "=2147483648"), ("process 1", "process 2"), ("start", "begin")]
        {
            assert!(Lasting::parse(LINE.replace(from, to).as_bytes()).is_err(), "{from} {to}");
        }
        for more in [" ", " x=1", "\n", "f"] {
            assert!(Lasting::parse(format!("{LINE}{more}").as_bytes()).is_err());
        }
        assert!(Lasting::parse(&[0xff; 100]).is_err());
    }

    proptest! {
        #[test]
        fn bytes_that_anybody_wrote_are_read_without_harm(at in 0..LINE.len(), bytes in proptest::collection::vec(any::<u8>(), 1..64)) {
            let mut line = LINE.as_bytes().to_vec();
            for (place, byte) in (at..line.len()).zip(bytes) {
                line[place] = byte;
            }
            if let Ok(lasting) = Lasting::parse(&line) {
                prop_assert!(lasting.pid() > 0);
                prop_assert_eq!(Lasting::parse(lasting.to_string().as_bytes()).unwrap(), lasting);
            }
        }
    }
}
