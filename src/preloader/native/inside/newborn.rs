//! The gate: what a copy does before its caller sees it, all of it code of this library, with all signals blocked.
//!
//! ```text
//!   close what is the original's --> HELLO (the kernel says who) --> wait
//!                                                                    GO --> lead a group --> descriptors in place --> its caller
//!                                     end of the channel, or of the host --> ends
//! ```
//!
//! The preloader's own child leads its group before HELLO.
//!
//! Who was born for the pool makes ready before he says that he is there (`sys/prefault.rs`): so the way behind the gate is as short as that of a process
//! that has gone it before, and a pool that is full does nothing any more beside the first that is taken from it.
//!
//! Traps. **Whatever goes wrong here ends the process**: a copy that returned an error would go on as a second preloader. **Each page that is touched costs
//! some microseconds**, code as well as data: a fork maps no code, and copies what is written to. So nothing of the original's is freed, nothing is allocated,
//! what is said is put together on the stack, no other library is called, and all of it is put into the one function that forks (hence `inline`).

use std::mem::ManuallyDrop;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::Arc;

use super::super::wire::{Kind, Link};
use super::asked::Asked;
use super::control::Numbers;
use super::{Pass, Preload, Stand, State, greet, places};
use crate::channel::seqpacket::Only;
use crate::error::{Error, Result, Status};
use crate::sys::socket::Packet;
use crate::sys::{fds, fork, poll, prefault};

/// The gate was closed: nobody wants this worker.
const UNWANTED: i32 = 0;
/// It could not come to its gate, or through it.
const FAILED: i32 = 1;

/// A GO with five descriptors is no longer than this.
const NEAR: usize = 64;

/// Ends the process when it is dropped: on every way out but one.
struct OrEnd;

impl Drop for OrEnd {
    fn drop(&mut self) {
        fork::leave(FAILED);
    }
}

/// What a copy needs of its original, put together before the fork: so it is where the copy is.
#[derive(Debug, Default)]
pub struct Legacy {
    /// To be closed: the original's channel, and what it holds for others.
    numbers: Numbers,
    /// By which the host's end is seen.
    host: Option<RawFd>,
}

impl Legacy {
    pub fn of(preload: &Preload) -> Self {
        match &preload.state.lock().stand {
            Stand::Serving(control) => Self { numbers: control.numbers(), host: control.host().number() },
            Stand::Worker(_) | Stand::Loading(_) | Stand::Over => Self::default(),
        }
    }
}

/// Goes through the gate. Returns in a process that is a worker, or not at all.
/// `own`: it is the preloader's child, not the host's.
#[inline(always)]
pub fn begin(preload: &Preload, asked: Asked<Arc<OwnedFd>>, own: bool, legacy: &Legacy, pass: impl Pass) -> Link {
    let (asked, end) = asked.parted();
    begin_with(preload, asked, own, legacy, pass, |_| Some(end))
}

/// The same with the end that its original has put down.
#[inline(always)]
pub fn begin_forked(preload: &Preload, asked: Asked<()>, own: bool, legacy: &Legacy, pass: impl Pass) -> Link {
    begin_with(preload, asked, own, legacy, pass, |state| state.forking.take())
}

#[inline(always)]
fn begin_with(
    preload: &Preload,
    asked: Asked<()>,
    own: bool,
    legacy: &Legacy,
    pass: impl Pass,
    end: impl FnOnce(&mut State) -> Option<Arc<OwnedFd>>,
) -> Link {
    let or_end = OrEnd;
    // (Closed, and nothing else: what is behind the numbers is shared.)
    legacy.numbers.close();
    let (end, buffer) = {
        let mut state = preload.state.lock();
        let buffer = if let Stand::Serving(control) = &mut state.stand { control.take_buffer() } else { Vec::new() };
        std::mem::forget(std::mem::replace(&mut state.stand, Stand::Over));
        state.collapsed = false;
        (end(&mut state), buffer)
    };
    let Some(end) = end else { fork::leave(FAILED) };
    let host = legacy.host;
    if asked.pooled {
        // Nobody waits for it: what it will touch behind its gate it touches now.
        prefault::way_to_work();
    }
    let mut link = Link::newborn(end, asked.birth, buffer);
    if let Err(error) = come_to(&mut link, own, pass).and_then(|()| go_through(&mut link, own, host)) {
        fail(&mut link, &error);
    }
    std::mem::forget(or_end);
    link
}

#[cold]
#[inline(never)]
fn fail(link: &mut Link, error: &Error) -> ! {
    let bytes = link.write(Kind::Failed).status(error.status).text(&error.message).finish();
    let _ = link.send(bytes, Vec::new());
    fork::leave(FAILED)
}

#[inline(always)]
fn come_to(link: &mut Link, own: bool, pass: impl Pass) -> Result<()> {
    pass.pass();
    // A host cannot make another's child lead a group, and waits until it does; nor is such a one ever looked for in its maker's.
    if own {
        lead_group()?;
    }
    greet(link)
}

#[inline(always)]
fn lead_group() -> Result<()> {
    fork::lead_group().map_err(|errno| Error::system("setpgid", errno, "cannot have a group of its own"))
}

/// `host`: the number of a descriptor by which its end is seen.
#[inline(always)]
fn go_through(link: &mut Link, own: bool, host: Option<RawFd>) -> Result<()> {
    let mut near = [0; NEAR];
    // What is not put anywhere goes with this process: whoever comes out of here without a gift has failed.
    let mut packet = ManuallyDrop::new(Packet::new());
    loop {
        // No deadline of its own: who made it closes the gate, and so does his end.
        let (has_spoken, is_gone) = poll::either(link.socket().as_raw_fd(), host);
        if !has_spoken {
            if is_gone {
                // It has said nothing before its end.
                fork::leave(UNWANTED);
            }
            continue;
        }
        let long = match link.receive_only(Kind::Go, &mut near, &mut packet) {
            // (There is nothing in it. To drop it would be code of its own.)
            message @ Only::Message => {
                std::mem::forget(message);
                None
            }
            other => match no_short_one(other)? {
                None => continue,
                long => long,
            },
        };
        // Only now: what it has said may never have been heard, and who ends unknown is found by the host in its maker's group.
        if !own {
            lead_group()?;
        }
        // Nothing of ours may stand where something is put.
        if let Some(host) = host {
            fds::close_copy(&host);
        }
        if let Some(go) = long {
            return places::put_long(link, &go, &mut packet);
        }
        let go = near.get(..packet.length()).unwrap_or_default();
        return places::put(link, go, &mut packet);
    }
}

/// What was said, if it is a long GO. (By itself: what is chosen from a table is one page more.)
#[cold]
#[inline(never)]
fn no_short_one(found: Only) -> Result<Option<Vec<u8>>> {
    match found {
        Only::Nothing | Only::Message => Ok(None),
        Only::Long(bytes) => Ok(Some(bytes)),
        Only::End => fork::leave(UNWANTED),
        Only::Truncated => Err(Error::new(Status::Limit, "recvmsg", "no numbers are free for the descriptors that it was given")),
    }
}
