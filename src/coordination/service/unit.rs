//! Whether the service manager, or the container, would follow this process to its successor.
//!
//! The trap: systemd takes the end of a unit's main process for the end of the service, and kills who is left of it. A main process that is replaced
//! therefore has to have said who follows it (`MAINPID=`), and where a unit hears nobody (Type=simple, exec, forking without NotifyAccess=) that cannot
//! be said: the reload ends the service, and only when everything has gone well. So it is looked for before anything is begun.
//!
//! The same with the first process of a pid namespace, only harder: when it ends the kernel kills all others of the namespace.
//!
//! `SYSTEMD_EXEC_PID` (systemd 248) says which process systemd has started; beside `INVOCATION_ID` it is a unit's, and if it is our own number, we
//! are the main process. Children inherit both, and are not. What systemd before 248 starts cannot be told from its children, nor can what other
//! supervisors start, who follow no convention of this kind: nothing is said of those.
//!
//! What cannot be seen: ExitType=cgroup (systemd 250), where the unit lives as long as one of its processes does.
//!
//! Source: systemd.exec(5), "Environment Variables Set or Propagated by the Service Manager"; systemd.service(5), ExitType=, NotifyAccess=.

use super::variables::{self, INVOCATION_ID, NOTIFY_SOCKET, SYSTEMD_EXEC_PID};
use crate::error::{Error, Result, Status};
use crate::sys;

/// What stands in the environment.
#[derive(Clone, Copy, Debug)]
struct Said<'a> {
    invocation: bool,
    exec_pid: Option<&'a [u8]>,
    notify: bool,
}

/// Whether its end would be the service's, whoever follows. A number that makes no sense says nothing.
fn is_deaf(said: Said<'_>, own: i32) -> bool {
    let main = said.exec_pid.is_some_and(|pid| variables::is_pid(SYSTEMD_EXEC_PID, pid, own) == Ok(true));
    said.invocation && main && !said.notify
}

/// `Unsupported`: this is the main process of a unit that hears nobody, or the first process of a container.
pub fn check_replaceable() -> Result<()> {
    if sys::getpid() == 1 {
        let message = "this process is the first of its pid namespace, a container's: when it ends the kernel kills all others there, the successor \
                       among them; start the server below a process that stays";
        return Err(Error::new(Status::Unsupported, "getpid", message));
    }
    let exec_pid = variables::value(SYSTEMD_EXEC_PID)?;
    let Some(exec_pid) = exec_pid else { return Ok(()) };
    let is_set = |name| variables::value(name).map(|value| value.is_some());
    let said = Said { invocation: is_set(INVOCATION_ID)?, exec_pid: Some(exec_pid.to_bytes()), notify: is_set(NOTIFY_SOCKET)? };
    if !is_deaf(said, sys::getpid()) {
        return Ok(());
    }
    let message = "this process is the main process of a systemd unit that cannot be told who follows it (NOTIFY_SOCKET is not set): systemd would \
                   take its end for the end of the service, and kill the successor; the unit needs Type=notify or notify-reload, and NotifyAccess=all";
    Err(Error::new(Status::Unsupported, NOTIFY_SOCKET, message))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SIMPLE: Said<'_> = Said { invocation: true, exec_pid: Some(b"7"), notify: false };

    #[test]
    fn only_the_main_process_of_a_unit_that_hears_nobody_is_deaf() {
        assert!(is_deaf(SIMPLE, 7));
        assert!(!is_deaf(SIMPLE, 8), "a child, or a successor");
        assert!(!is_deaf(Said { notify: true, ..SIMPLE }, 7), "Type=notify");
        assert!(!is_deaf(Said { invocation: false, ..SIMPLE }, 7), "no unit");
        assert!(!is_deaf(Said { exec_pid: None, ..SIMPLE }, 7), "another supervisor, or systemd before 248");
    }

    proptest! {
        #[test]
        fn no_value_of_a_stranger_is_an_error(pid in "[0-9]{0,12}|.*", invocation: bool, notify: bool) {
            let said = Said { invocation, exec_pid: Some(pid.as_bytes()), notify };
            prop_assert_eq!(is_deaf(said, 7), invocation && !notify && pid.parse() == Ok(7) && !pid.starts_with('+'));
        }
    }
}
