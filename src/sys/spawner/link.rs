//! The host's end of a spawner: requests go out, replies come in; neither ever waits.
//!
//! The trap: a slot is written by another process. It is given to the next request only when nothing can be written there any more: after its last
//! reply, or when the spawner was reaped. A reply names the ticket that the request had, so that one of a request that was given up is nobody else's.

use core::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::{Arc, Mutex};

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, OFlag};
use nix::sys::stat::{Mode, fstatat};

use super::births::{Births, Fate, Gate, step_name};
use super::request::{self, Host, Message, Standing};
use super::wire::{self, Said};
use crate::lock::lock;
use crate::sys::raw::{check, syscall};
use crate::sys::spawn::{Failure, Request, failure};
use crate::sys::wait::{self, Seen};
use crate::sys::{Fault, fds, memfd, pidfd, socket};

/// A request that is under way: its place in the shared memory, and a number that no other request of this link has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Slot {
    /// Its place.
    pub index: usize,
    /// Never used again.
    pub ticket: u32,
}

/// The working directory of this thread. It may be one that is not ours to go to any more (a host that began as root), where "." is not found.
pub(super) fn here() -> Result<OwnedFd, Errno> {
    let open = |path| nix::fcntl::open(path, OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty());
    open(c".").or_else(|errno| open(c"/proc/thread-self/cwd").map_err(|_| errno)).and_then(fds::above_standard)
}

/// Why a request was not sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// Too much is under way: to be tried again after the next reply.
    Busy,
    /// The spawner has ended.
    Gone,
    /// This request cannot be sent.
    Failed(Failure),
}

/// What the spawner says.
#[derive(Debug)]
pub enum Reply {
    /// It runs.
    Hello,
    /// The child is born and waits at its gate, which was shut. (Said only of such, unless it was opened meanwhile.) Without a pidfd: it was reaped
    /// already, by somebody else, or there is no descriptor to be had.
    Born(Slot, i32, Option<OwnedFd>),
    /// Its program has begun. A pidfd comes with it unless `Born` has brought one.
    Began(Slot, i32, Option<OwnedFd>),
    /// There is no child, or one that has ended or is about to (its number is not 0): the host must reap it. `ECANCELED` of step "gate": it found
    /// its gate barred.
    Failed(Slot, i32, Option<OwnedFd>, Failure),
    /// The spawner has closed its end: nothing follows. (The end of its process is noticed no later: a child at a shut gate has that end open, too.)
    Gone,
}

/// Who has which slot.
struct Slots {
    /// Those that nobody has; the last one is taken first, its memory is still near.
    free: Vec<usize>,
    /// The ticket of each, and whether the pidfd of its child was handed out.
    tickets: [u32; wire::SLOTS],
    identified: [bool; wire::SLOTS],
    next: u32,
    /// Room for the next request.
    message: Message,
}

impl Slots {
    fn has(&self, slot: Slot) -> bool {
        slot.ticket != 0 && self.tickets.get(slot.index).is_some_and(|ticket| *ticket == slot.ticket)
    }
}

/// Which requests the spawner keeps.
#[derive(Default)]
struct Kept {
    /// By `Standing::id`; 0: none.
    places: [u64; wire::PLACES],
    /// The place that is taken next: the one that was taken first.
    next: usize,
}

/// The host's end.
pub struct Link {
    channel: OwnedFd,
    births: Arc<Births>,
    slots: Mutex<Slots>,
    kept: Mutex<Kept>,
    /// Where the spawner is: device and inode of its working directory.
    directory: (u64, u64),
    /// And its process group.
    group: i32,
}

impl core::fmt::Debug for Link {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Link").field("channel", &self.channel).finish_non_exhaustive()
    }
}

impl Link {
    pub(super) fn new(channel: OwnedFd, births: Births, directory: (u64, u64)) -> Self {
        let free = (0..wire::SLOTS).rev().collect();
        let slots = Slots { free, tickets: [0; wire::SLOTS], identified: [false; wire::SLOTS], next: 1, message: Message::default() };
        let group = nix::unistd::getpgrp().as_raw();
        Self { channel, births: Arc::new(births), slots: Mutex::new(slots), kept: Mutex::default(), directory, group }
    }

    /// Readable when there is something to receive.
    pub fn fd(&self) -> &OwnedFd {
        &self.channel
    }

    /// The spawner, and whoever it has made that has executed nothing, finds the end.
    pub fn shut(&self) {
        self.births.channel_is_shut();
        socket::shut(self.channel.as_raw_fd());
    }

    /// The memory that is shared with it.
    pub fn births(&self) -> &Arc<Births> {
        &self.births
    }

    /// Takes a slot: until [`Link::release`] it is this request's. `gate`: as the child finds it. So a place in the registry can point there
    /// before the request is sent. `None`: all are taken.
    pub fn reserve(&self, gate: Gate) -> Option<Slot> {
        let mut slots = lock(&self.slots);
        let index = slots.free.pop()?;
        let ticket = slots.next;
        slots.next = ticket.wrapping_add(1).max(1);
        slots.tickets[index] = ticket;
        slots.identified[index] = false;
        self.births.prepare(index, ticket, gate, self.channel.as_raw_fd());
        Some(Slot { index, ticket })
    }

    /// Sends the request. Never waits. All that it refers to, descriptors too, may go when this returns. On any refusal the slot stays reserved.
    pub fn submit(&self, slot: Slot, request: &Request<'_>) -> Result<(), Refusal> {
        self.with_message(|message| self.send(slot, request, message))
    }

    /// The same, and what was sent is kept to be sent again, if it can be.
    pub fn submit_and_keep(&self, slot: Slot, request: &Request<'_>) -> Result<Option<Standing>, Refusal> {
        self.with_message(|message| self.send(slot, request, message).map(|()| Standing::of(message)))
    }

    /// Sends what was sent before: its head alone, if the spawner has kept the rest.
    pub fn submit_again(&self, slot: Slot, standing: &Standing) -> Result<(), Refusal> {
        let directory = self.directory(standing.goes_elsewhere())?;
        let host = Host { directory: directory.as_ref(), group: self.group };
        let mut head = standing.addressed((slot.index, slot.ticket), &host);
        let mut all = Vec::new();
        let mut rights = standing.sources();
        if let Some(directory) = &directory {
            all.push(directory.as_raw_fd());
            all.extend(rights);
            rights = &all;
        }
        if !standing.may_be_kept() {
            return self.put([request::bytes_of(&head), standing.rest()], rights);
        }
        // Until it is sent: what stands at a place is what a message says that comes later.
        let mut kept = lock(&self.kept);
        let known = kept.places.iter().position(|id| *id == standing.id());
        let place = known.unwrap_or(kept.next);
        head.place = place as u64 + 1;
        if known.is_some() {
            head.flags |= wire::AS_KEPT;
            return self.put([request::bytes_of(&head), &[]], rights);
        }
        self.put([request::bytes_of(&head), standing.rest()], rights)?;
        kept.places[place] = standing.id();
        kept.next = (place + 1) % wire::PLACES;
        Ok(())
    }

    fn with_message<T>(&self, act: impl FnOnce(&mut Message) -> T) -> T {
        let mut message = core::mem::take(&mut lock(&self.slots).message);
        let answer = act(&mut message);
        lock(&self.slots).message = message;
        answer
    }

    /// The host's directory, where a child is to begin; `None`: that is where the spawner is, or it makes no difference to one that goes elsewhere.
    fn directory(&self, goes_elsewhere: bool) -> Result<Option<OwnedFd>, Refusal> {
        if goes_elsewhere {
            return Ok(None);
        }
        let of = |step: &'static str| move |errno: Errno| Refusal::Failed(failure(step, errno));
        // Not by ".", see `here`.
        let here = fstatat(AT_FDCWD, c"", AtFlags::AT_EMPTY_PATH).map_err(of("stat"))?;
        if (here.st_dev, here.st_ino) == self.directory { Ok(None) } else { self::here().map(Some).map_err(of("open")) }
    }

    fn send(&self, slot: Slot, request: &Request<'_>, message: &mut Message) -> Result<(), Refusal> {
        let directory = self.directory(request.directory.is_some_and(|path| path.to_bytes().starts_with(b"/")))?;
        let host = Host { directory: directory.as_ref(), group: self.group };
        message.write(request, (slot.index, slot.ticket), &host).map_err(Refusal::Failed)?;
        if message.bytes.len() <= wire::INLINE {
            return self.put([&message.bytes, &[]], &message.rights);
        }
        let file = memfd::sealed(c"procsup-request", &message.bytes).map_err(|fault| Refusal::Failed(failure(fault.step, fault.errno)))?;
        message.rights.insert(0, file.as_raw_fd());
        message.bytes.truncate(size_of::<wire::Head>());
        message.bytes[wire::FLAGS] |= wire::LONG as u8;
        let sent = self.put([&message.bytes, &[]], &message.rights);
        // It was long, and may have been the only one.
        message.bytes = Vec::new();
        sent
    }

    /// One message, whole or not at all.
    fn put(&self, parts: [&[u8]; 2], rights: &[RawFd]) -> Result<(), Refusal> {
        #[repr(C)]
        struct Control {
            head: libc::cmsghdr,
            rights: [RawFd; wire::RIGHTS + 1],
        }
        let rights = &rights[..rights.len().min(wire::RIGHTS)];
        // Not filled before: most of it is room for more than is sent.
        let mut control = MaybeUninit::<Control>::uninit();
        let length = size_of::<libc::cmsghdr>() + size_of_val(rights);
        let mut iov = parts.map(|part| libc::iovec { iov_base: part.as_ptr().cast_mut().cast(), iov_len: part.len() });
        // SAFETY: numbers and null pointers, for which zeros are a value.
        let (mut header, mut head): (libc::msghdr, libc::cmsghdr) = unsafe { core::mem::zeroed() };
        (header.msg_iov, header.msg_iovlen) = (iov.as_mut_ptr(), iov.len() as _);
        if !rights.is_empty() {
            (head.cmsg_len, head.cmsg_level, head.cmsg_type) = (length as _, libc::SOL_SOCKET, libc::SCM_RIGHTS);
            // SAFETY: in this frame there is room for the head, for so many, and for one more, which the kernel may see behind an odd one.
            unsafe {
                let at = control.as_mut_ptr();
                (&raw mut (*at).head).write(head);
                let room = (&raw mut (*at).rights).cast::<RawFd>();
                room.copy_from_nonoverlapping(rights.as_ptr(), rights.len());
                room.add(rights.len()).write(0);
            }
            header.msg_control = control.as_mut_ptr().cast();
            header.msg_controllen = length.next_multiple_of(8) as _;
        }
        loop {
            let flags = libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT;
            // SAFETY: the header describes bytes and a control area that live in this frame and our caller's.
            match check(unsafe { syscall!(libc::SYS_sendmsg, self.channel.as_raw_fd(), &raw const header, flags) }) {
                Ok(_) => return Ok(()),
                Err(Errno::EINTR) => {}
                // The last: so many descriptors of this user's are under way as it may have open (unix(7)).
                Err(Errno::EAGAIN | Errno::ENOBUFS | Errno::ENOMEM | Errno::ETOOMANYREFS) => return Err(Refusal::Busy),
                Err(Errno::EPIPE | Errno::ECONNRESET | Errno::ENOTCONN) => return Err(Refusal::Gone),
                Err(errno) => return Err(Refusal::Failed(failure("sendmsg", errno))),
            }
        }
    }

    /// The next reply; `None`: there is none now. Never waits.
    pub fn receive(&self) -> Result<Option<Reply>, Fault> {
        loop {
            let (said, sent) = match self.get() {
                Ok(Some(found)) => found,
                Ok(None) => return Ok(Some(Reply::Gone)),
                Err(Errno::EAGAIN) => return Ok(None),
                Err(errno) => return Err(Fault { step: "recvmsg", errno }),
            };
            if said.kind == wire::HELLO {
                return Ok(Some(Reply::Hello));
            }
            let slot = Slot { index: said.slot as usize, ticket: said.ticket };
            let mut slots = lock(&self.slots);
            if !slots.has(slot) {
                continue;
            }
            let pid = said.pid;
            let pidfd = if slots.identified[slot.index] { None } else { sent.or_else(|| prove(pid)) };
            slots.identified[slot.index] |= pidfd.is_some();
            return Ok(Some(match said.kind {
                wire::BORN => Reply::Born(slot, pid, pidfd),
                wire::BEGAN => Reply::Began(slot, pid, pidfd),
                _ => Reply::Failed(slot, pid, pidfd, failure(step_name(said.step), Errno::from_raw(said.errno))),
            }));
        }
    }

    /// One message, or `None` at the end of the channel.
    fn get(&self) -> Result<Option<(Said, Option<OwnedFd>)>, Errno> {
        #[repr(C)]
        struct Control {
            head: libc::cmsghdr,
            fd: RawFd,
            rest: RawFd,
        }
        // SAFETY: numbers and null pointers, for which zeros are a value.
        let (mut control, mut header): (Control, libc::msghdr) = unsafe { core::mem::zeroed() };
        let mut said = Said::default();
        let mut iov = libc::iovec { iov_base: (&raw mut said).cast(), iov_len: size_of::<Said>() };
        (header.msg_iov, header.msg_iovlen) = (&raw mut iov, 1);
        (header.msg_control, header.msg_controllen) = ((&raw mut control).cast(), size_of::<Control>() as _);
        let length = loop {
            let flags = libc::MSG_DONTWAIT | libc::MSG_CMSG_CLOEXEC;
            // SAFETY: the header describes memory of this frame, of these lengths.
            match check(unsafe { syscall!(libc::SYS_recvmsg, self.channel.as_raw_fd(), &raw mut header, flags) }) {
                // ECONNRESET: the other side left unread messages of ours. It is said once, before what it had sent, which is still to come.
                Err(Errno::EINTR | Errno::ECONNRESET) => {}
                Err(errno) => return Err(errno),
                Ok(length) => break length,
            }
        };
        #[allow(clippy::unnecessary_cast)] // musl has 32 bits there
        let came = header.msg_controllen as usize >= size_of::<libc::cmsghdr>() + size_of::<RawFd>()
            && (control.head.cmsg_level, control.head.cmsg_type) == (libc::SOL_SOCKET, libc::SCM_RIGHTS);
        // SAFETY: the kernel made this descriptor for us.
        let sent = came.then(|| unsafe { OwnedFd::from_raw_fd(control.fd) });
        if length == 0 {
            return Ok(None);
        }
        let sent = sent.and_then(|fd| fds::above_standard(fd).ok());
        Ok(Some((if length == size_of::<Said>() { said } else { Said::default() }, sent)))
    }

    /// Gives the slot back: after `Began` or `Failed`, or when nothing was sent, or the spawner was reaped.
    pub fn release(&self, slot: Slot) {
        let mut slots = lock(&self.slots);
        if slots.has(slot) {
            slots.tickets[slot.index] = 0;
            self.births.prepare(slot.index, 0, Gate::Barred, -1);
            slots.free.push(slot.index);
        }
    }

    /// What became of a request; only after the spawner has ended and was reaped.
    pub fn fate(&self, slot: Slot) -> Fate {
        if lock(&self.slots).has(slot) { self.births.fate(slot.index) } else { Fate::Unborn }
    }
}

/// A pidfd of a child of ours that has this number. Whoever waits for any child may have reaped it, and the number may be another's: that one is no
/// child of ours, or one of another number that is known already. `None` then, and where there is no descriptor to be had.
pub fn prove(pid: i32) -> Option<OwnedFd> {
    if pid <= 0 {
        return None;
    }
    let found = pidfd::open(pid).and_then(fds::above_standard).ok()?;
    match wait::of_pidfd(found.as_raw_fd(), false) {
        Some(Seen::Gone) => None,
        _ => Some(found),
    }
}
