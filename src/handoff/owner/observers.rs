//! Observers: those who watch this generation by its control path, and can help. A supervisor is one.
//!
//! Traps.
//! - **An observer must never count.** It may be stopped, hostile or gone. So there are few, each is bounded in what it may leave unread and how
//!   often it is heard, and one that does not keep up is sent away; nothing that it says changes who owns.
//! - **Not in the gap.** From SEAL (overlap: from the commit) until the successor serves, an observer is neither heard nor told: it is out of the
//!   reactor, and what there is to tell waits with its true times. A flood of messages is read when the handoff has passed.
//! - **What it is given it holds open**: a listener that this server closes may answer on in its hands. So it hears of each change.
//! - **The page that decides who owns is not for its pen**: it gets a descriptor for reading.

use std::collections::VecDeque;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;

use super::side::OwnerSide;
use crate::channel::seqpacket::{Admission, Found};
use crate::clock::{Deadline, MILLI};
use crate::handoff::core::{Core, RETRY};
use crate::handoff::holdings::{Item, Part};
use crate::handoff::machine::owner::Phase;
use crate::handoff::machine::standing::Standing;
use crate::handoff::outcome::Outcome;
use crate::handoff::wire::{self, Kind, Link, Message, Own, Place, Refusal};
use crate::sys::reactor::Token;
use crate::sys::{fds, getpid, pidfd};

/// How many there may be.
const OBSERVERS: usize = 4;
/// How long one may leave unread, or unacknowledged, what it was sent.
const READING: i64 = 5_000 * MILLI;
/// How many of its messages are read at one look; and until when it waits for the next look if there are more.
const LOOKS: u32 = 4;
const PAUSE: i64 = 10 * MILLI;
/// How many messages may stand in line for one that does not read.
const IN_LINE: usize = 32;
/// How much is kept to be told.
const NEWS: usize = 64;

/// Something that all are told.
#[derive(Debug)]
enum News {
    Progress { id: u64, phase: Standing, peer: i32, time: i64 },
    Outcome(Box<Outcome>),
}

#[derive(Debug)]
struct Observer {
    link: Link,
    token: Token,
    /// What it is to get still: parts of what there is, and the number of the first of them. That one was sent, and is not acknowledged.
    parts: VecDeque<Part>,
    first: u16,
    count: u16,
    /// Of which state of what is handed on it knows, or will.
    version: u64,
    /// Until when it must have read and acknowledged what it was sent.
    late: Deadline,
    /// It is to be sent away.
    lost: bool,
}

/// All of them.
#[derive(Debug, Default)]
pub struct Observers {
    list: Vec<Observer>,
    news: VecDeque<News>,
    /// Neither heard nor told now.
    aside: bool,
}

impl Observers {
    /// Whether this is one of them.
    pub fn has(&self, token: Token) -> bool {
        self.list.iter().any(|observer| observer.token == token)
    }

    /// Its process; 0: it is none of them.
    pub fn pid_of(&self, token: Token) -> i32 {
        self.find(token).map_or(0, |observer| observer.link.peer)
    }

    fn find(&self, token: Token) -> Option<&Observer> {
        self.list.iter().find(|observer| observer.token == token)
    }

    /// Its channel.
    pub fn link(&mut self, token: Token) -> Option<&mut Link> {
        self.list.iter_mut().find(|observer| observer.token == token).map(|observer| &mut observer.link)
    }

    fn tell(&mut self, news: News) {
        if self.list.is_empty() {
            return;
        }
        if self.news.len() == NEWS {
            self.news.pop_front();
        }
        self.news.push_back(news);
    }

    /// What is about to follow is the gap: none of them is heard or told until it has passed.
    pub fn set_aside(&mut self, core: &mut Core) {
        self.aside = !self.list.is_empty();
        for observer in &self.list {
            core.reactor.forget(observer.token);
        }
    }

    /// Everybody is told what there is, and sent away: this generation is over.
    pub fn part(&mut self, core: &mut Core) {
        self.send_news();
        for observer in self.list.drain(..) {
            core.reactor.forget(observer.token);
        }
        (self.news, self.aside) = (VecDeque::new(), false);
    }

    fn send_news(&mut self) {
        // One by one: the room stays.
        while let Some(news) = self.news.pop_front() {
            self.list.iter_mut().for_each(|observer| observer.tell(&news));
        }
    }

    /// Those who are lost go.
    fn drop_lost(&mut self, core: &mut Core) {
        let lost = self.list.extract_if(.., |observer| observer.lost);
        lost.for_each(|observer| core.reactor.forget(observer.token));
    }
}

impl Observer {
    fn send(&mut self, bytes: Vec<u8>, fds: Vec<Arc<OwnedFd>>) {
        self.lost |= self.link.send(bytes, fds).is_err() || self.link.in_line() > IN_LINE;
    }

    fn tell(&mut self, news: &News) {
        let bytes = match news {
            News::Progress { id, phase, peer, time } => {
                self.link.write(Kind::Progress).may_be_skipped().progress(*id, *phase, *peer, *time).finish()
            }
            News::Outcome(outcome) => self.link.write(Kind::Outcome).may_be_skipped().handoff(outcome.id).record(outcome).finish(),
        };
        self.send(bytes, Vec::new());
    }

    /// Whether something of ours lies with it.
    fn owes(&self) -> bool {
        !self.parts.is_empty() || self.link.in_line() > 0
    }

    /// The first of the parts that are left.
    fn send_part(&mut self, core: &Core) {
        let Some(part) = self.parts.front() else { return };
        let mut writer = self.link.write(Kind::Estate);
        writer.part(self.first, self.count, part.items.len() as u16);
        if self.first == 0 {
            writer.versions_and(wire::SERVES_OBSERVERS).generation(u64::from(core.generation)).build(&core.outcomes.build);
            core.outcomes.iter().for_each(|outcome| _ = writer.record(outcome));
        }
        part.items.iter().for_each(|(place, _)| _ = writer.place(place));
        let bytes = writer.finish();
        let fds = part.items.iter().map(|(_, fd)| fd.clone()).collect();
        self.send(bytes, fds);
    }
}

impl OwnerSide {
    /// A guest has greeted that wants to be one.
    pub(super) fn welcome_observer(&mut self, core: &mut Core, mut link: Link, hello: &Message) {
        if !wire::speaks_with_us(hello) {
            return link.refuse(Refusal::Version, &wire::versions_text(hello));
        }
        if self.observers.list.len() == OBSERVERS {
            return link.refuse(Refusal::Limit, "there are four observers already");
        }
        let token = core.number();
        if core.reactor.add(token, link.socket()).is_err() {
            return link.refuse(Refusal::Limit, "your channel cannot be watched");
        }
        let (parts, late) = (VecDeque::new(), Deadline::NEVER);
        let mut observer = Observer { link, token, parts, first: 0, count: 0, version: 0, late, lost: false };
        self.begin_estate(core, &mut observer);
        // It may have come in the middle of one.
        if let Some(outcome) = core.outcomes.under_way() {
            observer.tell(&News::Progress { id: outcome.id, phase: outcome.phase, peer: core.peer_pid, time: crate::clock::now() });
        }
        self.observers.list.push(observer);
        // Not to be asked for in the gap.
        self.observers.news.reserve(NEWS);
    }

    /// All that there is, from the beginning: the page to look at, this process, and what the application has named.
    fn begin_estate(&self, core: &mut Core, observer: &mut Observer) {
        let page = std::fs::File::open(format!("/proc/self/fd/{}", self.record.fd().as_raw_fd()));
        let page = page.ok().and_then(|page| fds::above_standard(page.into()).ok());
        let own = [(Own::Epoch, page), (Own::Process, pidfd::open(getpid()).ok().and_then(|fd| fds::above_standard(fd).ok()))];
        let own: Vec<Item> = own.into_iter().filter_map(|(own, fd)| Some((Place::Own(own), Arc::new(fd?)))).collect();
        own.iter().for_each(|(_, fd)| core.custody.note(fd));
        observer.version = core.estate.holdings.version();
        observer.parts = core.estate.holdings.shown(own).into();
        (observer.first, observer.count) = (0, observer.parts.len() as u16);
        observer.send_part(core);
    }

    /// One of them says something, or can be written to.
    pub(super) fn hear_observer(&mut self, core: &mut Core, token: Token) {
        for look in 0.. {
            let Some(observer) = self.observers.list.iter_mut().find(|observer| observer.token == token) else { return };
            observer.lost |= observer.link.flush().is_err();
            if observer.lost {
                break;
            }
            if look == LOOKS {
                core.reactor.set_aside_for(token, PAUSE);
                break;
            }
            match observer.link.receive(|_| Admission::Denied) {
                Found::Nothing => break,
                Found::End | Found::Denied => {
                    observer.lost = true;
                    break;
                }
                Found::Dropped | Found::Stranger(_) => {}
                Found::Truncated => observer.link.refuse(Refusal::Limit, "descriptors did not arrive: the limit of open files is reached"),
                Found::Message(message, fds) => self.take_of_observer(core, token, &message, fds),
            }
        }
        self.part_with_lost(core);
    }

    /// All of them: what they have said before counts before what a guest says.
    pub(super) fn hear_observers(&mut self, core: &mut Core) {
        let tokens: Vec<Token> = self.observers.list.iter().map(|observer| observer.token).collect();
        tokens.into_iter().for_each(|token| self.hear_observer(core, token));
    }

    fn take_of_observer(&mut self, core: &mut Core, token: Token, message: &Message, fds: Vec<OwnedFd>) {
        match message.kind {
            Kind::Ack => {
                let Some(observer) = self.observers.list.iter_mut().find(|observer| observer.token == token) else { return };
                let awaited = (observer.first, observer.count);
                if message.body.part.map(|(part, _)| part) != Some(awaited.0) || observer.parts.is_empty() {
                    return;
                }
                // Not to be kept open for it any longer.
                let sent = observer.parts.pop_front();
                core.rubbish.extend(sent.into_iter().flat_map(|part| part.items).map(|(_, fd)| fd));
                observer.first += 1;
                observer.late = Deadline::NEVER;
                observer.send_part(core);
            }
            Kind::Expect => self.expect(core, token, message, fds),
            Kind::CallOff => self.call_off_for(core, token, message),
            // Nothing of a successor's, from whoever is none.
            _ => {}
        }
    }

    /// One that is late with what it was sent is sent away.
    pub(super) fn look_at_observer(&mut self, core: &mut Core, token: Token) {
        if let Some(observer) = self.observers.list.iter_mut().find(|observer| observer.token == token) {
            observer.lost |= observer.link.flush().is_err() || (observer.owes() && observer.late.has_come());
        }
        self.part_with_lost(core);
    }

    fn part_with_lost(&mut self, core: &mut Core) {
        self.observers.drop_lost(core);
        self.forget_expected_of_lost();
    }

    /// Whether nothing but the handoff counts now: somebody is sealed, or about to serve.
    fn is_in_the_gap(&self) -> bool {
        matches!(self.machine.phase, Phase::Sealing | Phase::Updating(_) | Phase::Committing | Phase::Handing)
    }

    /// Before the lock is given back: what there is to tell is told, unless this is the gap.
    pub(super) fn tell_observers(&mut self, core: &mut Core) {
        if self.observers.list.is_empty() || self.is_in_the_gap() {
            return;
        }
        if std::mem::take(&mut self.observers.aside) {
            for observer in &mut self.observers.list {
                observer.lost |= core.reactor.add(observer.token, observer.link.socket()).is_err();
            }
        }
        self.observers.send_news();
        let version = core.estate.holdings.version();
        let mut list = std::mem::take(&mut self.observers.list);
        for observer in &mut list {
            if observer.version != version && observer.parts.is_empty() {
                self.begin_estate(core, observer);
            }
            // A little later, if there is no memory for it now.
            if observer.link.is_stalled() {
                observer.lost |= observer.link.flush().is_err();
            }
            observer.late = match observer.owes() {
                true => observer.late.min(Deadline::after(READING)),
                false => Deadline::NEVER,
            };
            let again = if observer.link.is_stalled() { Deadline::after(RETRY) } else { Deadline::NEVER };
            let _ = core.reactor.set_due(observer.token, observer.late.min(again));
            let _ = core.reactor.set_writing(observer.token, observer.link.wants_to_write());
        }
        self.observers.list = list;
        self.part_with_lost(core);
    }

    /// A handoff has come to another phase.
    pub(super) fn note_progress(&mut self, id: u64, phase: Standing, peer: i32, time: i64) {
        self.observers.tell(News::Progress { id, phase, peer, time });
    }

    /// One is over.
    pub(super) fn note_outcome(&mut self, core: &Core) {
        if let Some(outcome) = core.outcomes.get(0) {
            self.observers.tell(News::Outcome(Box::new(outcome.clone())));
        }
    }
}
