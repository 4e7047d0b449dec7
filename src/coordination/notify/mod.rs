//! What a child says about itself, by the convention of sd_notify(3): that it is ready, how it goes, that it lives.
//!
//! The trap: anybody of the network namespace may speak to the socket. Who is believed is decided by the kernel's word for who it was.
//!
//! | file          | what                                             |
//! |---------------|--------------------------------------------------|
//! | `words.rs`    | one message, taken apart (pure)                  |
//! | `receiver.rs` | a child's own socket, and whose words count      |

mod receiver;
mod words;

pub use receiver::{Receiver, Whom};
pub use words::{Bark, Message, Says, parse};

/// Whose words count.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, strum::FromRepr, strum::IntoStaticStr, strum::VariantNames)]
#[repr(i32)]
pub enum Access {
    /// The child's own process (default).
    #[default]
    #[strum(serialize = "PS_NOTIFY_MAIN")]
    Main = 0,
    /// Every process of its group, and of a control group of its own.
    #[strum(serialize = "PS_NOTIFY_GROUP")]
    Group = 1,
}
