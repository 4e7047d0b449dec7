//! Children that another process has made: what a preloader's workers are to their host. Here a shell stands for the preloader: it forks a program
//! into its own group, and says its number.

#![deny(unsafe_code)]

mod common;
#[path = "common/refusing.rs"]
mod refusing;

use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;

use common::*;
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::signal::Signal;
use nix::sys::stat::Mode;
use procsup::adopt::{Adoption, adopt};
use procsup::clock::{self, Deadline};
use procsup::{Cause, Command, Exit, Isolation, Kind, Managed, SpawnTier, State, Status, Stdio};
use refusing::*;

/// Never reaps what it has made.
const CARELESS: &str = "exec sleep 1000";
/// Reaps it at once.
const CAREFUL: &str = "wait $worker; echo reaped; read line";
/// Kills it when it is told, and reaps it when it is told again.
const SLOW: &str = "read line; kill -KILL $worker; echo killed; read line; wait $worker; echo reaped; read line";

/// Goes on for ever.
const SLEEPER: &str = "echo up; exec sleep 1000";
/// Ends when it is asked to.
const OBEDIENT: &str = "trap 'exit 7' TERM; echo up; while :; do read line; done";

/// A process that has made another.
struct Parent {
    process: Arc<Managed>,
    input: OwnedFd,
    output: OwnedFd,
    /// What the other one reads.
    gate: OwnedFd,
    /// What it says.
    voice: OwnedFd,
    worker: i32,
}

impl Parent {
    /// Forks a shell with this script, which says that it is up, and then does what the other script says. Its worker's identity comes with it.
    fn of(worker: &str, then: &str) -> (Self, OwnedFd) {
        Self::isolated(Isolation::Group, worker, then)
    }

    fn isolated(isolation: Isolation, worker: &str, then: &str) -> (Self, OwnedFd) {
        let ((read, gate), (voice, write)) = (pipe(), pipe());
        let mut command = Command::new("sh").unwrap();
        // Each says what it says by a pipe of its own: nobody knows who is the faster one.
        let script = format!("sh -c \"$0\" <&4 >&5 4<&- 5>&- & worker=$!; exec 4<&- 5>&-; echo $worker; {then}");
        command.arg("-c").unwrap().arg(&script).unwrap().arg(worker).unwrap().isolate(isolation).unwrap();
        command.stdio(0, Stdio::Pipe).unwrap().stdio(1, Stdio::Pipe).unwrap().stdio(2, Stdio::Null).unwrap();
        command.pass_fd(read.as_raw_fd(), 4).unwrap().pass_fd(write.as_raw_fd(), 5).unwrap();
        let process = procsup::spawn(&command).unwrap();
        drop(write);
        let (input, output) = (process.take_stream(0).unwrap(), process.take_stream(1).unwrap());
        let worker = read_line(&output).parse().unwrap();
        assert_eq!(read_line(&voice), "up");
        (Self { process, input, output, gate, voice, worker }, open_pidfd(worker).unwrap())
    }

    fn tell(&self) {
        nix::unistd::write(&self.input, b"\n").unwrap();
    }

    fn hears(&self, line: &str) {
        assert_eq!(read_line(&self.output), line);
    }

    fn end(self) {
        self.process.terminate(0).unwrap();
    }
}

fn plain() -> Command {
    Command::new("worker").unwrap()
}

fn adoption(pid: i32, pidfd: OwnedFd, command: &Command) -> Adoption<'_> {
    Adoption { pid, pidfd, output: None, command, started_ns: clock::now() }
}

/// Waits for its end as for any child's: the type of it has no name out here.
macro_rules! end_of {
    ($child:expr) => {
        $child.wait(Deadline::of_millis(patience()), false, || None, || {}).unwrap().expect("it has not ended")
    };
}

/// Whether the kernel keeps the status of one that others have reaped.
fn is_kept() -> bool {
    let system = nix::sys::utsname::uname().unwrap();
    let mut numbers = system.release().to_str().unwrap().split(['.', '-']).map(|part| part.parse::<u32>().unwrap_or(0));
    (numbers.next(), numbers.next()) >= (Some(6), Some(15)) && !refuses(NO_PIDFD_INFO)
}

#[track_caller]
fn assert_end(exit: Exit, kind: Kind, code: i32, signal: i32) {
    assert_eq!((exit.kind, exit.code, exit.signal), (kind, code, signal), "{exit:?}");
}

// covers: P-b4, D-3, LAW-2, LAW-8
#[test]
fn a_signal_reaches_it_and_nobody_else_in_its_group() {
    let (parent, pidfd) = Parent::of(SLEEPER, "sleep 1000 & echo $!; exec sleep 1000");
    let bystander: i32 = read_line(&parent.output).parse().unwrap();
    let command = plain();
    let child = adopt(adoption(parent.worker, pidfd, &command)).unwrap();
    assert_eq!((child.pid(), child.spawn_tier(), child.state()), (parent.worker, SpawnTier::Preloader, State::Running));
    child.signal(0).unwrap();
    child.signal(libc::SIGKILL).unwrap();
    let exit = end_of!(child);
    assert_end(exit, Kind::Signaled, -1, libc::SIGKILL);
    assert_eq!((exit.cause, exit.user_us, exit.system_us, exit.max_rss_kib), (Cause::Owner, -1, -1, -1));
    assert_eq!(process_state(parent.worker), Some('Z'), "its parent's to reap, who does not");
    assert!(!is_dead(bystander) && parent.process.reap_nonblock().unwrap().is_none());
    assert_eq!((child.signal(0).unwrap_err().status, child.state()), (Status::Exited, State::Exited));
    parent.end();
}

// covers: P-b3, D-1, D-2
#[test]
fn a_zombie_tells_how_it_ended_in_every_world() {
    let worlds: [&[Rule]; 5] =
        [&[], &[NO_PIDFD_INFO], &[NO_WAITID_PIDFD], &[NO_PIDFD_OPEN], &[NO_PIDFD_INFO, NO_WAITID_PIDFD, NO_PIDFD_OPEN]];
    if !alone("a_zombie_tells_how_it_ended_in_every_world", &worlds) {
        return;
    }
    let ways = [("exit 0", Kind::Exited, 0, 0), ("exit 255", Kind::Exited, 255, 0), ("kill -USR1 $$", Kind::Signaled, -1, libc::SIGUSR1)];
    let parents = ways.map(|(script, ..)| Parent::of(&format!("echo up; read line; {script}"), CARELESS));
    enter_world();
    for ((parent, pidfd), (_, kind, code, signal)) in parents.into_iter().zip(ways) {
        let command = plain();
        let started_ns = clock::now();
        let child = adopt(Adoption { started_ns, ..adoption(parent.worker, pidfd, &command) }).unwrap();
        assert!(child.try_reap(true).unwrap().is_none());
        nix::unistd::write(&parent.gate, b"\n").unwrap();
        let exit = end_of!(child);
        assert_end(exit, kind, code, signal);
        assert_eq!((exit.cause, exit.started_ns), (Cause::Itself, started_ns));
        parent.end();
    }
}

// covers: P-b3, D-2
#[test]
fn of_one_that_its_parent_has_reaped_the_kernel_tells_or_its_exit_is_lost() {
    let worlds: [&[Rule]; 3] = [&[], &[NO_PIDFD_INFO], &[NO_WAITID_PIDFD]];
    if !alone("of_one_that_its_parent_has_reaped_the_kernel_tells_or_its_exit_is_lost", &worlds) {
        return;
    }
    let (parent, pidfd) = Parent::of(OBEDIENT, CAREFUL);
    enter_world();
    let command = plain();
    let child = adopt(adoption(parent.worker, pidfd, &command)).unwrap();
    kill(parent.worker, Signal::SIGTERM);
    parent.hears("reaped");
    let exit = end_of!(child);
    if is_kept() {
        assert_end(exit, Kind::Exited, 7, 0)
    } else {
        assert_end(exit, Kind::Lost, -1, 0)
    }
    assert_eq!(procsup::live_count(), 1, "its parent");
    parent.end();
}

// covers: PA-93, LAW-10
#[test]
fn its_plan_ends_it_as_any_childs() {
    let (parent, pidfd) = Parent::of(OBEDIENT, CARELESS);
    let command = plain();
    let child = adopt(adoption(parent.worker, pidfd, &command)).unwrap();
    child.stop(-1, Cause::Stop).unwrap();
    assert_eq!(child.state(), State::Stopping);
    let exit = end_of!(child);
    assert_end(exit, Kind::Exited, 7, 0);
    assert_eq!(exit.cause, Cause::Stop);
    parent.end();
}

// covers: PA-93, P-b10
#[test]
fn one_that_stands_and_is_deaf_is_killed_by_its_plan() {
    let (parent, pidfd) = Parent::of("trap '' TERM; echo up; exec sleep 1000", CARELESS);
    let mut command = plain();
    command.stop_step(libc::SIGTERM, 20).unwrap().stop_step(libc::SIGKILL, -1).unwrap();
    let child = adopt(adoption(parent.worker, pidfd, &command)).unwrap();
    kill(parent.worker, Signal::SIGSTOP);
    until("it stands", || process_state(parent.worker) == Some('T'));
    child.stop(-1, Cause::Stop).unwrap();
    assert_end(end_of!(child), Kind::Signaled, -1, libc::SIGKILL);
    parent.end();
}

// covers: PA-93
#[test]
fn its_deadline_ends_it() {
    let (parent, pidfd) = Parent::of(SLEEPER, CARELESS);
    let mut command = plain();
    command.deadline(10).unwrap();
    let child = adopt(adoption(parent.worker, pidfd, &command)).unwrap();
    let exit = end_of!(child);
    assert_end(exit, Kind::Signaled, -1, libc::SIGTERM);
    assert_eq!(exit.cause, Cause::Deadline);
    parent.end();
}

// covers: D-3, D-15, LAW-18
#[test]
fn where_a_filter_forbids_signals_by_pidfd_none_is_sent_and_none_is_blamed() {
    if !alone("where_a_filter_forbids_signals_by_pidfd_none_is_sent_and_none_is_blamed", &[&[NO_PIDFD_SIGNAL]]) {
        return;
    }
    let (parent, pidfd) = Parent::isolated(Isolation::None, OBEDIENT, CARELESS);
    enter_world();
    let command = plain();
    let child = adopt(adoption(parent.worker, pidfd, &command)).unwrap();
    for number in [0, libc::SIGTERM, libc::SIGKILL] {
        let error = child.signal(number).unwrap_err();
        assert_eq!((error.status, error.errno), (Status::Unsupported, Some(Errno::ENOSYS)), "{error}");
    }
    child.stop(60_000, Cause::Stop).unwrap();
    assert_eq!(child.refusal().unwrap().status, Status::Unsupported);
    assert_eq!(procsup::kill_and_reap_all(patience()), 1, "its parent is reaped, and it is left, and not waited for");
    assert!(!is_dead(parent.worker));
    kill(parent.worker, Signal::SIGKILL);
    assert_eq!(end_of!(child).cause, Cause::Itself);
}

// covers: P-b4, D-2, LAW-17
#[test]
fn who_is_not_who_it_should_be_is_refused_and_left_alone() {
    let (parent, pidfd) = Parent::of(SLEEPER, CARELESS);
    let command = plain();
    let refused = |pid: i32, pidfd: OwnedFd| adopt(adoption(pid, pidfd, &command)).unwrap_err().status;
    let open = |pid: i32| open_pidfd(pid).unwrap();
    let (own, maker) = (std::process::id() as i32, parent.process.pid());
    assert_eq!(refused(parent.worker + 1, open(parent.worker)), Status::PeerRejected, "another number");
    assert_eq!(refused(own, open(own)), Status::PeerRejected, "ourselves");
    assert_eq!(refused(1, open(1)), Status::PeerRejected, "the init");
    assert_eq!(refused(maker, open(maker)), Status::PeerRejected, "a child of ours");
    let child = adopt(adoption(parent.worker, pidfd, &command)).unwrap();
    assert_eq!(refused(parent.worker, open(parent.worker)), Status::PeerRejected, "twice");
    child.signal(0).unwrap();
    assert!(parent.process.reap_nonblock().unwrap().is_none());
    let dead = open(parent.worker);
    child.signal(libc::SIGKILL).unwrap();
    end_of!(child);
    assert_eq!(refused(parent.worker, dead), Status::Exited, "a zombie");
    assert_eq!(refused(parent.worker, std::fs::File::open("/dev/null").unwrap().into()), Status::Exited, "no pidfd at all");
    parent.end();
}

// covers: C14-3
#[test]
fn what_only_its_maker_could_give_it_is_refused_by_name() {
    let (parent, pidfd) = Parent::of(SLEEPER, CARELESS);
    let (lent, _write) = pipe();
    let fd = lent.as_raw_fd();
    type Set<'a> = &'a dyn Fn(&mut Command);
    let options: [(&str, Set<'_>); 18] = [
        ("die_with_host", &|command| _ = command.die_with_host(true)),
        ("credentials", &|command| _ = command.credentials(1, 1, &[]).unwrap()),
        ("umask", &|command| _ = command.umask(0).unwrap()),
        ("nice", &|command| _ = command.nice(1).unwrap()),
        ("rlimit", &|command| _ = command.rlimit(0, 1, 1).unwrap()),
        ("no_new_privs", &|command| _ = command.no_new_privs(true)),
        ("isolate", &|command| _ = command.isolate(Isolation::Session).unwrap()),
        ("cgroup", &|command| _ = command.cgroup("/sys/fs/cgroup/x").unwrap()),
        ("sandbox_dir", &|command| _ = command.sandbox_dir("/tmp/x").unwrap()),
        ("own_fd", &|command| _ = command.own_fd(pipe().0).unwrap()),
        ("stdio", &|command| _ = command.stdio(1, Stdio::Fd(fd)).unwrap()),
        ("pass_fd", &|command| _ = command.pass_fd(fd, 9).unwrap()),
        ("listen_fd", &|command| _ = command.listen_fd(fd, None).unwrap()),
        ("output_file", &|command| _ = command.output_file("/tmp/x", false).unwrap()),
        ("input", &|command| _ = command.input(b"x").unwrap()),
        ("restart", &|command| _ = command.restart(procsup::RestartWhen::Always, 1, 1).unwrap()),
        ("readiness", &|command| _ = command.readiness(procsup::coordination::readiness::Kind::Notify, None, -1).unwrap()),
        ("watchdog", &|command| _ = command.watchdog(1).unwrap()),
    ];
    for (option, set) in options {
        let mut command = plain();
        set(&mut command);
        let error = adopt(adoption(parent.worker, open_pidfd(parent.worker).unwrap(), &command)).unwrap_err();
        assert_eq!((error.status, error.step), (Status::InvalidArgument, option), "{error}");
    }
    let mut command = plain();
    command.stdio(0, Stdio::Pipe).unwrap().stdio(1, Stdio::Pipe).unwrap().stdio(2, Stdio::Merge).unwrap();
    command.isolate(Isolation::None).unwrap().sweep_survivors(false).unwrap().core_wait(0).unwrap().user_data(7);
    let child = adopt(adoption(parent.worker, pidfd, &command)).unwrap();
    child.signal(libc::SIGKILL).unwrap();
    end_of!(child);
    parent.end();
}

/// A FIFO, where it is, and its reader.
fn fifo() -> (tempfile::TempDir, String, OwnedFd) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("fifo");
    nix::unistd::mkfifo(&path, Mode::S_IRWXU).unwrap();
    let reader = nix::fcntl::open(&path, OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC, Mode::empty()).unwrap();
    (directory, path.display().to_string(), reader)
}

// covers: P-b3, P-b5, D-11
#[test]
fn what_it_says_is_kept_from_its_first_word_on_and_its_silence_is_no_end() {
    let (_directory, path, reader) = fifo();
    let worker = format!("echo up; read line; exec >{path} 2>&1; echo early; read line; echo late >&2; exec >&- 2>&-; read line; exit 3");
    let (parent, pidfd) = Parent::of(&worker, CARELESS);
    let mut command = plain();
    command.capture(100).unwrap();
    let child = adopt(Adoption { output: Some(reader), ..adoption(parent.worker, pidfd, &command) }).unwrap();
    let go_on = || nix::unistd::write(&parent.gate, b"\n").unwrap();
    let said = || child.with_output(None, true, |pieces, _| pieces.concat()).unwrap();
    assert_eq!(said(), b"", "nobody writes yet, which is not its end");
    go_on();
    until("its first word", || said() == b"early\n");
    go_on();
    until("its last", || said() == b"early\nlate\n" && child.pipes()[0].is_none());
    assert!(child.try_reap(true).unwrap().is_none(), "it only speaks no more");
    go_on();
    assert_end(end_of!(child), Kind::Exited, 3, 0);
    assert_eq!(said(), b"early\nlate\n");
    parent.end();
}

// covers: P-b3
#[test]
fn who_holds_its_output_does_not_hold_up_its_end() {
    let (_directory, path, reader) = fifo();
    let (parent, pidfd) = Parent::of(&format!("echo up; read line; exec >{path}; echo word; sleep 1000 & exit 4"), CARELESS);
    let mut command = plain();
    command.capture(100).unwrap();
    let child = adopt(Adoption { output: Some(reader), ..adoption(parent.worker, pidfd, &command) }).unwrap();
    nix::unistd::write(&parent.gate, b"\n").unwrap();
    assert_end(end_of!(child), Kind::Exited, 4, 0);
    assert_eq!(child.with_output(None, true, |pieces, _| pieces.concat()).unwrap(), b"word\n");
    parent.end();
}

// covers: P-b5
#[test]
fn what_nobody_wants_is_read_all_the_same_or_handed_out() {
    let (_directory, path, reader) = fifo();
    let worker = format!("echo up; read line; exec >{path}; dd if=/dev/zero bs=4096 count=64 2>/dev/null; exit 5");
    let (parent, pidfd) = Parent::of(&worker, CARELESS);
    let command = plain();
    let child = adopt(Adoption { output: Some(reader), ..adoption(parent.worker, pidfd, &command) }).unwrap();
    nix::unistd::write(&parent.gate, b"\n").unwrap();
    assert_end(end_of!(child), Kind::Exited, 5, 0);
    assert_eq!(child.with_output(None, true, |_, _| ()).unwrap_err().status, Status::State);
    parent.end();

    let (_directory, path, reader) = fifo();
    let (parent, pidfd) = Parent::of(&format!("echo up; read line; echo word >{path}; read line"), CARELESS);
    let mut command = plain();
    command.stdio(1, Stdio::Pipe).unwrap();
    let child = adopt(Adoption { output: Some(reader), ..adoption(parent.worker, pidfd, &command) }).unwrap();
    nix::unistd::write(&parent.gate, b"\n").unwrap();
    assert_eq!(read_line(&child.take_stream(1).unwrap()), "word");
    child.signal(libc::SIGKILL).unwrap();
    end_of!(child);
    parent.end();
}

// covers: LAW-7
#[test]
fn its_input_comes_when_it_is_given_and_goes_with_it() {
    let (parent, pidfd) = Parent::of(SLEEPER, CARELESS);
    let command = plain();
    let child = adopt(adoption(parent.worker, pidfd, &command)).unwrap();
    assert_eq!(child.take_stream(0).unwrap_err().status, Status::NotFound);
    let (read, write) = pipe();
    child.give_stream(0, write);
    drop(child.take_stream(0).unwrap());
    assert_eq!(read_to_end(read), b"");
    assert_eq!(child.take_stream(0).unwrap_err().status, Status::NotFound);
    let (read, write) = pipe();
    child.give_stream(0, write);
    child.signal(libc::SIGKILL).unwrap();
    end_of!(child);
    drop(child);
    assert_eq!(read_to_end(read), b"");
    parent.end();
}

// covers: LAW-2, P-b3
#[test]
fn one_that_has_become_ours_is_reaped_here_with_all_that_is_known_of_a_child() {
    let worlds: [&[Rule]; 3] = [&[], &[NO_WAITID_PIDFD], &[NO_WAITID_PIDFD, NO_PIDFD_INFO]];
    if !alone("one_that_has_become_ours_is_reaped_here_with_all_that_is_known_of_a_child", &worlds) {
        return;
    }
    become_subreaper();
    let (parent, pidfd) = Parent::isolated(Isolation::None, OBEDIENT, CARELESS);
    enter_world();
    let command = plain();
    let child = adopt(adoption(parent.worker, pidfd, &command)).unwrap();
    let worker = parent.worker;
    parent.end();
    until("it is ours", || children().contains(&worker));
    child.stop(-1, Cause::Stop).unwrap();
    let exit = end_of!(child);
    assert_end(exit, Kind::Exited, 7, 0);
    assert!(exit.user_us >= 0 && exit.system_us >= 0 && exit.max_rss_kib > 0, "{exit:?}");
    assert_eq!((process_state(worker), procsup::live_count()), (None, 0));
}

// covers: P-b3, D-2
#[test]
fn what_descends_from_it_is_wanted_as_long_as_it_lives() {
    if !alone("what_descends_from_it_is_wanted_as_long_as_it_lives", &[&[]]) {
        return;
    }
    let supervisor = procsup::Supervisor::new().unwrap();
    supervisor.set_subreaper(true).unwrap();
    let pump = || while supervisor.next_event(0).unwrap().is_some() {};
    let (parent, pidfd) = Parent::isolated(Isolation::None, "echo up; read line; (sleep 1000 & echo $!); read line", CARELESS);
    let command = plain();
    let child = adopt(adoption(parent.worker, pidfd, &command)).unwrap();
    nix::unistd::write(&parent.gate, b"\n").unwrap();
    let orphan: i32 = read_line(&parent.voice).parse().unwrap();
    parent.end();
    // Those that nobody wants any more: when the second has gone a look was taken, and has ended all that it found.
    for _ in 0..2 {
        let mut leaver = sh("setsid sh -c 'echo $$; exec sleep 1000' & read line");
        leaver.stdio(0, Stdio::Pipe).unwrap().stdio(1, Stdio::Pipe).unwrap();
        let leaver = procsup::spawn(&leaver).unwrap();
        let unwanted: i32 = read_line(&leaver.take_stream(1).unwrap()).parse().unwrap();
        drop(leaver.take_stream(0).unwrap());
        leaver.reap(patience()).unwrap();
        until("the unwanted one is killed and reaped", || {
            pump();
            process_state(unwanted).is_none()
        });
    }
    assert!(!is_dead(orphan));
    child.signal(libc::SIGKILL).unwrap();
    end_of!(child);
    until("who it has left is killed and reaped", || {
        pump();
        process_state(orphan).is_none()
    });
}

// covers: LAW-6
#[test]
fn in_a_forked_copy_of_the_host_it_is_nobodys() {
    let (parent, pidfd) = Parent::of(SLEEPER, CARELESS);
    let command = plain();
    let mut child = Some(adopt(adoption(parent.worker, pidfd, &command)).unwrap());
    in_forked_copy(|| {
        let copy = child.take().unwrap();
        assert_eq!(copy.signal(libc::SIGKILL).unwrap_err().status, Status::Forked);
        assert_eq!(copy.stop(0, Cause::Stop).unwrap_err().status, Status::Forked);
        assert_eq!((procsup::kill_and_reap_all(0), procsup::live_count()), (0, 0));
        drop(copy);
    });
    let child = child.unwrap();
    assert!(child.try_reap(true).unwrap().is_none());
    child.signal(libc::SIGKILL).unwrap();
    end_of!(child);
    parent.end();
}

// covers: P-b4, LAW-2
#[test]
fn kill_all_takes_it_alone() {
    if !alone("kill_all_takes_it_alone", &[&[], &[NO_PIDFD_INFO]]) {
        return;
    }
    // Its maker leads no group, so all three are in that of this test.
    let (parent, pidfd) = Parent::isolated(Isolation::None, SLEEPER, "sleep 1000 & echo $!; exec sleep 1000");
    let bystander: i32 = read_line(&parent.output).parse().unwrap();
    enter_world();
    let command = plain();
    let child = adopt(adoption(parent.worker, pidfd, &command)).unwrap();
    assert_eq!(procsup::live_count(), 2);
    assert!(procsup::signal_all(libc::SIGURG));
    assert_eq!(procsup::kill_and_reap_all(patience()), 0);
    assert!(is_dead(parent.worker) && !is_dead(bystander));
    kill(bystander, Signal::SIGKILL);
    // Whose it was died with it, and who has it now may have reaped it first.
    let exit = end_of!(child);
    assert!(exit.kind == Kind::Lost || (exit.kind, exit.signal) == (Kind::Signaled, libc::SIGKILL), "{exit:?}");
    assert_eq!((exit.cause, procsup::live_count()), (Cause::KillAll, 0));
}

// covers: P-b3, D-15
#[test]
fn of_another_users_the_kernel_tells_when_it_was_reaped_or_never() {
    if !is_root() {
        return;
    }
    if !alone("of_another_users_the_kernel_tells_when_it_was_reaped_or_never", &[&[], &[NO_PIDFD_INFO]]) {
        return;
    }
    let (parent, pidfd) = Parent::of(SLEEPER, SLOW);
    let (late, its) = Parent::of(SLEEPER, SLOW);
    become_nobody();
    enter_world();
    let command = plain();
    let adopted = adopt(adoption(parent.worker, pidfd, &command));
    let child = adopted.unwrap();
    let unreaped = adopt(adoption(late.worker, its, &command)).unwrap();
    assert_eq!(child.signal(0).unwrap_err().status, Status::Permission);
    child.stop(60_000, Cause::Stop).unwrap();
    assert_eq!(child.refusal().unwrap().status, Status::Permission);
    assert_eq!(procsup::kill_and_reap_all(patience()), 4, "none of them may be killed, and none is waited for");
    for parent in [&parent, &late] {
        parent.tell();
        parent.hears("killed");
        until("it is a zombie", || process_state(parent.worker) == Some('Z'));
    }
    if !refuses(NO_PIDFD_INFO) {
        assert!(child.try_reap(true).unwrap().is_none(), "its parent will have it told");
    }
    parent.tell();
    parent.hears("reaped");
    let exit = end_of!(child);
    if is_kept() {
        assert_end(exit, Kind::Signaled, -1, libc::SIGKILL)
    } else {
        assert_end(exit, Kind::Lost, -1, 0)
    }
    assert_eq!(exit.cause, Cause::Itself);
    // Whose parent never does is given up.
    assert_end(end_of!(unreaped), Kind::Lost, -1, 0);
    late.tell();
    late.hears("reaped");
    for parent in [parent, late] {
        parent.tell();
        parent.process.reap(patience()).unwrap();
    }
}
