//! Peers that do as a script says: an incumbent in a thread of the test, a successor in a process of its own.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use beyond_handoff as handoff;
use handoff::frame::{read_message, write_message};
use handoff::protocol::{Capabilities, HandoffId, Message, Side};

use super::daemon::{note, said};

pub fn hello(role: Side, pid: u32, versions: (u16, u16)) -> Message {
    let (proto_min, proto_max) = versions;
    Message::Hello { role, pid, build_id: b"raw".to_vec(), proto_min, proto_max, capabilities: Capabilities::default() }
}

pub fn say(stream: &UnixStream, message: &Message) -> bool {
    write_message(&mut &*stream, 1, message).is_ok()
}

/// What the supervisor says next; `None`: it has closed the channel.
pub fn hear(stream: &UnixStream) -> Option<Message> {
    read_message(&mut &*stream).ok().map(|(_, message)| message)
}

pub fn hear_id(stream: &UnixStream) -> Option<HandoffId> {
    match hear(stream)? {
        Message::HelloAck { handoff_id, .. } => Some(handoff_id),
        other => panic!("{other:?}"),
    }
}

/// An incumbent in this process: what it does with its first connection, with the second, and so on; from the last on it greets and waits for the end.
pub struct Incumbent {
    scripts: Arc<Mutex<VecDeque<Script>>>,
    pub heard: Arc<Mutex<Vec<String>>>,
}

pub type Script = Box<dyn FnOnce(&UnixStream, &dyn Fn(&str)) + Send>;

impl Incumbent {
    pub fn at(path: &Path) -> Self {
        let listener = UnixListener::bind(path).unwrap();
        let scripts: Arc<Mutex<VecDeque<Script>>> = Arc::default();
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let (own, notes) = (scripts.clone(), heard.clone());
        std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                let script = own.lock().unwrap().pop_front();
                let note = |text: &str| notes.lock().unwrap().push(text.to_owned());
                stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
                match script {
                    Some(script) => script(&stream, &note),
                    None => {
                        say(&stream, &hello(Side::Incumbent, std::process::id(), (1, 1)));
                        while hear(&stream).is_some() {}
                    }
                }
            }
        });
        Self { scripts, heard }
    }

    pub fn next(&self, script: impl FnOnce(&UnixStream, &dyn Fn(&str)) + Send + 'static) {
        self.scripts.lock().unwrap().push_back(Box::new(script));
    }
}

/// Greets, and is told to prepare; the id.
pub fn until_prepare(stream: &UnixStream) -> HandoffId {
    say(stream, &hello(Side::Incumbent, std::process::id(), (1, 1)));
    let id = hear_id(stream).unwrap();
    let told = hear(stream).unwrap();
    assert!(matches!(told, Message::PrepareHandoff { handoff_id, .. } if handoff_id == id), "{told:?}");
    id
}

pub fn until_seal(stream: &UnixStream) -> HandoffId {
    let id = until_prepare(stream);
    say(stream, &Message::Drained { open_conns_remaining: 0, accept_closed: true });
    let told = hear(stream).unwrap();
    assert!(matches!(told, Message::SealRequest { handoff_id } if handoff_id == id), "{told:?}");
    id
}

pub fn sealed(id: HandoffId) -> Message {
    Message::SealComplete { handoff_id: id, last_revision_per_shard: vec![1], data_dir_fingerprint: [0; 32] }
}

/// Not a test: a successor that does what `V1_SCRIPT` says, word by word.
pub fn successor() -> ! {
    super::daemon::end_with_the_test();
    note("born");
    let number: i32 = said("HANDOFF_SOCK_FD").unwrap().parse().unwrap();
    let path = format!("/proc/self/fd/{number}");
    note(&format!("channel {}", std::fs::read_link(path).unwrap().to_string_lossy().starts_with("socket:")));
    let fd = nix::unistd::dup(borrowed(number)).unwrap();
    // The only one from now on, so that its end is felt.
    nix::unistd::close(number).unwrap();
    let stream = UnixStream::from(fd);
    let own = std::process::id();
    let mut id = HandoffId::new();
    for word in said("V1_SCRIPT").unwrap().split(' ') {
        let (word, rest) = word.split_once(':').unwrap_or((word, ""));
        match word {
            "hello" => _ = say(&stream, &hello(Side::Successor, own, (1, 1))),
            "hello-as" => _ = say(&stream, &hello(Side::Successor, rest.parse().unwrap(), (1, 1))),
            "hello-incumbent" => _ = say(&stream, &hello(Side::Incumbent, own, (1, 1))),
            "hello-versions" => {
                let (low, high) = rest.split_once('-').unwrap();
                say(&stream, &hello(Side::Successor, own, (low.parse().unwrap(), high.parse().unwrap())));
            }
            "hello-of-a-child" => {
                let mut bytes = Vec::new();
                write_message(&mut bytes, 1, &hello(Side::Successor, own, (1, 1))).unwrap();
                let escaped: String = bytes.iter().map(|byte| format!("\\{byte:03o}")).collect();
                let channel = stream.as_fd().try_clone_to_owned().unwrap();
                let script = format!("printf '{escaped}' >&0");
                std::process::Command::new("sh").args(["-c", &script]).stdin(channel).status().unwrap();
            }
            "ack" => id = hear_id(&stream).unwrap(),
            "begin" => match hear(&stream) {
                Some(Message::Begin { .. }) => note("begun"),
                other => {
                    note(&format!("not begun {other:?}"));
                    std::process::exit(4);
                }
            },
            "ready" => note(&format!("ready {}", say(&stream, &ready(id)))),
            "ready-of-another" => _ = say(&stream, &ready(HandoffId::new())),
            "drained" => _ = say(&stream, &Message::Drained { open_conns_remaining: 0, accept_closed: true }),
            "hex" => {
                let bytes: Vec<u8> = (0..rest.len() / 2).map(|at| u8::from_str_radix(&rest[2 * at..2 * at + 2], 16).unwrap()).collect();
                let _ = (&stream).write_all(&bytes);
            }
            "beats" => (0..rest.parse().unwrap()).for_each(|_| _ = say(&stream, &Message::Heartbeat { ts_ms: 1 })),
            "drip" => {
                // A frame of 1 MiB, a byte at a time.
                let _ = (&stream).write_all(&(1u32 << 20).to_le_bytes());
                while (&stream).write_all(&[1]).is_ok() {
                    std::thread::sleep(Duration::from_millis(20));
                }
            }
            "stay" => loop {
                std::thread::sleep(Duration::from_secs(1));
            },
            "wait-for" => super::until(rest, || std::fs::exists(super::daemon::home().join(rest)).unwrap()),
            "end" => {
                let _ = (&stream).read(&mut [0; 1]);
                note("ended");
                std::process::exit(0);
            }
            other => panic!("{other}"),
        }
    }
    std::process::exit(0);
}

fn ready(id: HandoffId) -> Message {
    Message::Ready { handoff_id: id, listening_on: vec![], healthz_ok: true, advertised_revision_per_shard: vec![] }
}

/// The number that the environment names.
#[allow(unsafe_code)]
fn borrowed(number: i32) -> std::os::fd::BorrowedFd<'static> {
    // SAFETY: the supervisor has put the channel there, and nobody else in this process knows it.
    unsafe { std::os::fd::BorrowedFd::borrow_raw(number) }
}
