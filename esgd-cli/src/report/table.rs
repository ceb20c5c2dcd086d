//! Tables of the page: under a sentence, in a box that scrolls where the window is narrow.

use std::fmt::Write;

use crate::{draw::svg::escaped, text::spreadsheet::number as plain};

/// A table of text, whose columns sort.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    pub caption: String,
    /// None is empty: each is a button.
    pub heads: Vec<String>,
    pub rows: Vec<TableRow>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct TableRow {
    /// `own` for ESGD's, `apart` for what is no rival, `words` where cells are no numbers.
    pub class: &'static str,
    /// What is shown, perhaps in several lines, and the number that it sorts by, if not by what is shown.
    pub cells: Vec<(String, Option<f64>)>,
}

impl Table {
    /// As a table of the page, which is the `n`th; a wide one lies on its side in print.
    pub(crate) fn write(&self, html: &mut String, n: usize) {
        let wide = if self.heads.len() > 7 { " wide" } else { "" };
        // Writing to a string does not fail.
        let _ = write!(
            html,
            "<div class=\"table{wide}\">\n<p class=\"caption\" id=\"table-{n}\">{}</p>\n<p class=\"hint\">There are more columns to the right: scroll the table.</p>\n<div class=\"scroll\" role=\"group\" tabindex=\"0\" aria-labelledby=\"table-{n}\">\n<table class=\"sort\" aria-labelledby=\"table-{n}\">\n<thead><tr>",
            escaped(&self.caption)
        );
        for head in &self.heads {
            let _ = write!(
                html,
                "<th scope=\"col\"><button type=\"button\">{}</button></th>",
                escaped(head)
            );
        }
        self.body(html);
        html.push_str("</div>\n</div>\n");
    }

    /// As the values of a figure, which are shown when they are asked for.
    pub(crate) fn write_folded(&self, html: &mut String) {
        // Writing to a string does not fail.
        let _ = write!(
            html,
            "<details>\n<summary>Values<span class=\"unseen\"> of: {}</span></summary>\n<table class=\"values\">\n<thead><tr>",
            escaped(&self.caption)
        );
        for head in &self.heads {
            let _ = write!(html, "<th scope=\"col\">{}</th>", escaped(head));
        }
        self.body(html);
        html.push_str("</details>\n");
    }

    fn body(&self, html: &mut String) {
        html.push_str("</tr></thead>\n<tbody>\n");
        for row in &self.rows {
            let class = match row.class {
                "" => String::new(),
                class => format!(" class=\"{class}\""),
            };
            let _ = write!(html, "<tr{class}>");
            for (i, (text, value)) in row.cells.iter().enumerate() {
                let (tag, scope) = if i == 0 { ("th", " scope=\"row\"") } else { ("td", "") };
                let value = value.filter(|v| v.is_finite());
                let value =
                    value.map_or(String::new(), |v| format!(" data-value=\"{}\"", plain(v)));
                let text = text.split('\n').map(escaped).collect::<Vec<_>>().join("<br>");
                let _ = write!(html, "<{tag}{scope}{value}>{text}</{tag}>");
            }
            html.push_str("</tr>\n");
        }
        html.push_str("</tbody>\n</table>\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_named_by_the_sentence_above_it() {
        let cells = vec![("a <b>".into(), None), ("1\n2".into(), Some(1.0))];
        let table = Table {
            caption: "What & why".into(),
            heads: vec!["name".into(), "number".into()],
            rows: vec![TableRow { class: "own", cells }],
        };
        let mut html = String::new();
        table.write(&mut html, 3);
        assert!(html.contains("<p class=\"caption\" id=\"table-3\">What &amp; why</p>"));
        assert!(html.contains("aria-labelledby=\"table-3\""));
        assert!(html.contains("<td data-value=\"1\">1<br>2</td>"), "{html}");
        let mut html = String::new();
        table.write_folded(&mut html);
        assert!(html.starts_with("<details>") && !html.contains("<button"));
    }
}
