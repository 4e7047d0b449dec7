//! Descriptors that a starter has opened for us: they wait at 3 and above, and the environment says how many and how they are called.
//!
//! The trap: the environment stays, and the numbers do not. A program that has closed one of them and opened something else there still reads
//! that it was given. So what is asked by name touches only what it finds, and whoever wants all takes them once, at its start.
//! How many there are is a stranger's word, too: it ends at the first number that is not open, before anything is changed.
//!
//! Source: sd_listen_fds(3) of systemd 252 to 259 (sd_listen_fds_with_names). Where we differ: `variables.rs` on numbers; nothing is unset.

use core::ops::Range;
use std::ffi::CString;

use nix::errno::Errno;

use super::variables::{self, FIRST, LISTEN_FDNAMES, LISTEN_FDS, LISTEN_PID, LISTEN_PIDFDID, UNNAMED};
use crate::error::{Error, Result, Status};
use crate::sys::{self, fds, pidfd};

/// No more are looked at one after the other.
const MOST: usize = 1024;

/// What stands in the environment.
#[derive(Clone, Copy, Debug, Default)]
struct Said<'a> {
    pid: Option<&'a [u8]>,
    pidfd: Option<&'a [u8]>,
    count: Option<&'a [u8]>,
}

/// How many descriptors this process was given. `own_pidfd` is asked only if it matters; none: the kernel has no such number.
fn count_of(said: Said<'_>, own: i32, own_pidfd: impl FnOnce() -> Option<u64>) -> Result<i32> {
    let (Some(pid), Some(count)) = (said.pid, said.count) else { return Ok(0) };
    if !variables::is_pid(LISTEN_PID, pid, own)? {
        return Ok(0);
    }
    if let Some(said) = said.pidfd {
        let said = variables::number(LISTEN_PIDFDID, said, 1)?;
        // Pid numbers come round; these do not.
        if own_pidfd().is_some_and(|own| own != said) {
            return Ok(0);
        }
    }
    let number = variables::number(LISTEN_FDS, count, 1)?;
    let fits = i32::try_from(number).ok().filter(|count| *count <= i32::MAX - FIRST);
    fits.ok_or_else(|| variables::malformed(LISTEN_FDS, count, "no process has so many descriptors"))
}

/// Their names, one for each, if they have any.
#[derive(Clone, Copy, Debug)]
struct Names<'a>(Option<&'a [u8]>);

impl<'a> Names<'a> {
    fn of(said: Option<&'a [u8]>, count: i32) -> Result<Self> {
        if let Some(names) = said {
            let there = names.split(|byte| *byte == b':').count();
            if there != count as usize {
                return Err(variables::malformed(LISTEN_FDNAMES, names, &format!("{there} names for {count} descriptors")));
            }
        }
        Ok(Self(said))
    }

    /// The name of the descriptor at this place.
    fn at(self, index: usize) -> &'a [u8] {
        self.0.and_then(|names| names.split(|byte| *byte == b':').nth(index)).unwrap_or(UNNAMED)
    }

    /// The first place with this name.
    fn find(self, name: &[u8]) -> Option<usize> {
        match self.0 {
            Some(names) => names.split(|byte| *byte == b':').position(|at| at == name),
            None => (name == UNNAMED).then_some(0),
        }
    }
}

/// Those that this process was given, by number.
struct Given {
    numbers: Range<i32>,
    names: Option<CString>,
}

fn given(with_names: bool) -> Result<Given> {
    let [pid, pidfd, count] = [LISTEN_PID, LISTEN_PIDFDID, LISTEN_FDS].map(variables::value);
    let (pid, pidfd, count) = (pid?, pidfd?, count?);
    let said = Said {
        pid: pid.as_deref().map(core::ffi::CStr::to_bytes),
        pidfd: pidfd.as_deref().map(core::ffi::CStr::to_bytes),
        count: count.as_deref().map(core::ffi::CStr::to_bytes),
    };
    let count = count_of(said, sys::getpid(), pidfd::own_number)?;
    let names = if with_names && count > 0 { variables::value(LISTEN_FDNAMES)? } else { None };
    Ok(Given { numbers: FIRST..FIRST + count, names })
}

impl Given {
    fn names(&self) -> Result<Names<'_>> {
        Names::of(self.names.as_deref().map(core::ffi::CStr::to_bytes), self.numbers.end - FIRST)
    }

    /// It must be what it is said to be.
    fn check(&self, number: i32) -> Result<()> {
        if fds::is_open(number) {
            return Ok(());
        }
        let (count, last) = (self.numbers.end - FIRST, self.numbers.end - 1);
        let message = format!("{LISTEN_FDS} is {count}: descriptors {FIRST} to {last}, but {number} is not open");
        Err(Error::new(Status::Protocol, LISTEN_FDS, message).with_errno(Errno::EBADF))
    }
}

fn keep_from_children(number: i32) -> Result<()> {
    fds::set_close_on_exec(number).map_err(|errno| Error::system("fcntl", errno, format!("cannot keep descriptor {number} from children")))
}

/// How many there are, from [`FIRST`] upwards; they are close-on-exec from now on.
pub fn count() -> Result<i32> {
    let given = given(false)?;
    given.numbers.clone().try_for_each(|number| given.check(number))?;
    given.numbers.clone().try_for_each(keep_from_children)?;
    Ok(given.numbers.end - FIRST)
}

/// The first one with this name; it alone is close-on-exec from now on.
pub fn named(name: &[u8]) -> Result<i32> {
    let given = given(true)?;
    let shown = String::from_utf8_lossy(name);
    if given.numbers.is_empty() {
        return Err(Error::new(Status::NotFound, LISTEN_FDS, format!("no descriptor \"{shown}\": none was given to this process")));
    }
    let Some(index) = given.names()?.find(name) else {
        let names = given
            .names
            .as_deref()
            .map_or("they have no names".into(), |names| format!("{LISTEN_FDNAMES} is \"{}\"", names.to_string_lossy()));
        return Err(Error::new(Status::NotFound, LISTEN_FDNAMES, format!("no descriptor \"{shown}\": {names}")));
    };
    let number = FIRST + index as i32;
    given.check(number)?;
    keep_from_children(number)?;
    Ok(number)
}

/// All of them, by number and name, as far as they are still open; 1024 at most. They are left as they are.
pub fn open_ones() -> Result<Vec<(i32, Vec<u8>)>> {
    let given = given(true)?;
    if given.numbers.is_empty() {
        return Ok(Vec::new());
    }
    let names = given.names()?;
    let numbers = given.numbers.clone().take(MOST).enumerate().filter(|(_, number)| fds::is_open(*number));
    Ok(numbers.map(|(index, number)| (number, names.at(index).to_vec())).collect())
}

/// The name of one of them.
pub fn name_of(number: i32) -> Result<Vec<u8>> {
    let given = given(true)?;
    if !given.numbers.contains(&number) {
        let which = match given.numbers.end - 1 {
            last if last < FIRST => "none was given to this process".to_owned(),
            last => format!("{FIRST} to {last} were"),
        };
        return Err(Error::new(Status::NotFound, LISTEN_FDS, format!("descriptor {number} was not given by {LISTEN_FDS}: {which}")));
    }
    Ok(given.names()?.at((number - FIRST) as usize).to_vec())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn said<'a>(pid: &'a str, count: &'a str) -> Said<'a> {
        Said { pid: Some(pid.as_bytes()), pidfd: None, count: Some(count.as_bytes()) }
    }

    #[test]
    fn what_is_said_to_another_process_is_nothing_to_us() {
        let none = || None;
        assert_eq!(count_of(said("7", "2"), 7, none).unwrap(), 2);
        assert_eq!(count_of(said("8", "2"), 7, none).unwrap(), 0);
        assert_eq!(count_of(said("8", "nonsense"), 7, none).unwrap(), 0);
        assert_eq!(count_of(Said { pid: None, ..said("7", "2") }, 7, none).unwrap(), 0);
        assert_eq!(count_of(Said { count: None, ..said("7", "2") }, 7, none).unwrap(), 0);
    }

    #[test]
    fn a_recycled_pid_is_told_by_the_number_of_its_pidfd() {
        let with = |text: &'static str| Said { pidfd: Some(text.as_bytes()), ..said("7", "2") };
        assert_eq!(count_of(with("99"), 7, || Some(99)).unwrap(), 2);
        assert_eq!(count_of(with("98"), 7, || Some(99)).unwrap(), 0);
        assert_eq!(count_of(with("98"), 7, || None).unwrap(), 2);
        assert_eq!(count_of(with("x"), 7, || Some(99)).unwrap_err().step, LISTEN_PIDFDID);
    }

    #[test]
    fn a_count_that_no_process_has_is_malformed() {
        assert_eq!(count_of(said("7", "2147483644"), 7, || None).unwrap(), 2_147_483_644);
        for bad in ["0", "-1", "2147483645", "2147483648", "99999999999999999999", "", "2 "] {
            assert_eq!(count_of(said("7", bad), 7, || None).unwrap_err().step, LISTEN_FDS, "{bad}");
        }
        for bad in ["", "0", "-7", "x"] {
            assert_eq!(count_of(said(bad, "2"), 7, || None).unwrap_err().step, LISTEN_PID, "{bad}");
        }
    }

    #[test]
    fn names_are_one_for_each_or_none_at_all() {
        let names = Names::of(Some(b"http::http"), 3).unwrap();
        assert_eq!((names.at(0), names.at(1), names.at(2)), (&b"http"[..], &b""[..], &b"http"[..]));
        assert_eq!((names.find(b"http"), names.find(b""), names.find(b"admin")), (Some(0), Some(1), None));
        let unnamed = Names::of(None, 3).unwrap();
        assert_eq!((unnamed.at(2), unnamed.find(b"unknown"), unnamed.find(b"http")), (UNNAMED, Some(0), None));
        for (bad, count) in [("", 2), ("a", 2), ("a:b:c", 2), ("a:b:", 2)] {
            assert_eq!(Names::of(Some(bad.as_bytes()), count).unwrap_err().step, LISTEN_FDNAMES, "{bad}");
        }
    }

    proptest! {
        // Whatever a starter writes: a count that fits, or an error that names the variable.
        #[test]
        fn any_environment_is_read_or_refused(pid in "[0-9]{0,3}|.*", count in "[0-9]{0,12}|.*", pidfd in proptest::option::of("[0-9]{0,21}|.*")) {
            let said = Said { pid: Some(pid.as_bytes()), pidfd: pidfd.as_deref().map(str::as_bytes), count: Some(count.as_bytes()) };
            match count_of(said, 7, || Some(9)) {
                Ok(count) => prop_assert!((0..=i32::MAX - FIRST).contains(&count)),
                Err(error) => prop_assert!(error.status == Status::Protocol && error.step.starts_with("LISTEN_")),
            }
        }

        #[test]
        fn a_name_is_found_where_it_stands(names in proptest::collection::vec("[a-c]{0,2}", 1..6)) {
            let joined = names.join(":");
            let read = Names::of(Some(joined.as_bytes()), names.len() as i32).unwrap();
            for (index, name) in names.iter().enumerate() {
                prop_assert_eq!(read.at(index), name.as_bytes());
                prop_assert_eq!(read.find(name.as_bytes()), names.iter().position(|other| other == name));
            }
        }
    }
}
