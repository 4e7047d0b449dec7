//! Lines of /proc, read as a signal handler may: nothing is allocated, and errno is left alone. proc(5), pidfd_open(2).

use super::raw::{check, syscall};

/// A number, whole.
pub fn number(digits: &[u8]) -> Option<i32> {
    core::str::from_utf8(digits).ok()?.parse().ok()
}

/// Which number this /proc says that a pidfd has. `None`: it was reaped, or /proc is not there.
pub fn number_of(pidfd: i32) -> Option<i32> {
    // Of its own descriptors: a thread may have a table of its own.
    let mut buffer = [0; STAT];
    let info = read(&Name::of(b"/proc/thread-self/fdinfo/", pidfd, b""), &mut buffer)?;
    let pid = info.split(|byte| *byte == b'\n').find_map(|line| number(line.strip_prefix(b"Pid:\t")?));
    pid.filter(|pid| *pid > 0)
}

/// A line of 52 numbers, most of which are 0 in a zombie, and a name.
pub const STAT: usize = 1024;

/// The name of a file with a number in it.
pub struct Name([u8; 48]);

impl Name {
    /// `number` is not negative; the parts have room.
    pub fn of(before: &[u8], number: i32, after: &[u8]) -> Self {
        let mut name = Self([0; 48]);
        let mut digits = [b'0'; 10];
        let (mut rest, mut first) = (number.unsigned_abs(), digits.len());
        loop {
            first -= 1;
            digits[first] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        let bytes = before.iter().chain(&digits[first..]).chain(after);
        // The last byte stays the NUL.
        name.0[..47].iter_mut().zip(bytes).for_each(|(place, byte)| *place = *byte);
        name
    }

    /// For a system call.
    pub fn as_ptr(&self) -> *const u8 {
        self.0.as_ptr()
    }
}

/// As much of a file of /proc as there is room for: these come in one piece.
pub fn read<'a>(name: &Name, buffer: &'a mut [u8]) -> Option<&'a [u8]> {
    // SAFETY: a terminated name of our own; the descriptor is closed again, and the kernel writes into the buffer no more than its length.
    unsafe {
        let fd = check(syscall!(libc::SYS_openat, libc::AT_FDCWD, name.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC, 0)).ok()?;
        let length = check(syscall!(libc::SYS_read, fd, buffer.as_mut_ptr(), buffer.len()));
        syscall!(libc::SYS_close, fd);
        buffer.get(..length.ok()?)
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;

    use super::*;

    #[test]
    fn names_are_written_without_memory() {
        let text = |name: Name| CStr::from_bytes_until_nul(&name.0).unwrap().to_owned();
        assert_eq!(text(Name::of(b"/proc/", 4_194_304, b"/stat")).as_c_str(), c"/proc/4194304/stat");
        assert_eq!(text(Name::of(b"/proc/thread-self/fdinfo/", 0, b"")).as_c_str(), c"/proc/thread-self/fdinfo/0");
        assert_eq!(text(Name::of(b"/proc/thread-self/fdinfo/", i32::MAX, b"")).as_c_str(), c"/proc/thread-self/fdinfo/2147483647");
    }
}
