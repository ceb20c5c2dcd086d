//! The page: sections of figures and tables in one file that needs nothing else.

use std::fmt::Write;

use super::{chart::escaped, figures::Figure, palette};

/// A table of text, whose columns sort.
#[derive(Clone, Debug, Default)]
pub struct Table {
    pub caption: String,
    pub heads: Vec<String>,
    pub rows: Vec<TableRow>,
}

#[derive(Clone, Debug, Default)]
pub struct TableRow {
    /// `own` for ESGD's, `apart` for what is no rival, `words` where cells are no numbers.
    pub class: &'static str,
    /// What is shown, and the number that it sorts by, if not by what is shown.
    pub cells: Vec<(String, Option<f64>)>,
}

/// A part of the page.
#[derive(Clone, Debug, Default)]
pub struct Section {
    pub title: String,
    /// Sentences, each a paragraph.
    pub text: Vec<String>,
    pub tables: Vec<Table>,
    pub figures: Vec<Figure>,
}

/// The page as HTML.
pub fn html(title: &str, sections: &[Section]) -> String {
    let title = escaped(title);
    let mut html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n<style>\n{}{}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n",
        palette::for_page(),
        include_str!("page.css")
    );
    for section in sections {
        // Writing to a string does not fail.
        html.push_str("<section>\n");
        if sections.len() > 1 {
            let _ = writeln!(html, "<h2>{}</h2>", escaped(&section.title));
        }
        for text in &section.text {
            let _ = writeln!(html, "<p>{}</p>", escaped(text));
        }
        section.tables.iter().for_each(|table| table.write(&mut html));
        if !section.figures.is_empty() {
            html.push_str("<div class=\"figures\">\n");
            for figure in &section.figures {
                let _ = writeln!(
                    html,
                    "<figure>\n<h3>{}</h3>\n{}\n<figcaption>{}</figcaption>\n</figure>",
                    escaped(&figure.title),
                    figure.svg,
                    escaped(&figure.caption)
                );
            }
            html.push_str("</div>\n");
        }
        html.push_str("</section>\n");
    }
    let _ = write!(
        html,
        "</main>\n<div id=\"tip\" role=\"tooltip\"></div>\n<script>\n{}</script>\n</body>\n</html>\n",
        include_str!("page.js")
    );
    html
}

impl Table {
    fn write(&self, html: &mut String) {
        let _ = write!(
            html,
            "<div class=\"scroll\">\n<table class=\"sort\">\n<caption>{}</caption>\n<thead><tr>",
            escaped(&self.caption)
        );
        for head in &self.heads {
            let _ = write!(
                html,
                "<th scope=\"col\"><button type=\"button\">{}</button></th>",
                escaped(head)
            );
        }
        html.push_str("</tr></thead>\n<tbody>\n");
        for row in &self.rows {
            let _ = write!(html, "<tr class=\"{}\">", row.class);
            for (i, (text, value)) in row.cells.iter().enumerate() {
                let (tag, scope) = if i == 0 { ("th", " scope=\"row\"") } else { ("td", "") };
                let value = value.filter(|v| v.is_finite());
                let value = value.map_or(String::new(), |v| format!(" data-value=\"{v}\""));
                let _ = write!(html, "<{tag}{scope}{value}>{}</{tag}>", escaped(text));
            }
            html.push_str("</tr>\n");
        }
        html.push_str("</tbody>\n</table>\n</div>\n");
    }
}
