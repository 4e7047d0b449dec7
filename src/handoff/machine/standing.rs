//! What a server may do now, and what it has to do when it is told to end: where the machines stand, said for the application.
//!
//! The trap is an event that waits. RESUME may say that storage has changed: a server that wrote because its machine serves again would write
//! over that. So a permission is given by an event that was *taken*, and until then what held before it holds; but what takes a permission
//! away holds at once, taken or not.
//!
//! Every phase of every machine has an answer here, without a wildcard: who adds a phase says what a server may do in it.

use super::{Mode, Notice, owner, successor};

/// Where a server stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, strum::FromRepr, strum::IntoStaticStr, strum::VariantNames)]
#[repr(i32)]
pub enum Standing {
    /// LIVE was not taken yet: load; write nothing, accept nothing. A successor says when it has loaded
    /// everything.
    #[strum(serialize = "PS_HANDOFF_PHASE_LOADING")]
    Loading = 1,
    /// The same, and it has said so.
    #[strum(serialize = "PS_HANDOFF_PHASE_WARM")]
    Warm = 2,
    /// LIVE was taken and is not answered: you own; write and accept.
    #[strum(serialize = "PS_HANDOFF_PHASE_OPENING")]
    Opening = 3,
    /// A successor that serves: write and accept. The old generation stands by, and takes back if this process
    /// ends, hangs or says that it cannot.
    #[strum(serialize = "PS_HANDOFF_PHASE_PROBATION")]
    Probation = 4,
    /// A successor whose probation is over, and which stands alone: write and accept. _OWNER follows when
    /// COMMITTED was taken and worked off, that is, with the next look for events.
    #[strum(serialize = "PS_HANDOFF_PHASE_SETTLED")]
    Settled = 5,
    /// The owner: write and accept. There may be a successor that loads.
    #[strum(serialize = "PS_HANDOFF_PHASE_OWNER")]
    Owner = 6,
    /// The owner, whose successor is warm: write and accept, begin no work that may take long.
    #[strum(serialize = "PS_HANDOFF_PHASE_DRAINING")]
    Draining = 7,
    /// The owner was told SEAL (or is, by the next event): accept nothing more; write what is under way, until
    /// you answer.
    #[strum(serialize = "PS_HANDOFF_PHASE_SEALING")]
    Sealing = 8,
    /// SEAL was answered: accept nothing, write nothing. Either the successor is about to own, or this process
    /// owns again, and RESUME is to be taken first.
    #[strum(serialize = "PS_HANDOFF_PHASE_SEALED")]
    Sealed = 9,
    /// Overlap mode: the successor owns, and until SEAL both accept.
    #[strum(serialize = "PS_HANDOFF_PHASE_OVERLAP")]
    Overlap = 10,
    /// The successor owns: accept nothing, write nothing, keep everything. You may be asked to go on.
    #[strum(serialize = "PS_HANDOFF_PHASE_STANDBY")]
    Standby = 11,
    /// Over: retired (finish what is open, write nothing, exit), or a successor that came to nothing (exit).
    #[strum(serialize = "PS_HANDOFF_PHASE_GONE")]
    Gone = 12,
}

/// How far SEAL has come, since the last RESUME that was taken.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Seal {
    /// It was not told.
    #[default]
    Not,
    /// Told, taken or not.
    Told,
    /// Answered.
    Answered,
}

/// What the application knows.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Heard {
    /// How far SEAL has come.
    pub seal: Seal,
    /// LIVE waits to be taken.
    pub live_waits: bool,
    /// RESUME does, and this is its `unsealed`.
    pub resume_waits: Option<bool>,
    /// A successor's COMMITTED was told, and not worked off.
    pub settling: bool,
}

impl Heard {
    /// While RESUME waits: where its taker stood before.
    fn before_resume(self) -> Option<Standing> {
        Some(match (self.resume_waits?, self.seal) {
            (_, Seal::Answered) | (true, Seal::Told) => Standing::Sealed,
            (false, Seal::Told) => Standing::Sealing,
            // Overlap: it never stopped, and the successor may have written.
            (true, Seal::Not) => Standing::Overlap,
            (false, Seal::Not) => Standing::Draining,
        })
    }
}

impl Standing {
    /// It may write.
    pub fn may_write(self) -> bool {
        use Standing::*;
        match self {
            Opening | Probation | Settled | Owner | Draining | Sealing | Overlap => true,
            Loading | Warm | Sealed | Standby | Gone => false,
        }
    }

    /// It may accept.
    pub fn may_accept(self) -> bool {
        self.may_write() && self != Standing::Sealing
    }

    /// What an event says by itself. More that waits may have taken it back.
    pub fn said_by(notice: Notice, is_successor: bool, overlap: bool) -> Self {
        match notice {
            Notice::Drain => Self::Draining,
            Notice::Seal if overlap => Self::Standby,
            Notice::Seal => Self::Sealing,
            Notice::Live { .. } => Self::Opening,
            // Told of an owner at rest.
            Notice::Resume { .. } | Notice::PathChanged => Self::Owner,
            Notice::Retire => Self::Gone,
            Notice::Committed if is_successor => Self::Settled,
            Notice::Committed => Self::Standby,
            Notice::Aborted(_) if is_successor => Self::Gone,
            Notice::Aborted(_) => Self::Owner,
        }
    }

    /// The same of an event that is told of an owner at rest, behind whatever waits: by then that was taken.
    pub fn at_rest(phase: owner::Phase, heard: Heard) -> Self {
        match phase {
            owner::Phase::Starting => Self::Opening,
            _ if heard.settling => Self::Settled,
            _ => Self::Owner,
        }
    }

    /// An owner in this phase.
    pub fn of_owner(phase: owner::Phase, heard: Heard) -> Self {
        use owner::Phase as P;
        match phase {
            P::Starting if heard.live_waits => Self::Loading,
            P::Starting => Self::Opening,
            P::Serving | P::Greeting | P::Offering(_) | P::Warming => match heard.before_resume() {
                Some(before) => before,
                None if heard.settling => Self::Settled,
                None => Self::Owner,
            },
            // A RESUME that waits here is of the attempt before.
            P::Draining | P::Probing(_) => heard.before_resume().unwrap_or(Self::Draining),
            P::Sealing => heard.before_resume().unwrap_or(Self::Sealing),
            // Overlap: SEAL comes later.
            P::Updating(_) | P::Committing if heard.seal == Seal::Not => heard.before_resume().unwrap_or(Self::Draining),
            P::Updating(_) | P::Committing => Self::Sealed,
            P::Handing | P::Closing | P::Probation | P::Asking | P::Parting | P::Condemning | P::Killing | P::Reclaiming => {
                match heard.seal {
                    Seal::Not => Self::Overlap,
                    Seal::Told | Seal::Answered => Self::Standby,
                }
            }
            P::Retired => Self::Gone,
        }
    }

    /// How far the handoff as a whole is, by its owner's phase; `None`: as far as it was, or there is none.
    pub fn of_handoff(phase: owner::Phase, mode: Mode) -> Option<Self> {
        use owner::Phase as P;
        Some(match phase {
            P::Greeting | P::Offering(_) | P::Warming => Self::Loading,
            P::Draining | P::Probing(_) => Self::Draining,
            P::Sealing => Self::Sealing,
            P::Updating(_) | P::Committing if mode == Mode::Overlap => Self::Draining,
            P::Updating(_) | P::Committing => Self::Sealed,
            P::Handing => Self::Opening,
            P::Closing => Self::Overlap,
            P::Probation | P::Asking => Self::Probation,
            P::Parting | P::Retired => Self::Settled,
            P::Starting | P::Serving | P::Condemning | P::Killing | P::Reclaiming => return None,
        })
    }

    /// The same as far as its successor can see; `None`: as far as it was.
    pub fn of_handoff_beside(phase: successor::Phase) -> Option<Self> {
        use successor::Phase as P;
        Some(match phase {
            P::Greeting | P::Receiving(_) | P::Loading => Self::Loading,
            P::Warm => Self::Warm,
            P::Opening => Self::Opening,
            P::Confirming | P::Live | P::Fenced => Self::Probation,
            P::Announcing | P::Settled => Self::Settled,
            P::Looking | P::Renouncing | P::Promoting | P::Settling | P::Returning | P::Ended => return None,
        })
    }

    /// A successor in this phase.
    pub fn of_successor(phase: successor::Phase, heard: Heard) -> Self {
        use successor::Phase as P;
        match phase {
            P::Greeting | P::Receiving(_) | P::Loading => Self::Loading,
            P::Warm | P::Looking | P::Renouncing | P::Promoting => Self::Warm,
            P::Opening if heard.live_waits => Self::Warm,
            P::Opening => Self::Opening,
            P::Confirming | P::Live | P::Settling | P::Fenced => Self::Probation,
            P::Announcing | P::Settled => Self::Settled,
            P::Returning | P::Ended => Self::Gone,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Reason;
    use super::*;

    /// One line for each phase: what is so while nothing waits, SEAL having come as far as it can have in exclusive mode; then in overlap mode.
    const OWNER: &str = "
        Starting     Opening   Opening
        Serving      Owner     Owner
        Greeting     Owner     Owner
        Offering(0)  Owner     Owner
        Warming      Owner     Owner
        Draining     Draining  Draining
        Probing(0)   Draining  -
        Sealing      Sealing   -
        Updating(0)  Sealed    Draining
        Committing   Sealed    Draining
        Handing      Standby   Overlap
        Closing      -         Standby
        Probation    Standby   Standby
        Asking       Standby   Standby
        Parting      Standby   Standby
        Condemning   Standby   Standby
        Killing      Standby   Standby
        Reclaiming   Standby   Standby
        Retired      Gone      Gone";
    const SUCCESSOR: &str = "
        Greeting      Loading
        Receiving(0)  Loading
        Loading       Loading
        Warm          Warm
        Looking       Warm
        Renouncing    Warm
        Promoting     Warm
        Opening       Opening
        Confirming    Probation
        Live          Probation
        Settling      Probation
        Announcing    Settled
        Fenced        Probation
        Returning     Gone
        Settled       Settled
        Ended         Gone";

    fn rows(table: &'static str) -> Vec<Vec<&'static str>> {
        table.lines().filter(|line| !line.trim().is_empty()).map(|line| line.split_whitespace().collect()).collect()
    }

    /// The phases, in the order in which the sources write them: what is added there is missed here.
    fn declared(source: &str) -> Vec<String> {
        let body = source.split_once("pub enum Phase {").unwrap().1.split_once("\n}").unwrap().0;
        let names = body.lines().map(str::trim).filter(|line| line.ends_with(',') && !line.starts_with("//"));
        names.map(|name| name.trim_end_matches(',').replace("(u16)", "(0)")).collect()
    }

    #[test]
    fn every_phase_of_the_owner_has_its_answer() {
        use owner::Phase::*;
        let all = [
            Starting,
            Serving,
            Greeting,
            Offering(0),
            Warming,
            Draining,
            Probing(0),
            Sealing,
            Updating(0),
            Committing,
            Handing,
            Closing,
            Probation,
            Asking,
            Parting,
            Condemning,
            Killing,
            Reclaiming,
            Retired,
        ];
        let table = rows(OWNER);
        let names: Vec<String> = all.iter().map(|phase| format!("{phase:?}")).collect();
        assert_eq!(names, declared(include_str!("owner.rs")));
        assert_eq!(names, table.iter().map(|row| row[0].to_owned()).collect::<Vec<_>>());
        for (phase, row) in all.into_iter().zip(table) {
            let exclusive = match phase {
                Updating(_) | Committing | Handing | Probation | Asking | Parting | Condemning | Killing | Reclaiming => Seal::Answered,
                Sealing => Seal::Told,
                _ => Seal::Not,
            };
            let overlap = match phase {
                Probation | Asking | Parting | Condemning | Killing | Reclaiming => Seal::Answered,
                Closing => Seal::Told,
                _ => Seal::Not,
            };
            for (seal, wanted) in [(exclusive, row[1]), (overlap, row[2])] {
                if wanted != "-" {
                    let found = Standing::of_owner(phase, Heard { seal, ..Heard::default() });
                    assert_eq!(format!("{found:?}"), wanted, "{phase:?}, {seal:?}");
                }
            }
        }
    }

    #[test]
    fn every_phase_of_the_successor_has_its_answer() {
        use successor::Phase::*;
        let all = [
            Greeting,
            Receiving(0),
            Loading,
            Warm,
            Looking,
            Renouncing,
            Promoting,
            Opening,
            Confirming,
            Live,
            Settling,
            Announcing,
            Fenced,
            Returning,
            Settled,
            Ended,
        ];
        let table = rows(SUCCESSOR);
        let names: Vec<String> = all.iter().map(|phase| format!("{phase:?}")).collect();
        assert_eq!(names, declared(include_str!("successor.rs")));
        assert_eq!(names, table.iter().map(|row| row[0].to_owned()).collect::<Vec<_>>());
        for (phase, row) in all.into_iter().zip(table) {
            assert_eq!(format!("{:?}", Standing::of_successor(phase, Heard::default())), row[1], "{phase:?}");
        }
    }

    /// What waits to be taken gives nothing.
    #[test]
    fn a_permission_is_given_by_an_event_that_was_taken() {
        let live = Heard { live_waits: true, ..Heard::default() };
        assert_eq!(Standing::of_owner(owner::Phase::Starting, live), Standing::Loading);
        assert_eq!(Standing::of_successor(successor::Phase::Opening, live), Standing::Warm);
        for (seal, unsealed, wanted) in [
            (Seal::Not, false, Standing::Draining),
            (Seal::Told, false, Standing::Sealing),
            (Seal::Answered, false, Standing::Sealed),
            (Seal::Not, true, Standing::Overlap),
            (Seal::Told, true, Standing::Sealed),
            (Seal::Answered, true, Standing::Sealed),
        ] {
            let heard = Heard { seal, resume_waits: Some(unsealed), ..Heard::default() };
            use owner::Phase::*;
            for phase in [Serving, Greeting, Offering(3), Warming, Draining, Probing(0), Sealing] {
                assert_eq!(Standing::of_owner(phase, heard), wanted, "{phase:?} {heard:?}");
            }
        }
        let settling = Heard { settling: true, ..Heard::default() };
        assert_eq!(Standing::of_owner(owner::Phase::Serving, settling), Standing::Settled);
    }

    #[test]
    fn an_event_says_where_it_puts_whom() {
        let all = [
            (Notice::Live { unsealed: false }, "Opening Opening", "Opening Opening"),
            (Notice::Drain, "Draining Draining", ""),
            (Notice::Seal, "Sealing Standby", ""),
            (Notice::Resume { unsealed: true }, "Owner Owner", ""),
            (Notice::Retire, "Gone Gone", ""),
            (Notice::Committed, "Standby Standby", "Settled Settled"),
            (Notice::Aborted(Reason::Died), "Owner Owner", "Gone Gone"),
        ];
        for (notice, owner, successor) in all {
            for (is_successor, wanted) in [(false, owner), (true, successor)].into_iter().filter(|(_, wanted)| !wanted.is_empty()) {
                let found = [false, true].map(|overlap| format!("{:?}", Standing::said_by(notice, is_successor, overlap)));
                assert_eq!(found.join(" "), wanted, "{notice:?}");
            }
        }
    }
}
