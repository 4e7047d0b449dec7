//! As much of HTTP as a look at somebody's health needs: one request, and the status of its answer. Pure.
//!
//! The trap: the answer is a stranger's. No more than [`LONGEST`] bytes of it are looked at, and nothing of it counts but the status line.

use crate::coordination::probe::Address;
use crate::error::Result;

/// So much of an answer is read: a status line, whatever stands in it.
pub const LONGEST: usize = 1024;

/// The address, and what is said there.
pub fn asked(url: &str) -> Result<(String, Vec<u8>)> {
    let rest = url.strip_prefix("http://").unwrap_or(url);
    let (host, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
    let has_port =
        host.rsplit_once(':').is_some_and(|(before, port)| !port.ends_with(']') && (!before.contains(':') || before.ends_with(']')));
    let address = if has_port { format!("tcp:{host}") } else { format!("tcp:{host}:80") };
    Address::parse("detail", &address)?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: procsup\r\nAccept: */*\r\nConnection: close\r\n\r\n");
    Ok((address, request.into_bytes()))
}

/// What the beginning of an answer says; `None`: not enough of it is there.
pub fn status(answer: &[u8], ended: bool) -> Option<core::result::Result<(), String>> {
    let code = |line: &[u8]| {
        let rest = line.strip_prefix(b"HTTP/1.0 ").or_else(|| line.strip_prefix(b"HTTP/1.1 "))?;
        let digits = rest.get(..3).filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
        let ends = rest.get(3).is_none_or(|byte| matches!(byte, b' ' | b'\r' | b'\n'));
        ends.then(|| digits.iter().fold(0u32, |code, digit| code * 10 + u32::from(digit - b'0')))
    };
    let line = answer.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if line.len() == answer.len() && !ended && answer.len() < LONGEST {
        return None;
    }
    Some(match code(line) {
        Some(200..=299) if line.len() < answer.len() => Ok(()),
        Some(code @ 100..=999) if line.len() < answer.len() => Err(format!("it has answered {code}")),
        _ if answer.is_empty() => Err("it has closed the connection without an answer".to_owned()),
        _ => Err("its answer is none of HTTP/1".to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_an_address_and_a_request() {
        let (address, request) = asked("http://127.0.0.1:81/a?b=%p").unwrap();
        assert_eq!(address, "tcp:127.0.0.1:81");
        assert!(request.starts_with(b"GET /a?b=%p HTTP/1.1\r\nHost: 127.0.0.1:81\r\n") && request.ends_with(b"\r\n\r\n"));
        assert_eq!(asked("http://localhost").unwrap().0, "tcp:localhost:80");
        assert_eq!(asked("http://[::1]").unwrap().0, "tcp:[::1]:80");
        assert_eq!(asked("http://[::1]:8080/x").unwrap().0, "tcp:[::1]:8080");
        for bad in ["http://example.org/", "http://127.0.0.1:99999/", "http:///x", "http://127.0.0.1:/"] {
            assert!(asked(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_a_status_line_of_success_is_healthy() {
        assert_eq!(status(b"HTTP/1.1 20", false), None);
        assert_eq!(status(b"HTTP/1.1 204 No Content\r\nA", false), Some(Ok(())));
        assert_eq!(status(b"HTTP/1.0 200\n", false), Some(Ok(())));
        for bad in
            [&b"HTTP/1.1 503 x\r\n"[..], b"HTTP/1.1 2000 OK\r\n", b"HTTP/2 200\r\n", b"SSH-2.0\r\n", b"HTTP/1.1 302 Found\r\n", b"\n"]
        {
            assert!(matches!(status(bad, false), Some(Err(_))), "{bad:?}");
        }
        assert!(matches!(status(b"", true), Some(Err(_))));
        assert!(matches!(status(b"HTTP/1.1 200 OK", true), Some(Err(_))), "cut off");
        assert!(matches!(status(&[b'x'; LONGEST], false), Some(Err(_))), "no line of this length");
    }
}
