//! Renderings of what is told to people and programs: an error with all that is known of it, and the journey on which it happened.
//!
//! The trap: nearly everything in a report comes from elsewhere (a path, what a child wrote, a peer's name), so nothing of it may become
//! syntax, and nothing may command the terminal on which it is read (`plain.rs`). JSON is left to serde_json; a page passes each piece through the
//! one `escape` (`escape.rs`); text indents what may have lines.
//!
//! | file      | for whom                                                        |
//! |-----------|-----------------------------------------------------------------|
//! | `text.rs` | a log or a terminal                                             |
//! | `json.rs` | a program                                                       |
//! | `html.rs` | a browser: one page that needs nothing else (`page.css`), with a timeline (`timeline.rs`) |
//! | `prose.rs` | text and page: paragraphs, lists, quotations                    |
//! | `plain.rs` | all of them: what a terminal would obey, as C writes it        |
//! | `account.rs` | all of them: something that is over, with what is known of it |
//! | `dumps.rs` | none: what an application has told of itself, as data          |
//! | `case.rs` | none: what was put together about a failed start, as data        |

pub(crate) mod account;
pub mod case;
pub mod dumps;
mod escape;
mod html;
mod json;
pub(crate) mod plain;
mod prose;
mod text;
mod timeline;

use nix::errno::Errno;

use crate::error::{Details, Error};

fn errno_name(errno: Errno) -> String {
    format!("{errno:?}")
}

/// What is known beside the message, by name.
fn details(error: &Error) -> Vec<(&'static str, String)> {
    let Details { status: _, errno, step, message: _, pid, output: _, retry_after_ms, storm, journey: _, case } = &**error;
    let mut details = Vec::new();
    let facts = case.iter().flat_map(|case| case.facts.iter());
    details.extend(facts.map(|(name, value)| (*name, value.clone())));
    if !step.is_empty() {
        details.push(("step", (*step).to_owned()));
    }
    if let Some(errno) = errno {
        details.push(("errno", format!("{} {}: {}", *errno as i32, errno_name(*errno), errno.desc())));
    }
    if let Some(pid) = pid {
        details.push(("pid", pid.to_string()));
    }
    if let Some(after) = retry_after_ms {
        details.push(("retry after", format!("{after} ms")));
    }
    if *storm {
        details.push(("storm", "the first refusal of this window".to_owned()));
    }
    details
}

/// Nanoseconds for a reader.
pub(crate) fn duration(nanos: i64) -> String {
    match nanos {
        ..1_000_000 => format!("{} us", nanos / 1_000),
        1_000_000..10_000_000_000 => format!("{}.{} ms", nanos / 1_000_000, nanos / 100_000 % 10),
        _ => format!("{}.{} s", nanos / 1_000_000_000, nanos / 100_000_000 % 10),
    }
}

/// A time of day, given as nanoseconds since 1970, as RFC 3339 writes it: in UTC, to the microsecond.
fn time_of_day(nanos: i64) -> String {
    let (seconds, rest) = (nanos.div_euclid(1_000_000_000), nanos.rem_euclid(1_000_000_000));
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Days of the civil calendar, in years that begin in March and eras of 400 of them (Howard Hinnant, chrono-compatible date algorithms).
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year + i64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:06}Z", rest / 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journey::{Journey, Route};

    const ROUTE: Route = Route { kind: "IT", title: "starting <it>", steps: &["prepare & fork", "handshake", "finish"] };

    /// With everything that an error can have, all of it hostile.
    fn failed() -> Error {
        let mut error = Error::system("exec", Errno::ENOENT, "cannot run \"<x>\"");
        error.output = b"so & so\n</pre><script>'\xff".to_vec();
        let mut journey = Journey::new(&ROUTE);
        assert!(journey.begin("prepare & fork", 1_000_000) && journey.end("prepare & fork", 3_500_000));
        assert!(journey.begin("handshake", 3_500_000) && journey.fail("handshake", 11_000_000));
        error.journey = Some(Box::new(journey));
        error
    }

    #[test]
    fn every_rendering_carries_step_errno_output_and_journey() {
        let error = failed();
        for text in [error.render_text(), error.render_json(), error.render_html()] {
            for part in ["exec", "ENOENT", "PS_ERR_NOT_FOUND", "handshake", "errored", "not started"] {
                assert!(text.contains(part), "{part} in {text}");
            }
        }
    }

    #[test]
    fn text_says_when_each_step_was_begun_and_how_long_it_took() {
        let text = failed().render_text();
        assert!(text.contains("  journey: starting <it>\n"), "{text}");
        assert!(text.contains("    prepare & fork  performed    at 0 us, took 2.5 ms\n"), "{text}");
        assert!(text.contains("    handshake       errored      at 2.5 ms, took 7.5 ms\n"), "{text}");
        assert!(text.contains("    finish          not started\n"), "{text}");
    }

    #[test]
    fn json_has_the_journey_as_a_list_in_its_order_and_null_without() {
        let json: serde_json::Value = serde_json::from_str(&failed().render_json()).unwrap();
        let steps = json["journey"]["steps"].as_array().unwrap();
        assert_eq!((json["journey"]["title"].as_str(), steps.len()), (Some("starting <it>"), 3));
        assert_eq!((steps[1]["name"].as_str(), steps[1]["state"].as_str()), (Some("handshake"), Some("errored")));
        assert_eq!((steps[1]["begin_ns"].as_i64(), steps[1]["duration_ns"].as_i64()), (Some(3_500_000), Some(7_500_000)));
        assert!(steps[2]["begin_ns"].is_null());
        let plain: serde_json::Value = serde_json::from_str(&Error::invalid("x", "y").render_json()).unwrap();
        assert!(plain["journey"].is_null() && plain["output"].is_null());
    }

    #[test]
    fn nothing_in_a_page_becomes_syntax() {
        let page = failed().render_html();
        assert!(page.contains("so &amp; so") && page.contains("&lt;/pre&gt;&lt;script&gt;&#39;\u{FFFD}"), "{page}");
        assert!(page.contains("starting &lt;it&gt;") && page.contains("prepare &amp; fork") && !page.contains("\"<x>\""));
        for alone in ["http:", "https:", "src=", "href=", "<script", "<link", "url("] {
            assert!(!page.contains(alone), "needs nothing else: {alone}");
        }
        let opened = page.matches('<').count();
        assert_eq!(opened, page.matches('>').count());
    }

    // covers: PA-69
    #[test]
    fn a_journey_that_went_well_is_told_without_an_error() {
        let mut journey = Journey::new(&ROUTE).dated(1_000_000_000);
        for (place, step) in ROUTE.steps.iter().enumerate() {
            let begin = place as i64 * 1_000_000;
            assert!(journey.begin(step, begin) && journey.end(step, begin + 1_000_000));
        }
        let json: serde_json::Value = serde_json::from_str(&journey.render_json()).unwrap();
        assert_eq!((json["type"].as_str(), json["steps"][2]["state"].as_str()), (Some("IT"), Some("performed")));
        assert_eq!(json["steps"][1]["begin_time"]["absolute"].as_str(), Some("1970-01-01T00:00:01.001000Z"));
        assert!(journey.render_text().starts_with("starting <it> (IT)\n  prepare & fork  performed    at 0 us, took 1.0 ms\n"));
        let page = journey.render_html();
        assert!(page.contains("<h1>Starting &lt;it&gt;</h1>") && page.contains("It took 3.0 ms.") && page.contains("<ol>"), "{page}");
        for text in [journey.render_text(), journey.render_json(), page] {
            assert!(!["PS_OK", "message", "wrong", "errno", "Error"].iter().any(|word| text.contains(word)), "{text}");
        }
    }

    #[test]
    fn a_page_of_a_journey_says_where_it_stopped() {
        let page = |journey: &Journey| journey.render_html();
        let mut journey = Journey::new(&ROUTE);
        assert!(page(&journey).contains("Nothing of it was begun."));
        assert!(journey.begin("handshake", 1_000_000));
        assert!(page(&journey).contains("It is at <code>handshake</code>."));
        assert!(journey.fail("handshake", 3_000_000));
        assert!(page(&journey).contains("It failed at <code>handshake</code> after 2.0 ms."));
        assert!(journey.set("handshake", crate::journey::Progress::Errored, None, None));
        assert!(page(&journey).contains("It failed at <code>handshake</code>."));
    }

    #[test]
    fn a_page_shows_each_step_where_it_lies_in_time() {
        let page = failed().render_html();
        assert!(page.contains("<i style=\"left:0.0%;width:25.0%\">") && page.contains("<i style=\"left:25.0%;width:75.0%\">"), "{page}");
        assert!(!Error::invalid("x", "y").render_html().contains("<ol"));
    }

    #[test]
    fn f27_no_rendering_commands_a_terminal() {
        let hostile = "\x1b[2J\x07\r\u{9b}31m\u{202e}\n";
        let mut error = Error::system("exec", Errno::ENOENT, format!("cannot run {hostile}grün"));
        error.output = format!("one\ttwo {hostile}three").into_bytes();
        for text in [error.to_string(), error.render_text(), error.render_json(), error.render_html()] {
            for raw in ['\x1b', '\x07', '\r', '\u{9b}', '\u{202e}'] {
                assert!(!text.contains(raw), "{raw:?} in {text:?}");
            }
            assert!(text.contains("grün"));
        }
        assert_eq!(error.to_string().lines().count(), 1);
        assert!(
            error.render_text().starts_with(r"PS_ERR_NOT_FOUND: cannot run \x1b[2J\x07\r\u009b31m\u202e\ngrün: exec failed"),
            "{}",
            error.render_text()
        );
        assert!(error.render_text().contains("    one\ttwo \\x1b[2J\\x07\\r\\u009b31m\\u202e\n    three\n"), "{}", error.render_text());
        // A program reads what it was.
        let json: serde_json::Value = serde_json::from_str(&error.render_json()).unwrap();
        assert!(json["message"].as_str().unwrap().contains(hostile) && json["output"].as_str().unwrap().contains(hostile));
    }

    #[test]
    fn a_time_of_day_is_written_as_rfc_3339_does() {
        let read = [0, 951_782_399_999_999_999, 1_709_164_800_000_001_000, 4_102_444_799_000_000_000, -1].map(time_of_day);
        assert_eq!(
            read,
            [
                "1970-01-01T00:00:00.000000Z",
                "2000-02-28T23:59:59.999999Z",
                "2024-02-29T00:00:00.000001Z",
                "2099-12-31T23:59:59.000000Z",
                "1969-12-31T23:59:59.999999Z"
            ]
        );
        assert!(time_of_day(i64::MAX).starts_with("2262-") && time_of_day(i64::MIN).starts_with("1677-"));
    }

    #[test]
    fn durations_have_the_unit_that_reads_best() {
        let read = [0, 999_999, 1_000_000, 9_999_950_000, 10_000_000_000, i64::MAX].map(duration);
        assert_eq!(read, ["0 us", "999 us", "1.0 ms", "9999.9 ms", "10.0 s", "9223372036.8 s"]);
    }
}
