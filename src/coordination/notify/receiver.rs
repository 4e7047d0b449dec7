//! The socket of one child: NOTIFY_SOCKET.
//!
//! Traps.
//! - **Its name is no secret**: it is abstract, and every process of the network namespace sees it and may send. What counts is the sender that the
//!   kernel names with each message. A number is believed while it cannot be another's: so all is heard before the child is reaped. Where
//!   somebody else has reaped it, what is heard after must come with its very pidfd (Linux 6.9; since 6.5, with that of none who can be told
//!   to live), or its number must be nobody's. A member of its group must be there still (a pidfd, Linux 6.5, says so; else
//!   its number is taken for it), and is none any more once the child is reaped: groups are known by its number.
//! - **A sender with CAP_SYS_ADMIN may name another process than itself** (systemd-notify(1) run by root names its parent): root is believed.
//! - **The kernel's queue holds ten messages** (net.unix.max_dgram_qlen; systemd makes it 512), then senders wait: it is emptied whenever somebody
//!   looks. A stranger can fill it, and make the child wait, but not the host: a look takes so many messages at the most. The last one takes more, for
//!   what was said last is what counts most.
//! - **An abstract name belongs to a network namespace**: a child that has left for another one does not reach it, nor one that Landlock has shut in
//!   (LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET).

use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::fmt::Write;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;

use nix::errno::Errno;

use super::Access;
use super::words::{self, Message};
use crate::sys::cgroup::Group;
use crate::sys::memory::Home;
use crate::sys::{Fault, datagram, pidfd, random};

/// The longest message that is heard; as in systemd (NOTIFY_BUFFER_MAX, PIPE_BUF). A longer one is none.
const LONGEST: usize = 4096;

/// Messages that one look takes, whoever sent them.
const LOOK: u32 = 64;

/// Looks at the end, when nobody can send any more: as many as the longest queue takes that somebody may have set.
const LAST_LOOKS: u32 = 1024;

/// The same where they can.
const LOOKS_IN_A_FLOOD: u32 = 64;

/// Descriptors that one look closes: that is system calls for each, and a message has 253 of them.
const DESCRIPTORS: usize = 1024;

/// How often another name is tried.
const TRIES: u32 = 8;

/// Who may speak here.
#[derive(Clone, Copy, Debug)]
pub struct Whom<'a> {
    /// The child.
    pub pid: i32,
    /// Of a contained one, whose number is its init's: those of its program here and inside (0: not known).
    pub inside: Option<(i32, i32)>,
    /// The same, for good.
    pub pidfd: Option<&'a OwnedFd>,
    /// It has been reaped: its number may be another's.
    pub reaped: bool,
    /// It leads a process group of its own.
    pub leads: bool,
    /// Its own control group.
    pub cgroup: Option<&'a Group>,
}

impl Whom<'_> {
    /// Whether a contained child's program knows itself by this number, which is its own inside.
    fn calls_itself(&self, pid: i32) -> bool {
        self.inside.is_some_and(|(_, own)| pid == own)
    }
}

/// A child's own socket.
#[derive(Debug)]
pub struct Receiver {
    socket: Arc<OwnedFd>,
    address: String,
    access: Access,
    /// Who hears of another main process looks itself whether that is true.
    tells_of_main: AtomicBool,
    /// Senders come with pidfds.
    pidfds: bool,
    refused: AtomicU32,
    /// A forked copy shares the queue.
    home: Home,
}

/// What a stranger has put into the queue is not to be let go of by the close (see `sys/datagram.rs`).
impl Drop for Receiver {
    fn drop(&mut self) {
        if self.home.is_here() {
            let mut buffer = [0; 1];
            _ = (0..self.last_looks() * LOOK).any(|_| datagram::receive(&self.socket, &mut buffer).is_err());
        }
    }
}

impl Receiver {
    /// Makes a socket with a name of its own.
    pub fn new(access: Access) -> Result<Self, Fault> {
        let mut tries = 0;
        loop {
            let mut address = String::from("@procsup-notify-");
            random::unique().iter().for_each(|byte| _ = write!(address, "{byte:02x}"));
            match datagram::bound(&address.as_bytes()[1..]) {
                Ok(socket) => {
                    let pidfds = access == Access::Group && datagram::pass_pidfds(&socket);
                    return Ok(Self {
                        socket: Arc::new(socket),
                        address,
                        access,
                        tells_of_main: AtomicBool::new(false),
                        pidfds,
                        refused: AtomicU32::new(0),
                        home: Home::here(),
                    });
                }
                Err(fault) if fault.errno == Errno::EADDRINUSE && tries < TRIES => tries += 1,
                Err(fault) => return Err(fault),
            }
        }
    }

    /// From now on MAINPID is told to who hears, who has to prove it.
    pub fn tell_of_main(&self) {
        self.tells_of_main.store(true, Ordering::Relaxed);
    }

    /// The value of NOTIFY_SOCKET.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Readable when something was said; by whom is not known then.
    pub fn fd(&self) -> &Arc<OwnedFd> {
        &self.socket
    }

    /// How many messages did not count: of strangers, too long, or with a lie in them.
    pub fn refused(&self) -> u32 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Hears what was said since the last look, in order, at most so many messages. Never waits. `false`: there was more. `Err`: there is something,
    /// and it cannot be had now (`ENOMEM`); whoever watches the descriptor sets it aside.
    pub fn hear(&self, whom: Whom<'_>, mut take: impl FnMut(Message)) -> Result<bool, Errno> {
        if whom.reaped && !self.pidfds {
            datagram::pass_pidfds(&self.socket);
        }
        let (mut buffer, mut descriptors) = ([0; LONGEST], 0);
        for _ in 0..LOOK {
            match datagram::receive(&self.socket, &mut buffer) {
                Ok(found) => {
                    descriptors += found.descriptors;
                    let message = self.judge(whom, &found, &buffer);
                    message.filter(|message| !message.is_empty()).into_iter().for_each(&mut take);
                    if descriptors > DESCRIPTORS {
                        return Ok(false);
                    }
                }
                Err(Errno::EAGAIN) => return Ok(true),
                Err(errno) => return Err(errno),
            }
        }
        Ok(false)
    }

    /// The last look at one that has ended: the whole queue, which nobody can add to any more.
    pub fn hear_out(&self, whom: Whom<'_>, mut take: impl FnMut(Message)) {
        _ = (0..self.last_looks()).any(|_| self.hear(whom, &mut take) != Ok(false));
    }

    fn last_looks(&self) -> u32 {
        if datagram::shut(&self.socket) { LAST_LOOKS } else { LOOKS_IN_A_FLOOD }
    }

    fn judge(&self, whom: Whom<'_>, found: &datagram::Datagram, buffer: &[u8]) -> Option<Message> {
        let heard = !found.cut && self.may_speak(whom, found);
        let mut message = heard.then(|| words::parse(&buffer[..found.length]));
        // Nobody can be reaped here but our own child, and a number proves nothing tomorrow: another main process is none, unless who hears of
        // it has a way to prove it.
        let lies = message.as_ref().is_some_and(|message| message.main_pid.is_some_and(|pid| pid != whom.pid && !whom.calls_itself(pid)));
        if let Some(message) = message.as_mut().filter(|_| !lies || !self.tells_of_main.load(Ordering::Relaxed)) {
            message.main_pid = None;
        }
        if message.is_none() || lies {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
        message
    }

    fn may_speak(&self, whom: Whom<'_>, found: &datagram::Datagram) -> bool {
        let Some(sender) = found.sender else { return false };
        if let Some((program, _)) = whom.inside {
            return self.may_speak_inside(program, whom, sender, found);
        }
        if sender == whom.pid {
            return !whom.reaped || is_reaped_child(whom, found);
        }
        if self.access == Access::Main {
            return false;
        }
        let in_group = whom.leads && !whom.reaped && pidfd::group_of_number(sender) == Some(whom.pid);
        let is_member = || in_group || whom.cgroup.is_some_and(|group| group.has(sender));
        is_member() && self.lives(found)
    }

    /// Asked after what was asked about its number: that it lives now says that this was its own all the time.
    fn lives(&self, found: &datagram::Datagram) -> bool {
        !self.pidfds || found.pidfd.as_ref().is_some_and(|fd| pidfd::life(fd.as_raw_fd()) != pidfd::Life::Reaped)
    }

    /// The program of a contained child is its init's child, which keeps its number until init itself ends. Once that has been reaped, a sender with that
    /// number is the program only if it is dead.
    fn may_speak_inside(&self, program: i32, whom: Whom<'_>, sender: i32, found: &datagram::Datagram) -> bool {
        if sender == program && program != 0 {
            return !whom.reaped || found.pidfd.as_ref().is_some_and(|fd| pidfd::life(fd.as_raw_fd()) == pidfd::Life::Reaped);
        }
        let in_group = || program != 0 && !whom.reaped && pidfd::group_of_number(sender) == Some(program);
        self.access != Access::Main && (in_group() || whom.cgroup.is_some_and(|group| group.has(sender))) && self.lives(found)
    }
}

/// Whether one with the number of the child, which has been reaped, was the child.
fn is_reaped_child(whom: Whom<'_>, found: &datagram::Datagram) -> bool {
    let Some(sender) = &found.pidfd else { return pidfd::group_of_number(whom.pid).is_none() };
    match (pidfd::number(sender), whom.pidfd.and_then(pidfd::number)) {
        (Some(sender), Some(child)) => sender == child,
        _ => pidfd::life(sender.as_raw_fd()) == pidfd::Life::Reaped,
    }
}
