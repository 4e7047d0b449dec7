//! What is said to a daemon: HTTP/1.1, one GET of "/".

use super::super::client::{Heard, Log, Speech};

pub struct Http;

impl Speech for Http {
    const AGAIN: bool = true;

    fn ask(_id: u64, keep: bool, into: &mut Vec<u8>) {
        let connection: &[u8] = if keep { b"keep-alive" } else { b"close" };
        into.extend_from_slice(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: ");
        into.extend_from_slice(connection);
        into.extend_from_slice(b"\r\n\r\n");
    }

    fn hear(_id: u64, bytes: &[u8], _log: &mut Log) -> Result<Option<Heard>, String> {
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
        let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
        let field = |name: &str| {
            head.lines()
                .filter_map(|line| line.split_once(':'))
                .find(|(found, _)| *found == name)
                .map(|(_, value)| value.trim())
        };
        let body = field("content-length").and_then(|value| value.parse::<usize>().ok());
        let body = body.ok_or_else(|| format!("an answer without a length: {head}"))?;
        let length = end + 4 + body;
        if bytes.len() < length {
            return Ok(None);
        }
        let right = head.starts_with("http/1.1 200") || head.starts_with("http/1.0 200");
        Ok(Some(Heard { length, right, last: field("connection") == Some("close") }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(text: &str) -> Option<(usize, bool, bool)> {
        let heard = Http::hear(1, text.as_bytes(), &mut Log::default()).unwrap();
        heard.map(|heard| (heard.length, heard.right, heard.last))
    }

    #[test]
    fn an_answer_is_whole_when_its_body_is() {
        let head = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n";
        assert_eq!(heard(head), None);
        assert_eq!(heard(&format!("{head}\r\nab")), None);
        assert_eq!(heard(&format!("{head}\r\nabc")), Some((head.len() + 5, true, false)));
        assert_eq!(heard(&format!("{head}Connection: close\r\n\r\nabc")).map(|heard| heard.2), Some(true));
        assert_eq!(heard("HTTP/1.1 502 Bad\r\nContent-Length: 0\r\n\r\n").map(|heard| heard.1), Some(false));
    }
}
