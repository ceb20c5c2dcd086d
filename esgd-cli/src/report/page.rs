//! The page: sections of figures and tables in one file that needs nothing else.

use std::fmt::Write;

use super::{figures::Figure, table::Table};
use crate::{
    draw::{palette, svg::escaped},
    files::own_file::GENERATOR,
};

/// A part of the page.
#[derive(Clone, Debug, Default)]
pub(super) struct Section {
    pub title: String,
    /// Sentences, each a paragraph.
    pub text: Vec<String>,
    pub tables: Vec<Table>,
    pub figures: Vec<Figure>,
}

/// The page as HTML.
pub(super) fn html(title: &str, sections: &[Section]) -> String {
    let title = escaped(title);
    let mut html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n<meta name=\"generator\" content=\"{GENERATOR}\">\n<title>{title}</title>\n<style>\n{}{}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n",
        palette::for_page(),
        include_str!("page.css")
    );
    let mut tables = 0;
    // Headings follow one another without a gap, whether sections have some or not.
    let level = if sections.len() > 1 { 3 } else { 2 };
    for section in sections {
        // Writing to a string does not fail.
        html.push_str("<section>\n");
        if sections.len() > 1 {
            let _ = writeln!(html, "<h2>{}</h2>", escaped(&section.title));
        }
        for text in &section.text {
            let _ = writeln!(html, "<p>{}</p>", escaped(text));
        }
        for table in &section.tables {
            tables += 1;
            table.write(&mut html, tables);
        }
        if !section.figures.is_empty() {
            html.push_str("<div class=\"figures\">\n");
            section.figures.iter().for_each(|figure| write_figure(&mut html, figure, level));
            html.push_str("</div>\n");
        }
        html.push_str("</section>\n");
    }
    let _ = write!(
        html,
        "</main>\n<div id=\"tip\" role=\"status\"></div>\n<script>\n{}</script>\n</body>\n</html>\n",
        include_str!("page.js")
    );
    html
}

fn write_figure(html: &mut String, figure: &Figure, level: usize) {
    // Writing to a string does not fail.
    let _ = writeln!(
        html,
        "<figure>\n<div class=\"whole\">\n<h{level}>{}</h{level}>\n<div class=\"plot\">{}</div>\n<figcaption>{}</figcaption>\n</div>",
        escaped(&figure.title),
        figure.svg,
        escaped(&figure.caption)
    );
    if !figure.list.is_empty() {
        html.push_str("<ol class=\"steps\">\n");
        for step in &figure.list {
            let _ = writeln!(html, "<li>{}</li>", escaped(step));
        }
        html.push_str("</ol>\n");
    }
    if let Some(values) = &figure.values {
        values.write_folded(html);
    }
    html.push_str("</figure>\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_have_no_gap() {
        let figure = Figure {
            name: "f",
            title: "f".into(),
            caption: String::new(),
            svg: "<svg/>".into(),
            list: vec!["a".into()],
            values: None,
        };
        let section = Section { figures: vec![figure], ..Section::default() };
        let one = html("t", std::slice::from_ref(&section));
        assert!(one.contains("<h2>f</h2>") && !one.contains("<h3>"));
        let two = html("t", &[section.clone(), section]);
        assert!(two.contains("<h2></h2>") && two.contains("<h3>f</h3>"));
    }
}
