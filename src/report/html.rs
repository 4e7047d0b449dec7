//! As a page that stands by itself: no script, no picture, nothing to load; light and dark, narrow and wide.

use std::fmt::Write as _;

use super::{details, duration, plain};
use crate::error::Error;
use crate::journey::{Journey, Progress};

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#5b6570;--paper:#fff;--panel:#f3f4f6;--good:#1a7f4b;--bad:#b3261e;--busy:#9a6700}\
@media(prefers-color-scheme:dark){:root{--ink:#e6e8ea;--soft:#9aa4ae;--paper:#14171a;--panel:#1f2429;--good:#4cc38a;--bad:#ff7b72;--busy:#e3b341}}\
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:52rem;margin:2rem auto;padding:0 1rem}\
h1{font-size:1.25rem;color:var(--bad)}h2{font-size:1rem;margin-top:2rem}p,td,pre{overflow-wrap:anywhere}\
th{text-align:left;vertical-align:top;padding-right:1.5rem;font-weight:600;white-space:nowrap}\
pre{background:var(--panel);padding:1rem;overflow:auto;white-space:pre-wrap;border-radius:.4rem}\
ol{list-style:none;margin:0;padding:0}\
li{display:grid;grid-template-columns:minmax(0,14rem) 6rem minmax(4rem,1fr) 5.5rem;gap:.25rem 1rem;align-items:center;padding:.2rem 0}\
li b{font-weight:500;overflow-wrap:anywhere}li span{color:var(--soft);font-size:.875rem}li span:last-child{text-align:right}\
u{display:block;position:relative;height:.75rem;background:var(--panel);border-radius:.4rem;overflow:hidden}\
i{position:absolute;top:0;bottom:0;min-width:3px;border-radius:.4rem;background:var(--soft)}\
.performed i{background:var(--good)}.errored i{background:var(--bad)}.errored b,.errored span{color:var(--bad)}.busy i{background:var(--busy)}\
@media(max-width:40rem){li{grid-template-columns:minmax(0,1fr) auto auto}li u{grid-column:1/-1;grid-row:2}}";

/// Whatever it holds, it is text in a page.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in plain::lines(text).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

impl Error {
    /// As a page that stands by itself.
    pub fn render_html(&self) -> String {
        let status = self.status.name();
        let mut page = format!(
            "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
             <title>{status}</title><style>{STYLE}</style></head><body><h1>{status}</h1><p>{}</p><table>",
            escape(&self.message)
        );
        for (name, value) in details(self) {
            let _ = write!(page, "<tr><th>{}</th><td>{}</td></tr>", escape(name), escape(&value));
        }
        page.push_str("</table>");
        if let Some(journey) = &self.journey {
            timeline(&mut page, journey);
        }
        if !self.output.is_empty() {
            let _ = write!(page, "<h2>Output</h2><pre>{}</pre>", escape(&String::from_utf8_lossy(&self.output)));
        }
        page.push_str("</body></html>\n");
        page
    }
}

/// A line per step: name, state, a bar where it lies in the whole, how long it took.
fn timeline(page: &mut String, journey: &Journey) {
    let (first, last) = journey.span().unwrap_or_default();
    let whole = last.saturating_sub(first).max(1) as f64;
    let percent = |nanos: i64| (nanos as f64 / whole * 100.0).clamp(0.0, 100.0);
    let _ = write!(page, "<h2>{}</h2><ol>", escape(journey.title()));
    for (place, step) in journey.steps().iter().enumerate() {
        let class = match step.progress {
            Progress::NotStarted => "idle",
            Progress::InProgress => "busy",
            Progress::Performed => "performed",
            Progress::Errored => "errored",
        };
        let bar = step.begin.map(|begin| {
            // Without an end it goes on until the last moment that is known.
            let end = journey.end_of(place).unwrap_or(last);
            let (left, width) = (percent(begin.saturating_sub(first)), percent(end.saturating_sub(begin)));
            format!("<i style=\"left:{left:.1}%;width:{width:.1}%\"></i>")
        });
        let _ = write!(
            page,
            "<li class=\"{class}\"><b>{}</b><span>{}</span><u>{}</u><span>{}</span></li>",
            escape(step.name),
            step.progress.name(),
            bar.unwrap_or_default(),
            journey.duration(place).map(duration).unwrap_or_default(),
        );
    }
    page.push_str("</ol>");
}
