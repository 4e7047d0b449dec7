//! Many children at once: what a spawn costs while thousands live (P4), finding and reaping one exit among them (P5),
//! and ending a thousand (P6). procsup's children and those of the raw loops run the same program, which sleeps until
//! it is killed.

use crate::host::Host;
use crate::measure::{Effort, Method, Samples, interleave, time};
use crate::peers::PAUSE;
use crate::procsup::{Api, Child, Command, PS_EVENT_EXITED, Supervisor};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::ffi::{CString, c_char, c_int};
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

unsafe extern "C" {
    fn bench_floor_spawn(path: *const c_char, pid: *mut libc::pid_t, pidfd: *mut c_int) -> c_int;
    fn bench_waitpid_sweep(pids: *const libc::pid_t, n: usize, reaped: *mut usize) -> c_int;
    fn bench_kill_and_reap(pids: *const libc::pid_t, pidfds: *const c_int, n: usize) -> c_int;
}

pub const FEW: usize = 100;
pub const MANY: usize = 8_000;
pub const KILLED: usize = 1_000;

const PATIENCE_MS: i64 = 60_000;

fn errno(status: c_int) -> Result<(), String> {
    if status == 0 { Ok(()) } else { Err(std::io::Error::from_raw_os_error(-status).to_string()) }
}

/// Ours and the other's.
pub struct Pair {
    pub ours: Samples,
    pub other: Samples,
}

impl Pair {
    fn new() -> Self {
        Self { ours: Samples::default(), other: Samples::default() }
    }
}

/// P4: one procsup cycle with `MANY` live children of procsup (ours) and with none (other), turn by turn.
pub fn with_live_children(
    api: &Api,
    procsup: &mut Method,
    host: &Host,
    passes: usize,
    effort: Effort,
) -> Result<Pair, String> {
    let pause = api.command(PAUSE)?;
    let mut alone = [Samples::default()];
    let mut among = [Samples::default()];
    for _ in 0..passes {
        interleave(std::slice::from_mut(procsup), effort, &mut alone)?;
        let children = spawn(api, None, pause, host.descriptors(MANY))?;
        interleave(std::slice::from_mut(procsup), effort, &mut among)?;
        api.kill_and_reap_all(PATIENCE_MS)?;
        children.into_iter().for_each(|child| api.child_free(child));
    }
    let ([ours], [other]) = (among, alone);
    Ok(Pair { ours, other })
}

/// Other work of the host, which leaves the second-level cache without our data. Without it a loop over 100 children
/// runs in warm caches, as no server does between two exits, and 8 000 children lose by a factor of two to three for that
/// alone, in the plainest C loop too.
struct OtherWork(Vec<u64>);

impl OtherWork {
    fn new() -> Self {
        Self(vec![1; (4 << 20) / size_of::<u64>()])
    }

    fn run(&mut self) {
        self.0.iter_mut().step_by(8).for_each(|word| *word = word.wrapping_mul(3));
        std::hint::black_box(&self.0);
    }
}

/// P5: what `find_and_reap` gives, with the host at other work in between, and without.
pub struct Found {
    pub cold: Pair,
    pub warm: Pair,
}

/// P5: a child of one supervisor is killed, and once it is a zombie `ps_supervisor_next_event` is timed, which finds
/// and reaps it. Ours: among `MANY`; other: among `FEW`.
pub fn find_and_reap(api: &Api, host: &Host, rounds: usize) -> Result<Found, String> {
    let mut found = Found { cold: Pair::new(), warm: Pair::new() };
    let pause = api.command(PAUSE)?;
    let mut work = OtherWork::new();
    for n in [FEW, host.descriptors(MANY)] {
        let supervisor = api.supervisor()?;
        let mut children = spawn(api, Some(supervisor), pause, n)?;
        drain(api, supervisor)?;
        for round in 0..2 * rounds {
            let (pair, work) =
                if round % 2 == 0 { (&mut found.cold, Some(&mut work)) } else { (&mut found.warm, None) };
            let duration = find_one(api, supervisor, pause, &mut children, work)?;
            if n == FEW { pair.other.push(duration) } else { pair.ours.push(duration) }
        }
        api.supervisor_free(supervisor);
        children.into_iter().for_each(|child| api.child_free(child));
    }
    Ok(found)
}

fn find_one(
    api: &Api,
    supervisor: Supervisor,
    pause: Command,
    children: &mut [Child],
    work: Option<&mut OtherWork>,
) -> Result<Duration, String> {
    let victim = &mut children[fastrand::usize(..children.len())];
    // SAFETY: a duplicate that is ours.
    let pidfd = unsafe { OwnedFd::from_raw_fd(api.pidfd(*victim)?) };
    kill(Pid::from_raw(api.pid(*victim)?), Signal::SIGKILL).map_err(|errno| format!("kill: {errno}"))?;
    wait_for_zombie(libc::P_PIDFD, std::os::fd::AsRawFd::as_raw_fd(&pidfd) as libc::id_t)?;
    if let Some(work) = work {
        work.run();
    }
    let (event, duration) = time(|| api.next_event(supervisor, 0));
    match event? {
        Some(event) if event.kind == PS_EVENT_EXITED && event.child == *victim => {}
        Some(event) => return Err(format!("event {} instead of the exit", event.kind)),
        None => return Err("a zombie, but no event".into()),
    }
    api.child_free(*victim);
    *victim = api.spawn(Some(supervisor), pause)?;
    drain(api, supervisor)?;
    Ok(duration)
}

/// P5-sweep: the same by asking waitpid about every child, after other work too.
pub fn waitpid_sweep(host: &Host, rounds: usize) -> Result<Samples, String> {
    let mut samples = Samples::default();
    let mut raw = Raw::default();
    raw.spawn(host.descriptors(MANY))?;
    let mut work = OtherWork::new();
    for _ in 0..rounds {
        let victim = raw.pids[fastrand::usize(..raw.pids.len())];
        kill(Pid::from_raw(victim), Signal::SIGKILL).map_err(|errno| format!("kill: {errno}"))?;
        wait_for_zombie(libc::P_PID, victim as libc::id_t)?;
        work.run();
        let mut reaped = 0;
        // SAFETY: the array has that many elements.
        let (status, duration) =
            time(|| unsafe { bench_waitpid_sweep(raw.pids.as_ptr(), raw.pids.len(), &mut reaped) });
        errno(status)?;
        samples.push(duration);
        raw.pids.swap_remove(reaped);
        // SAFETY: ours, and no longer in the list.
        drop(unsafe { OwnedFd::from_raw_fd(raw.pidfds.swap_remove(reaped)) });
        raw.spawn(1)?;
    }
    raw.kill_and_reap().map(|_| samples)
}

/// P6: `KILLED` children are killed and reaped, by procsup (ours) and by the raw loop (other), in changing order.
pub fn kill_and_reap(api: &Api, rounds: usize) -> Result<Pair, String> {
    let mut pair = Pair::new();
    let pause = api.command(PAUSE)?;
    for round in 0..=rounds {
        let mut turns = [true, false];
        fastrand::shuffle(&mut turns);
        for ours in turns {
            let duration = if ours {
                let children = spawn(api, None, pause, KILLED)?;
                let (result, duration) = time(|| api.kill_and_reap_all(PATIENCE_MS));
                result?;
                children.into_iter().for_each(|child| api.child_free(child));
                duration
            } else {
                let mut raw = Raw::default();
                raw.spawn(KILLED)?;
                raw.kill_and_reap()?
            };
            if round > 0 {
                if ours { pair.ours.push(duration) } else { pair.other.push(duration) }
            }
        }
    }
    Ok(pair)
}

fn spawn(api: &Api, supervisor: Option<Supervisor>, command: Command, n: usize) -> Result<Vec<Child>, String> {
    (0..n).map(|_| api.spawn(supervisor, command)).collect()
}

/// Takes the STARTED events out of the way.
fn drain(api: &Api, supervisor: Supervisor) -> Result<(), String> {
    while api.next_event(supervisor, 0)?.is_some() {}
    Ok(())
}

fn wait_for_zombie(kind: libc::idtype_t, id: libc::id_t) -> Result<(), String> {
    // SAFETY: a plain structure that the kernel fills.
    unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        if libc::waitid(kind, id, &mut info, libc::WEXITED | libc::WNOWAIT) == 0 {
            Ok(())
        } else {
            Err(std::io::Error::last_os_error().to_string())
        }
    }
}

/// Children without a library, made by the floor method.
#[derive(Default)]
struct Raw {
    pids: Vec<libc::pid_t>,
    pidfds: Vec<RawFd>,
}

impl Raw {
    fn spawn(&mut self, n: usize) -> Result<(), String> {
        let path = CString::new(PAUSE).unwrap();
        for _ in 0..n {
            let (mut pid, mut pidfd) = (0, -1);
            // SAFETY: valid pointers for the duration of the call.
            errno(unsafe { bench_floor_spawn(path.as_ptr(), &mut pid, &mut pidfd) })?;
            self.pids.push(pid);
            self.pidfds.push(pidfd);
        }
        Ok(())
    }

    fn kill_and_reap(&mut self) -> Result<Duration, String> {
        // SAFETY: both arrays have that many elements.
        let (status, duration) =
            time(|| unsafe { bench_kill_and_reap(self.pids.as_ptr(), self.pidfds.as_ptr(), self.pids.len()) });
        self.pids.clear();
        self.pidfds.clear();
        errno(status).map(|()| duration)
    }
}

impl Drop for Raw {
    /// Only after an error: nobody else would end them.
    fn drop(&mut self) {
        if !self.pids.is_empty() {
            let _ = self.kill_and_reap();
        }
    }
}
