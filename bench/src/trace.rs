//! System calls, counted by strace in a process of its own: those of a steady spawn + reap (P7) and of a steady exit (P14).
//! What is counted lies between two writes that fail, and whose text no library sends. A child's count ends with its execve,
//! since what follows belongs to the program, and leaves out rt_sigaction: resetting ignored signals is counted by itself.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

pub const BEGIN: &str = "procsup-bench-begin";
pub const END: &str = "procsup-bench-end";

pub fn mark(text: &str) {
    // SAFETY: fails with EBADF, which is its purpose.
    unsafe { libc::write(-1, text.as_ptr().cast(), text.len()) };
}

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Count {
    pub parent: Vec<String>,
    pub child: Vec<String>,
    /// rt_sigaction calls of the child, which are not in `child`.
    pub resets: usize,
}

/// This program again, with these words, and the library's name behind them; `orders` on its stream 0. The last marked part of it counts:
/// tables, stacks and verdicts about the kernel are made once.
pub fn count(words: &[&str], orders: &str, lib: &Path) -> Result<Count, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let trace = std::env::temp_dir().join(format!("procsup-bench-{}.strace", std::process::id()));
    let failed = |error: std::io::Error| format!("strace: {error}");
    let mut strace = Command::new("strace")
        .args(["-f", "-qq", "-e", "signal=none", "-o"])
        .arg(&trace)
        .arg(program)
        .args(words)
        .args(["--markers", "--lib"])
        .arg(lib)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(failed)?;
    let given = strace.stdin.take().expect("piped").write_all(orders.as_bytes());
    let status = strace.wait().map_err(failed)?;
    let text = std::fs::read(&trace);
    let _ = std::fs::remove_file(&trace);
    if !status.success() {
        return Err(format!("strace: {status}"));
    }
    let text = given.and(text).map_err(failed)?;
    parse(&String::from_utf8_lossy(&text)).ok_or_else(|| "strace: nothing marked in the trace".into())
}

/// Lines of `strace -f -o`: "PID name(arguments) = result", or the two halves of an interrupted call, of which the
/// first counts.
fn parse(trace: &str) -> Option<Count> {
    let begin = trace.rfind(BEGIN)?;
    let begin = trace[..begin].rfind('\n').map_or(0, |end| end + 1);
    let lines = trace[begin..].lines().filter_map(|line| line.split_once(char::is_whitespace));
    let mut lines = lines.map(|(pid, call)| (pid, call.trim_start()));
    let (parent, _) = lines.next()?;
    let mut count = Count::default();
    let mut in_child = true;
    for (pid, call) in lines {
        let Some((name, _)) =
            call.split_once('(').filter(|(name, _)| !name.is_empty() && !name.contains([' ', '<', '+', '-']))
        else {
            continue;
        };
        if pid == parent {
            if call.contains(END) {
                return Some(count);
            }
            count.parent.push(name.to_owned());
        } else if in_child {
            in_child = name != "execve";
            if name == "rt_sigaction" { count.resets += 1 } else { count.child.push(name.to_owned()) }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_counted_per_process_and_halves_once() {
        let trace = "\
            7 write(-1, \"procsup-bench-begin\", 19) = -1 EBADF (Bad file descriptor)\n\
            7 getpid() = 7\n\
            7 write(-1, \"procsup-bench-end\", 17) = -1 EBADF (Bad file descriptor)\n\
            7 write(-1, \"procsup-bench-begin\", 19) = -1 EBADF (Bad file descriptor)\n\
            7 clone3({flags=CLONE_VM} <unfinished ...>\n\
            8 close_range(3, 4294967295, CLOSE_RANGE_UNSHARE) = 0\n\
            8 rt_sigaction(SIGPIPE, {sa_handler=SIG_DFL}, NULL, 8) = 0\n\
            8 execve(\"/x\", [\"/x\"], 0x7 /* 3 vars */ <unfinished ...>\n\
            7 <... clone3 resumed>) = 8\n\
            8 <... execve resumed>) = 0\n\
            7 waitid(P_PIDFD, 5,  <unfinished ...>\n\
            8 exit(0) = ?\n\
            8 +++ exited with 0 +++\n\
            7 <... waitid resumed>{}, WEXITED, NULL) = 0\n\
            7 write(-1, \"procsup-bench-end\", 17) = -1 EBADF (Bad file descriptor)\n\
            7 close(5) = 0\n";
        let count = parse(trace).unwrap();
        assert_eq!(
            count,
            Count {
                parent: vec!["clone3".into(), "waitid".into()],
                child: vec!["close_range".into(), "execve".into()],
                resets: 1
            }
        );
    }

    #[test]
    fn a_trace_without_markers_is_no_count() {
        assert_eq!(parse("7 getpid() = 7\n"), None);
    }
}
