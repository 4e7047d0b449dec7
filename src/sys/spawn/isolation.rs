//! How a child is set apart from the host, as a command says it.

use super::orders::Standing;

/// How a child is set apart from the host.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, strum::FromRepr, strum::IntoStaticStr, strum::VariantNames)]
#[repr(i32)]
pub enum Isolation {
    /// It stays in the host's process group; signals go to the process alone.
    #[strum(serialize = "PS_ISOLATE_NONE")]
    None = 0,
    /// It leads a process group; signals go to the whole group (default).
    #[default]
    #[strum(serialize = "PS_ISOLATE_GROUP")]
    Group = 1,
    /// It leads a session, without a controlling terminal but one that it is given.
    #[strum(serialize = "PS_ISOLATE_SESSION")]
    Session = 2,
    /// It is alone with its descendants in a pid namespace, whose init (ours) is the host's child: nobody
    /// below it outlives it, whatever they do. Inside, it leads a process group.
    #[strum(serialize = "PS_ISOLATE_CONTAINED")]
    Contained = 3,
}

impl From<Isolation> for Standing {
    fn from(isolation: Isolation) -> Self {
        match isolation {
            Isolation::None => Standing::Same,
            Isolation::Group | Isolation::Contained => Standing::Group,
            Isolation::Session => Standing::Session,
        }
    }
}
