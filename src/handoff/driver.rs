//! What comes in, and what is due: one step after the other, for whatever party this process is.
//!
//! Order matters: what the peer has sent comes before its death, its death before a deadline. A crash closes the channel first,
//! and a deadline that passes together with it must not win.

use nix::errno::Errno;

use super::core::{CHANNEL, Core, PEER};
use super::machine::standing::Standing;
use super::peer::Leaving;
use super::side::{Incident, Party, Side};
use super::wire::Kind;
use crate::channel::seqpacket::Found;
use crate::clock::{self, Deadline};
use crate::sys::memory::Home;
use crate::sys::reactor::{Time, Token, Turn};

/// How often what has come is looked at in one call, as long as there is more.
const ROUNDS: u32 = 16;

/// Everything behind a handle.
#[derive(Debug)]
pub(super) struct Driver {
    pub core: Core,
    pub party: Party,
    /// It has started cold.
    pub first: bool,
    /// The handle was freed.
    pub closed: bool,
    home: Home,
}

impl Driver {
    pub fn new(core: Core, party: Party, first: bool) -> Self {
        Self { core, party, first, closed: false, home: Home::here() }
    }

    /// Does something to the party, whoever it is; and it becomes what follows from that.
    pub fn with_side<T>(&mut self, act: impl FnOnce(&mut dyn Side, &mut Core) -> T) -> Option<T> {
        let side = self.party.side()?;
        let answer = act(side, &mut self.core);
        if let Some(next) = side.next(&mut self.core) {
            self.party = next;
        }
        Some(answer)
    }

    /// Whether connections can be passed on now.
    pub fn passes(&self) -> bool {
        self.party.as_side().is_some_and(Side::passes)
    }

    /// Whether connections that have come can be claimed now.
    pub fn claims(&self) -> bool {
        self.party.as_side().is_none_or(Side::claims)
    }

    /// Where this process stands.
    pub fn standing(&self) -> Standing {
        self.party.as_side().map_or(Standing::Gone, |side| side.standing(self.core.heard()))
    }

    /// Nothing can begin any more.
    pub fn is_over(&self) -> bool {
        matches!(self.party, Party::Gone)
    }

    /// Does what is due, all of it: who waits for edges gets none for what was left. Returns early once there is something to tell, which is
    /// taken before the next wait.
    pub fn pump(&mut self) {
        for _ in 0..ROUNDS {
            self.core.more = false;
            self.pump_once();
            if !self.core.more || !self.core.notices.is_empty() {
                return;
            }
        }
        // Somebody who never stops: the rest keeps the descriptor readable, and this is an edge.
        self.core.reactor.nudge();
    }

    fn pump_once(&mut self) {
        if self.party.as_side().is_some_and(Side::is_urgent) {
            self.read_channel();
            if !self.core.notices.is_empty() {
                return;
            }
        }
        let turn = self.core.reactor.turn();
        if !self.take(&turn) {
            return;
        }
        let now = clock::now();
        while turn.timer
            && let Some(time) = self.core.reactor.pop_time(now)
        {
            match time {
                Time::Due(PEER) => _ = self.with_side(|side, core| side.look_at_peer(core)),
                Time::Due(token) => {
                    self.with_side(|side, core| side.due(core, token));
                    self.core.look_at_leaving(token, false);
                }
                Time::Back(token) => self.look_at(token),
            }
        }
        self.keep_time();
    }

    /// What is ready. `false`: there is something to tell first.
    fn take(&mut self, turn: &Turn) -> bool {
        if turn.ready.contains(&CHANNEL) {
            self.read_channel();
            if !self.core.notices.is_empty() {
                return false;
            }
        }
        if turn.ready.contains(&PEER) {
            self.with_side(|side, core| side.look_at_peer(core));
        }
        for token in turn.ready.iter().filter(|token| !matches!(**token, CHANNEL | PEER)) {
            self.look_at(*token);
        }
        true
    }

    fn look_at(&mut self, token: Token) {
        self.with_side(|side, core| side.ready(core, token));
        self.core.look_at_leaving(token, true);
    }

    fn read_channel(&mut self) {
        // Other things are due beside a peer that sends and sends.
        for _ in 0..64 {
            let (Some(side), Some(link)) = (self.party.as_side(), &mut self.core.link) else { return };
            let lost = link.flush().is_err();
            match link.receive(|sender| side.admit(sender)) {
                Found::Nothing if !lost => return,
                Found::Nothing | Found::End => {
                    self.with_side(|side, core| side.hang_up(core));
                    return;
                }
                Found::Denied => {
                    self.core.close_link();
                    self.with_side(|side, core| side.deny(core));
                    return;
                }
                Found::Dropped => {}
                Found::Truncated => {
                    self.core.verdict.fault = Some(("recvmsg", Errno::EMFILE));
                    let words = "descriptors did not arrive: the limit of open files is reached";
                    self.with_side(|side, core| side.trouble(core, words));
                }
                Found::Stranger(pid) => {
                    self.with_side(|side, core| side.reject_stranger(core, pid));
                }
                Found::Message(message, fds) => {
                    if let (Kind::Abort | Kind::Nak, Some(text)) = (message.kind, &message.body.text) {
                        self.core.verdict.said.clone_from(text);
                    }
                    self.with_side(|side, core| side.take(core, message, fds));
                }
            }
            if !self.core.notices.is_empty() {
                return;
            }
        }
        self.core.more = true;
    }

    /// Deadlines, after everything else.
    fn keep_time(&mut self) {
        let now = clock::now();
        self.core.flush();
        if self.with_side(|side, core| side.look(core, now)) == Some(true) {
            return;
        }
        self.with_side(|side, core| {
            if side.deadline().is_over(now) && !side.look_at_peer(core) && !side.postpones(core, now) {
                if let Some(text) = side.late_text() {
                    text.clone_into(&mut core.verdict.said);
                }
                side.befall(core, Incident::Timeout);
            }
        });
    }

    /// What the descriptor shows, and the timer, are put right. Called when the lock is given back.
    pub fn rest(&mut self) {
        self.with_side(|side, core| side.rest(core));
        let deadline = self.party.as_side().map_or(Deadline::NEVER, Side::deadline);
        let raised = self.awaits_return();
        self.core.rest(deadline, raised);
    }

    /// The application calls for what is next: it has worked off what it has taken.
    pub fn come_back(&mut self) {
        if self.awaits_return() && self.core.notices.is_empty() {
            self.with_side(|side, core| side.come_back(core));
        }
    }

    /// Something else goes on only when it does so.
    pub fn awaits_return(&self) -> bool {
        self.party.as_side().is_some_and(Side::awaits_return)
    }

    /// Gives everything up; who is still to be ended and reaped is the caller's.
    pub fn close(&mut self) -> Vec<Leaving> {
        self.with_side(|side, core| side.call_off(core));
        self.with_side(|side, core| side.close(core));
        (self.party, self.closed) = (Party::Gone, true);
        self.core.close_link();
        self.core.unwatch_peer();
        self.core.close_estate();
        self.core.notices.clear();
        // Whoever waits for events shall hear of it.
        self.core.reactor.set_raised(true);
        self.core.take_leaving()
    }
}

impl Drop for Driver {
    /// A handle that could not be made in the end: the other side is told, and the path taken away.
    fn drop(&mut self) {
        // A forked copy of the host must touch neither the path nor the shared set.
        if !self.closed && self.home.is_here() {
            self.close();
        }
    }
}
