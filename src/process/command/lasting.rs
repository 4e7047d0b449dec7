//! What must hold of every part of a command at once: what ties a child to its host, and which descriptors were lent.
//!
//! The trap is a field that comes later. A successor that a handoff starts must outlive its maker, so whatever would stop it, cut it off or
//! clean up after it is refused; and a descriptor that is lent by number must be duplicated before a spawn is put off. Both are
//! questions to *every* field. So each part answers in a function that takes itself apart without `..`: a new field does
//! not compile until somebody has decided, and a new part does not until it is asked here.

use std::sync::Arc;

use super::Command;
use super::inheritance::Mask;
use crate::coordination::service::variables::WATCHDOG_PID;
use crate::error::{Error, Result};
use crate::sys;
use crate::sys::spawn::Birth;

/// The first of these that is there.
pub(super) fn first<const N: usize>(ties: [(bool, &'static str); N]) -> Option<&'static str> {
    ties.into_iter().find(|(there, _)| *there).map(|(_, tie)| tie)
}

impl Command {
    /// Refuses a command whose child would be stopped, cut off or cleaned up by us.
    pub fn check_outlives_host(&self) -> Result<()> {
        // The program itself is strings, which tie nobody.
        let Self { program: _, streams, identity, lifetime, gifts, readiness, prepared: _ } = self;
        let tie = identity.tie().or(gifts.tie()).or(streams.tie()).or(lifetime.tie()).or(readiness.tie());
        let Some(tie) = tie else { return Ok(()) };
        let message = format!("successor: {tie} would tie the successor to this process, which is to end before it");
        Err(Error::invalid("successor", message))
    }

    /// The same where what its child says of itself is heard by whoever starts it, and by nobody when that one has ended: it has readiness and a
    /// watchdog.
    pub fn check_outlives_listener(&self) -> Result<()> {
        let Self { program: _, streams, identity, lifetime, gifts, readiness: _, prepared: _ } = self;
        let Some(tie) = identity.tie().or(gifts.tie()).or(streams.tie()).or(lifetime.tie()) else { return Ok(()) };
        let message = format!("command: {tie} would tie the daemon to this process, and it goes on when this one has ended");
        Err(Error::invalid("command", message))
    }

    /// Refuses a command whose child would be stopped, cut off or cleaned up by us, or started again without the lock: others need it when this
    /// process has ended. Its readiness is only heard by who starts it, and is over by then, as is its permit.
    pub fn check_starts_once(&self) -> Result<()> {
        let Self { program: _, streams, identity, lifetime, gifts, readiness: _, prepared: _ } = self;
        let tie = identity.tie().or(gifts.tie()).or(streams.tie()).or(lifetime.tie_of_a_start());
        let Some(tie) = tie else { return Ok(()) };
        let message = format!("command: {tie} would tie the daemon to this process, and others need it when this one has ended");
        Err(Error::invalid("command", message))
    }

    /// Refuses a command that gives its process what only the maker of a process can, or that is to make another when it ends: it describes one that a
    /// preloader makes. (Its program, arguments, environment and directory are the preloader's own affair, and are not looked at.)
    #[allow(dead_code)]
    pub fn check_adoption(&self) -> Result<()> {
        let Self { program: _, streams, identity, lifetime, gifts, readiness, prepared: _ } = self;
        let given = identity.of_a_maker().or(gifts.of_a_maker()).or(streams.of_a_maker()).or(lifetime.of_a_maker());
        let Some(option) = given.or(readiness.of_a_maker()) else { return Ok(()) };
        let message = format!("{option}: only who makes a process can give it that, and a preloader makes this one");
        Err(Error::invalid(option, message))
    }

    /// The same for one that a native preloader makes: it waits at its gate for its descriptors, so streams can be given to it.
    #[allow(dead_code)]
    pub fn check_birth(&self) -> Result<()> {
        let Self { program: _, streams, identity, lifetime, gifts, readiness, prepared: _ } = self;
        let given = identity.of_a_maker().or(gifts.of_a_maker()).or(streams.of_a_birth()).or(lifetime.of_a_maker());
        let Some(option) = given.or(readiness.of_a_maker()) else { return Ok(()) };
        let message = format!("{option}: only who makes a process can give it that, and a preloader makes this one");
        Err(Error::invalid(option, message))
    }

    /// What it starts is not taken for a descendant of ours: a subreaper would end it as an orphan.
    pub fn outlive_host(&mut self) {
        self.lifetime.outlives = true;
    }

    /// It takes this process's place, and whoever watches this one (`WATCHDOG_PID`) watches it. Nothing, where nobody does, or where the command says
    /// another word about that.
    pub fn succeed_watched(&mut self) {
        let named = self.program.env.get(WATCHDOG_PID.as_bytes()).ok().flatten();
        self.lifetime.succeeds_watched = named.is_some_and(|pid| pid.to_str().is_ok_and(|pid| pid == sys::getpid().to_string()));
    }

    /// Its child writes this down before its program begins, through descriptors that are passed to it.
    pub fn write_birth(&mut self, birth: Birth) {
        self.lifetime.birth = Some(Box::new(birth));
    }

    /// Whether its child writes down its birth, and gives up a lock with that: this process itself must make it.
    pub fn writes_birth(&self) -> bool {
        self.lifetime.birth.is_some()
    }

    /// The same for a later spawn, shared where nothing has to be held for that: thousands that wait in line have one description. Who changes the
    /// command meanwhile changes another one ([`Command::change`]).
    pub(crate) fn held(shared: &Arc<Self>) -> Result<Arc<Self>> {
        if shared.streams.is_pinned() && shared.identity.inheritance.mask != Mask::AtSpawn {
            return Ok(shared.clone());
        }
        shared.pinned().map(Arc::new)
    }

    /// The same command for a later spawn: lent descriptors are duplicated now, since their numbers may be others' by then.
    pub(crate) fn pinned(&self) -> Result<Self> {
        self.check_size()?;
        let mut pinned = self.clone();
        // Only streams lend descriptors, and only a mask is a thread's; what the other parts hold is theirs.
        let Self { program: _, streams, identity, lifetime: _, gifts: _, readiness: _, prepared: _ } = &mut pinned;
        streams.pin()?;
        identity.inheritance.mask.pin();
        Ok(pinned)
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd;

    use super::*;
    use crate::coordination::budget::Budget;
    use crate::coordination::readiness::Kind;
    use crate::process::command::{RestartWhen, Stdio};

    /// Sets one tie; and the word by which it is refused.
    type Tie = (&'static str, fn(&mut Command));

    const TIES: [Tie; 15] = [
        ("die_with_host", |command| _ = command.die_with_host(true)),
        ("cgroup", |command| _ = command.cgroup("/sys/fs/cgroup/x").unwrap()),
        ("sandbox_dir", |command| _ = command.sandbox_dir("/tmp/x").unwrap()),
        ("captured output", |command| _ = command.capture(1).unwrap()),
        ("captured output", |command| _ = command.output_lines(true)),
        ("output_file", |command| _ = command.output_file("/tmp/x", false).unwrap()),
        ("a deadline", |command| _ = command.deadline(1).unwrap()),
        ("a restart policy", |command| _ = command.restart(RestartWhen::Always, 1, 1).unwrap()),
        ("watch_stops", |command| _ = command.watch_stops(100).unwrap()),
        ("a spawn budget", |command| _ = command.budget(std::sync::Arc::new(Budget::new(0, 0).unwrap()), "x").unwrap()),
        ("a pipe", |command| _ = command.stdio(0, Stdio::Pipe).unwrap()),
        ("a pseudo-terminal", |command| _ = command.stdio(1, Stdio::Pty).unwrap()),
        ("foreground", |command| _ = command.foreground(true)),
        ("a watchdog", |command| _ = command.watchdog(1).unwrap()),
        ("readiness", |command| _ = command.readiness(Kind::Fd, Some("3"), -1).unwrap()),
    ];

    #[test]
    fn whatever_ties_a_child_to_its_host_is_refused_by_name() {
        let plain = Command::new("x").unwrap();
        plain.check_outlives_host().unwrap();
        for (tie, set) in TIES {
            let mut command = plain.clone();
            set(&mut command);
            let error = command.check_outlives_host().unwrap_err();
            assert!(error.message.contains(tie), "{tie}: {error}");
        }
    }

    #[test]
    fn what_lasts_is_not_refused() {
        let mut command = Command::new("x").unwrap();
        command.arg("y").unwrap().stdio(0, Stdio::Null).unwrap().umask(0o22).unwrap().pass_fd(0, 9).unwrap();
        command.readiness(Kind::Exec, None, -1).unwrap().user_data(7).sweep_survivors(false).unwrap().stop_step(15, 10).unwrap();
        command.check_outlives_host().unwrap();
    }

    #[test]
    fn a_pinned_command_holds_every_descriptor_that_was_lent() {
        let (read, write) = crate::sys::fds::pipe().unwrap();
        let lent = [read.as_raw_fd(), write.as_raw_fd()];
        let mut command = Command::new("x").unwrap();
        command.stdio(0, Stdio::Fd(lent[0])).unwrap().pass_fd(lent[1], 7).unwrap().listen_fd(lent[0], None).unwrap();
        let pinned = command.pinned().unwrap();
        let mut copies: Vec<i32> = pinned.streams.lent().collect();
        assert_eq!(copies.len(), 3);
        assert!(copies.iter().all(|fd| !lent.contains(fd)));
        copies.sort_unstable();
        copies.dedup();
        assert_eq!(copies.len(), 3, "each is a descriptor of its own");
    }

    #[test]
    fn those_in_line_share_a_command_until_it_is_changed_and_hold_what_it_lends() {
        let mut command = Arc::new(Command::new("x").unwrap());
        let held = Command::held(&command).unwrap();
        assert!(Arc::ptr_eq(&held, &command) && Arc::ptr_eq(&Command::held(&held).unwrap(), &command));
        Command::change(&mut command).arg("y").unwrap();
        assert_eq!((held.args().len(), command.args().len()), (0, 1));
        let before = Arc::as_ptr(&command);
        Command::change(&mut command).arg("z").unwrap();
        assert_eq!(Arc::as_ptr(&command), before, "nobody has a share of it");

        let (read, _write) = crate::sys::fds::pipe().unwrap();
        Command::change(&mut command).stdio(0, Stdio::Fd(read.as_raw_fd())).unwrap();
        let held = Command::held(&command).unwrap();
        assert!(!Arc::ptr_eq(&held, &command) && held.streams.is_pinned());
        assert!(Arc::ptr_eq(&Command::held(&held).unwrap(), &held), "it holds what it lends");
    }
}
