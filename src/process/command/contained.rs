//! A command whose child is contained: alone with its descendants in a pid namespace (`sys/spawn/contained/`).
//!
//! The trap: the host's child is the init of that namespace, not the program. Whatever takes the child's number for the program's, or leaves somebody of
//! it alive, is refused here.

use super::Command;
use crate::error::{Error, Result, Status};
use crate::sys::spawn::Isolation;

impl Command {
    /// Refuses survivors: with the init of a namespace the kernel kills all who are in it.
    pub(super) fn check_containment(&self, isolation: Isolation, sweeps: bool) -> Result<()> {
        if isolation != Isolation::Contained || sweeps {
            return Ok(());
        }
        Err(Error::invalid("survivors", "PS_SURVIVORS_LEAVE: nobody outlives a contained child (PS_ISOLATE_CONTAINED)"))
    }

    /// Whether its child is contained.
    pub fn is_contained(&self) -> bool {
        self.identity.isolation == Isolation::Contained
    }

    /// Refuses a contained child to those who know a process by its number: it says of itself another one than it has here.
    pub fn check_number_is_its_own(&self, what: &str) -> Result<()> {
        if !self.is_contained() {
            return Ok(());
        }
        let message = format!("PS_ISOLATE_CONTAINED: {what} is known by its number, and has another one inside");
        Err(Error::new(Status::Unsupported, "isolate", message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_survives_and_nobody_is_promised_to() {
        let mut command = Command::new("x").unwrap();
        command.isolate(Isolation::Contained).unwrap();
        assert_eq!(command.sweep_survivors(false).unwrap_err().step, "survivors");
        assert!(command.sweeps() && command.is_made_here());
        command.isolate(Isolation::Group).unwrap().sweep_survivors(false).unwrap();
        assert_eq!(command.isolate(Isolation::Contained).unwrap_err().step, "survivors");
        assert!(!command.is_contained() && !command.is_made_here());
    }

    #[test]
    fn who_goes_by_numbers_refuses_it() {
        let mut command = Command::new("x").unwrap();
        command.check_number_is_its_own("a worker").unwrap();
        command.isolate(Isolation::Contained).unwrap();
        assert_eq!(command.check_number_is_its_own("a worker").unwrap_err().status, Status::Unsupported);
        assert!(command.check_outlives_host().is_err() && command.check_birth().is_err());
    }
}
