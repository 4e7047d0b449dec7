//! P7: how many system calls one steady spawn + reap makes, counted by strace in a process of its own. The child's
//! count ends with its execve, since what follows belongs to the program, and leaves out rt_sigaction: resetting
//! ignored signals is counted by itself.

use super::cycle::{BEGIN, END};
use std::path::Path;
use std::process::{Command, Stdio};

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Count {
    pub parent: Vec<String>,
    pub child: Vec<String>,
    /// rt_sigaction calls of the child, which are not in `child`.
    pub resets: usize,
}

/// Warm cycles first: tables, stacks and verdicts about the kernel are made once.
const CYCLES: &str = "10";

pub fn count(lib: &Path) -> Result<Count, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let trace = std::env::temp_dir().join(format!("procsup-bench-{}.strace", std::process::id()));
    let status = Command::new("strace")
        .args(["-f", "-qq", "-e", "signal=none", "-o"])
        .arg(&trace)
        .arg(program)
        .args(["cycle", "procsup", "--count", CYCLES, "--markers", "--lib"])
        .arg(lib)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map_err(|error| format!("strace: {error}"))?;
    let text = std::fs::read(&trace);
    let _ = std::fs::remove_file(&trace);
    if !status.success() {
        return Err(format!("strace: {status}"));
    }
    let text = text.map_err(|error| format!("strace: {error}"))?;
    parse(&String::from_utf8_lossy(&text)).ok_or_else(|| "strace: no marked cycle in the trace".into())
}

/// Lines of `strace -f -o`: "PID name(arguments) = result", or the two halves of an interrupted call, of which the
/// first counts.
fn parse(trace: &str) -> Option<Count> {
    let lines = trace.lines().filter_map(|line| line.split_once(char::is_whitespace));
    let mut lines = lines.map(|(pid, call)| (pid, call.trim_start())).skip_while(|(_, call)| !call.contains(BEGIN));
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
            7 getpid() = 7\n\
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
