//! What every drawing as SVG has: its width, its beginning, and text that XML allows.

use crate::text::safe::one_line;

/// The width of every drawing.
pub(crate) const WIDTH: f64 = 680.0;

/// Text in XML, in one line without the characters that XML forbids.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in one_line(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// The beginning of an SVG: what it is called and what there is to see, and more attributes.
pub(crate) fn open(
    width: f64,
    height: f64,
    (title, description): (&str, &str),
    more: &str,
) -> String {
    let (title, description) = (escaped(title), escaped(description));
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" aria-label=\"{title}\"{more}><title>{title}</title><desc>{description}</desc>"
    )
}
