//! Which way a child was made, as its owner is told: one of the spawn engine's, or none of them.

use crate::sys::spawn;

/// How a child was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, strum::FromRepr, strum::IntoStaticStr, strum::VariantNames)]
#[strum(suffix = "\0")]
#[repr(u8)]
pub enum Tier {
    /// clone3 on shared memory: the cost does not depend on the host's size.
    #[strum(serialize = "PS_TIER_CLONE3")]
    Clone3 = 1,
    /// clone on shared memory: the same for kernels and filters without clone3.
    #[strum(serialize = "PS_TIER_CLONE")]
    Clone = 2,
    /// A fork: for a change of user, and where memory cannot be shared. Costs in proportion to the host's
    /// resident memory.
    #[strum(serialize = "PS_TIER_FORK")]
    Fork = 3,
    /// Its preloader has forked it: it is no child of this process in the eyes of the kernel.
    #[strum(serialize = "PS_TIER_PRELOADER")]
    Preloader = 4,
    /// A spawner has made it, see ps_supervisor_set_spawner: it shares no memory with this process.
    #[strum(serialize = "PS_TIER_SPAWNER")]
    Spawner = 5,
}

impl From<spawn::Tier> for Tier {
    fn from(tier: spawn::Tier) -> Self {
        match tier {
            spawn::Tier::Clone3 => Tier::Clone3,
            spawn::Tier::Clone => Tier::Clone,
            spawn::Tier::Fork => Tier::Fork,
        }
    }
}

impl Tier {
    /// The name that `PROCSUP_SPAWN_TIER` knows it by, if it can be asked for.
    pub fn name(self) -> &'static str {
        match self {
            Tier::Clone3 => "clone3",
            Tier::Clone => "clone",
            Tier::Fork => "fork",
            Tier::Preloader => "preloader",
            Tier::Spawner => "spawner",
        }
    }
}
