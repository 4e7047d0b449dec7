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
//! Who was born for the pool makes ready while he waits (`sys/prefault.rs`): so the way behind the gate is as short as that of a process that has gone it
//! before.
//!
//! Traps. **Whatever goes wrong here ends the process**: a copy that returned an error would go on as a second preloader. **Each page that is touched costs
//! a microsecond or more**, code that was not mapped yet as well: so nothing of the original's is freed, and what is said is put together on the stack.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use super::super::wire::{Kind, LONGEST, Link};
use super::asked::Asked;
use super::host::Watch;
use super::{Pass, Preload, Stand, greet, places};
use crate::channel::seqpacket::{Admission, Found};
use crate::clock::Deadline;
use crate::error::{Error, Result, Status};
use crate::lock::lock;
use crate::sys::{fork, poll, prefault};

/// The gate was closed: nobody wants this worker.
const UNWANTED: i32 = 0;
/// It could not come to its gate, or through it.
const FAILED: i32 = 1;

/// Ends the process when it is dropped: on every way out but one.
struct OrEnd;

impl Drop for OrEnd {
    fn drop(&mut self) {
        fork::leave(FAILED);
    }
}

/// Goes through the gate. Returns in a process that is a worker, or not at all.
/// `own`: it is the preloader's child, not the host's.
pub fn begin(preload: &Preload, asked: Asked<Arc<OwnedFd>>, own: bool, pass: Pass<'_>) -> Link {
    let end = OrEnd;
    // The original's channel and what it holds for others. (Closed, and nothing else: what is behind the numbers is shared.)
    let (buffer, host) = {
        let mut state = lock(&preload.state);
        let given_up = match &mut state.stand {
            Stand::Serving(control) => (control.give_up(), control.host().clone()),
            Stand::Worker(_) | Stand::Loading(_) | Stand::Over => Default::default(),
        };
        std::mem::forget(std::mem::replace(&mut state.stand, Stand::Over));
        state.collapsed = false;
        given_up
    };
    let (pooled, mut link) = (asked.pooled, Link::newborn(asked.end, asked.birth, buffer));
    if let Err(error) = come_to(&mut link, own, pass).and_then(|()| go_through(&mut link, host, pooled)) {
        let bytes = link.write(Kind::Failed).status(error.status).text(&error.message).finish();
        let _ = link.send(bytes, Vec::new());
        fork::leave(FAILED);
    }
    std::mem::forget(end);
    link
}

fn come_to(link: &mut Link, own: bool, pass: Pass<'_>) -> Result<()> {
    pass();
    // A host cannot make another's child lead a group, and waits until it does; nor is such a one ever looked for in its maker's.
    if own {
        lead_group()?;
    }
    greet(link)
}

fn lead_group() -> Result<()> {
    fork::lead_group().map_err(|errno| Error::system("setpgid", errno, "cannot have a group of its own"))
}

fn go_through(link: &mut Link, host: Watch, pooled: bool) -> Result<()> {
    let mut room = [0; LONGEST];
    let (mut is_cold, mut has_waited, mut is_gone) = (pooled, false, false);
    loop {
        match link.receive_in(&mut room, |_| Admission::Denied) {
            Found::Message(message, fds) if message.kind == Kind::Go => {
                // Only now: what it has said may never have been heard, and who ends unknown is found by the host in its maker's group.
                lead_group()?;
                // Nothing of ours may stand where something is put.
                host.close_copy();
                return places::put(link, &message.body.places, fds);
            }
            Found::Message(..) | Found::Dropped | Found::Stranger(_) | Found::Denied => {}
            Found::Truncated => {
                return Err(Error::new(Status::Limit, "recvmsg", "no numbers are free for the descriptors that it was given"));
            }
            Found::End => fork::leave(UNWANTED),
            // It has said nothing before its end.
            Found::Nothing if is_gone => fork::leave(UNWANTED),
            // Nobody waits for it: what it will touch behind its gate it touches now.
            Found::Nothing if std::mem::take(&mut is_cold) => prefault::way_to_work(),
            Found::Nothing if std::mem::take(&mut has_waited) && host.is_gone() => is_gone = true,
            Found::Nothing => {
                // No deadline of its own: who made it closes the gate, and so does his end.
                let gate = link.socket().as_fd();
                let _ = match host.pidfd() {
                    Some(pidfd) => poll::wait(&[gate, pidfd.as_fd()], Deadline::NEVER),
                    None => poll::wait(&[gate], Deadline::NEVER),
                };
                has_waited = true;
            }
        }
    }
}
