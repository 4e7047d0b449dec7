//! Mistakes that the search must find: in the supervisor's machine, in what carries it out, and at the owner's end of its channel.

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Mutant {
    None,
    /// Whoever is late is killed, and not stopped and looked at before.
    KillsUnseen,
    /// Whoever is late is stopped before it is looked whether it serves.
    StopsUnseen,
    /// A child that has become a first generation by itself is judged by its dead owner's page.
    JudgesByThePage,
    /// The pid is said once it is known, and nothing before.
    AnnouncesNobody,
    /// What a supervisor has expected outlives its channel, and has no end.
    ExpectsForEver,
    /// A successor ends with its supervisor.
    TiedToTheSupervisor,
    /// One that could not be judged stays stopped.
    NeverThaws,
    /// Nobody is told what came of a replacement that was called off.
    TellsNothing,
    /// The last word of an owner is waited for without an end.
    WaitsForTheOwner,
}
