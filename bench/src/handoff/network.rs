//! The network that the measurement has to itself: a namespace of its own where that is permitted (as root), with its
//! own counters and limits, else the host's loopback.

use nix::sched::{CloneFlags, unshare};
use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, SockaddrIn, bind, listen as listen_on, setsockopt, socket, sockopt,
};
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::os::fd::AsRawFd;

/// Before there is a thread. `false`: it is the host's.
pub fn isolate() -> bool {
    if unshare(CloneFlags::CLONE_NEWNET).is_err() || raise_loopback().is_none() {
        return false;
    }
    // Thousands of connections a second use up the usual ports within seconds, and each leaves a TIME_WAIT for a minute.
    let wide = [("ipv4/ip_local_port_range", "1024 65535"), ("ipv4/tcp_max_tw_buckets", "1000000")];
    wide.iter().for_each(|(name, value)| drop(set(name, value)));
    true
}

pub fn set(name: &str, value: &str) -> Result<(), String> {
    std::fs::write(format!("/proc/sys/net/{name}"), value).map_err(|error| format!("net/{name}: {error}"))
}

fn raise_loopback() -> Option<()> {
    let any = socket(AddressFamily::Inet, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None).ok()?;
    // SAFETY: a structure of plain numbers, and a name that fits.
    unsafe {
        let mut request: libc::ifreq = std::mem::zeroed();
        request.ifr_name[0] = b'l' as libc::c_char;
        request.ifr_name[1] = b'o' as libc::c_char;
        request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
        (libc::ioctl(any.as_raw_fd(), libc::SIOCSIFFLAGS, &request) == 0).then_some(())
    }
}

/// A non-blocking listener on loopback; port 0: any.
pub fn listen(port: u16, backlog: u32, reuse_port: bool) -> Result<TcpListener, String> {
    let make = || {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let fd = socket(AddressFamily::Inet, SockType::Stream, flags, None)?;
        setsockopt(&fd, sockopt::ReuseAddr, &true)?;
        if reuse_port {
            setsockopt(&fd, sockopt::ReusePort, &true)?;
        }
        bind(fd.as_raw_fd(), &SockaddrIn::new(127, 0, 0, 1, port))?;
        listen_on(&fd, Backlog::new(backlog as i32)?)?;
        Ok(TcpListener::from(fd))
    };
    make().map_err(|errno: nix::Error| format!("listening on port {port}: {errno}"))
}

/// What the kernel has dropped or refused since it was started.
pub const COUNTERS: [&str; 7] = [
    "TcpExt.ListenOverflows",
    "TcpExt.ListenDrops",
    "TcpExt.TCPReqQFullDrop",
    "TcpExt.TCPAbortOnClose",
    "TcpExt.TCPMigrateReqSuccess",
    "Tcp.OutRsts",
    "Tcp.RetransSegs",
];

pub type Counts = BTreeMap<&'static str, u64>;

pub fn counts() -> Counts {
    let text =
        ["/proc/self/net/netstat", "/proc/self/net/snmp"].map(|path| std::fs::read_to_string(path).unwrap_or_default());
    let mut found = BTreeMap::new();
    for file in &text {
        // Two lines each: "Tcp: Name Name ...", "Tcp: 1 2 ...".
        let lines: Vec<&str> = file.lines().collect();
        for pair in lines.chunks_exact(2) {
            let group = pair[0].split(':').next().unwrap_or_default();
            for (name, value) in pair[0].split_whitespace().zip(pair[1].split_whitespace()).skip(1) {
                let known = COUNTERS.iter().find(|known| known.split_once('.') == Some((group, name)));
                if let (Some(&known), Ok(value)) = (known, value.parse()) {
                    found.insert(known, value);
                }
            }
        }
    }
    found
}

pub fn since(before: &Counts) -> Counts {
    counts().into_iter().map(|(name, now)| (name, now.saturating_sub(before.get(name).copied().unwrap_or(0)))).collect()
}
