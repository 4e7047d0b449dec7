//! Any bytes as what a process says of its sockets (response/properties.json): sockets within the bounds that C has room for, or all that is wrong;
//! and no path is taken that was not seen.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use procsup::preloader::session::properties::{Rules, sockets};

fuzz_target!(|data: &[u8]| {
    let Some((first, bytes)) = data.split_first() else { return };
    let seen = |path: &Path| (!path.starts_with("/s")).then(|| "is elsewhere".to_owned());
    let port = if first & 2 != 0 { Some(5000) } else { None };
    let rules = Rules { preloader: first & 1 != 0, port, library: first & 4 != 0, unix: &seen };
    match sockets(bytes, &rules) {
        Ok(found) => {
            assert!(found.iter().any(|socket| if rules.preloader { socket.protocol == "preloader" } else { socket.accepts_http }));
            for socket in found {
                assert!(socket.address.len() <= 255 && socket.protocol.len() <= 31 && socket.name.len() <= 63);
                assert!(!(socket.name.clone() + &socket.address + &socket.protocol + &socket.description).contains('\0'));
                assert!(socket.address.starts_with("tcp://") || socket.address.starts_with("unix:/s"));
                assert!(!socket.accepts_http || ["http", "session"].contains(&&*socket.protocol));
            }
        }
        Err(wrong) => {
            let (whose, other) = if rules.library { (wrong.library, wrong.application) } else { (wrong.application, wrong.library) };
            assert!((1..=65).contains(&whose.len()) && other.is_empty());
        }
    }
});
