//! Charts as SVG: lines, bands between two lines, points. Colours are classes, so that a page decides on
//! them; each line carries its values for whoever points at it.

use std::fmt::Write;

use super::scale::{Scale, number};

pub const WIDTH: f64 = 680.0;
const HEIGHT: f64 = 340.0;
const LEFT: f64 = 66.0;
const RIGHT: f64 = 14.0;
const BOTTOM: f64 = 44.0;

/// The most points of a line: more cannot be told apart.
const MOST: usize = 200;

/// A line, and perhaps a band around it.
#[derive(Clone, Debug, Default)]
pub struct Series {
    pub name: String,
    /// Which colour of the page.
    pub colour: usize,
    pub dashed: bool,
    /// Points alone, without a line.
    pub dots: bool,
    pub points: Vec<(f64, f64)>,
    /// x, from, to.
    pub band: Vec<(f64, f64, f64)>,
}

/// What a chart shows.
#[derive(Clone, Debug, Default)]
pub struct Chart {
    /// What it shows, for those who cannot see it.
    pub title: String,
    pub x: String,
    pub y: String,
    pub from_zero: bool,
    pub series: Vec<Series>,
}

/// Text in XML.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // XML has no other control characters.
            c if c.is_control() && !matches!(c, '\n' | '\t') => {}
            c => out.push(c),
        }
    }
    out
}

/// Every so many of them, the first and the last among them.
pub fn thinned<T: Copy>(all: &[T], most: usize) -> Vec<T> {
    match all.len() {
        n if n <= most => all.to_vec(),
        n => (0..most).map(|i| all[i * (n - 1) / (most - 1)]).collect(),
    }
}

/// The beginning of an SVG.
pub fn open(width: f64, height: f64, title: &str) -> String {
    let title = escaped(title);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" aria-label=\"{title}\"><title>{title}</title>"
    )
}

impl Chart {
    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.series.iter().all(|s| s.points.len() + s.band.len() < 2)
    }

    pub fn svg(&self) -> String {
        let xs = self
            .series
            .iter()
            .flat_map(|s| s.points.iter().map(|p| p.0).chain(s.band.iter().map(|b| b.0)));
        let ys = self.series.iter().flat_map(|s| {
            s.points.iter().map(|p| p.1).chain(s.band.iter().flat_map(|b| [b.1, b.2]))
        });
        let (legend, top) = self.legend();
        let height = HEIGHT + top;
        let x = Scale::over(xs, false).on(LEFT, WIDTH - RIGHT);
        let y = Scale::over(ys, !self.from_zero);
        let y = if self.from_zero { y.with_zero() } else { y };
        let y = y.on(height - BOTTOM, top + 10.0);
        let mut svg = open(WIDTH, height, &self.title);
        svg.push_str(&legend);
        axes(&mut svg, (&x, &self.x), (&y, &self.y), (top + 10.0, height - BOTTOM));
        for series in &self.series {
            series.draw(&mut svg, &x, &y);
        }
        svg + "</svg>"
    }

    /// The names of the lines, in rows above the chart, and the room that they take.
    fn legend(&self) -> (String, f64) {
        let (mut svg, mut x, mut row) = (String::new(), LEFT, 0);
        for series in self.series.iter().filter(|s| !s.name.is_empty()) {
            let width = 42.0 + 7.0 * series.name.chars().count() as f64;
            if x + width > WIDTH && x > LEFT {
                (x, row) = (LEFT, row + 1);
            }
            let y = 12.0 + 17.0 * f64::from(row);
            if series.dots {
                let _ = write!(
                    svg,
                    "<circle class=\"f{}\" cx=\"{:.0}\" cy=\"{y:.0}\" r=\"3.5\"/><text class=\"t\" x=\"{:.0}\" y=\"{:.0}\">{}</text>",
                    series.colour % 8,
                    x + 14.0,
                    x + 25.0,
                    y + 4.0,
                    escaped(&series.name)
                );
                x += width;
                continue;
            }
            let _ = write!(
                svg,
                "<line class=\"l c{}{}\" x1=\"{x:.0}\" y1=\"{y:.0}\" x2=\"{:.0}\" y2=\"{y:.0}\"/><text class=\"t\" x=\"{:.0}\" y=\"{:.0}\">{}</text>",
                series.colour % 8,
                if series.dashed { " d" } else { "" },
                x + 20.0,
                x + 25.0,
                y + 4.0,
                escaped(&series.name)
            );
            x += width;
        }
        let rows = if svg.is_empty() { 0 } else { row + 1 };
        (svg, 17.0 * f64::from(rows))
    }
}

impl Series {
    fn draw(&self, svg: &mut String, x: &Scale, y: &Scale) {
        let c = self.colour % 8;
        let band: Vec<_> =
            self.band.iter().filter(|b| b.1.is_finite() && b.2.is_finite()).copied().collect();
        if band.len() > 1 {
            let band = thinned(&band, MOST);
            let there = band.iter().map(|b| (b.0, b.2));
            let back = band.iter().rev().map(|b| (b.0, b.1));
            let path = there.chain(back).map(|p| format!("{:.1},{:.1}", x.at(p.0), y.at(p.1)));
            let path = path.collect::<Vec<_>>().join(" ");
            let _ = write!(svg, "<polygon class=\"b f{c}\" points=\"{path}\"/>");
        }
        let points: Vec<_> = self.points.iter().filter(|p| p.1.is_finite()).copied().collect();
        let points = thinned(&points, MOST);
        if points.is_empty() {
            return;
        }
        if self.dots {
            for p in &points {
                let _ = write!(
                    svg,
                    "<circle class=\"f{c}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"2.2\"/>",
                    x.at(p.0),
                    y.at(p.1)
                );
            }
            return;
        }
        let path = points.iter().map(|p| format!("{:.1},{:.1}", x.at(p.0), y.at(p.1)));
        let values = points.iter().map(|p| format!("{}:{}", number(p.0), number(p.1)));
        let _ = write!(
            svg,
            "<polyline class=\"l c{c}{}\" data-name=\"{}\" data-values=\"{}\" points=\"{}\"/>",
            if self.dashed { " d" } else { "" },
            escaped(&self.name),
            values.collect::<Vec<_>>().join(";"),
            path.collect::<Vec<_>>().join(" ")
        );
    }
}

/// The frame with its numbers and names, between these heights.
pub fn axes(
    svg: &mut String,
    (x, x_name): (&Scale, &str),
    (y, y_name): (&Scale, &str),
    (top, bottom): (f64, f64),
) {
    let right = WIDTH - RIGHT;
    for tick in y.ticks(5) {
        let at = y.at(tick);
        let _ = write!(
            svg,
            "<line class=\"g\" x1=\"{LEFT}\" y1=\"{at:.1}\" x2=\"{right}\" y2=\"{at:.1}\"/><text class=\"t e\" x=\"{:.0}\" y=\"{:.1}\">{}</text>",
            LEFT - 6.0,
            at + 4.0,
            number(tick)
        );
    }
    for tick in x.ticks(8) {
        let at = x.at(tick);
        let _ = write!(
            svg,
            "<line class=\"a\" x1=\"{at:.1}\" y1=\"{bottom}\" x2=\"{at:.1}\" y2=\"{:.1}\"/><text class=\"t m\" x=\"{at:.1}\" y=\"{:.1}\">{}</text>",
            bottom + 4.0,
            bottom + 17.0,
            number(tick)
        );
    }
    let (middle, height) = ((LEFT + right) / 2.0, (top + bottom) / 2.0);
    let _ = write!(
        svg,
        "<line class=\"a\" x1=\"{LEFT}\" y1=\"{bottom}\" x2=\"{right}\" y2=\"{bottom}\"/><text class=\"t m\" x=\"{middle:.0}\" y=\"{:.0}\">{}</text><text class=\"t m\" transform=\"translate(14 {height:.0}) rotate(-90)\">{}</text>",
        bottom + 36.0,
        escaped(x_name),
        escaped(y_name)
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_number_leaves_no_trace() {
        let points = vec![(0.0, 1.0), (1.0, f64::NAN), (2.0, f64::INFINITY), (3.0, 0.5)];
        let band = vec![(0.0, 0.5, 1.5), (1.0, f64::NAN, 2.0), (3.0, 0.2, 0.7)];
        let series = Series { name: "<a & b>".into(), points, band, ..Series::default() };
        let chart = Chart { title: "t".into(), series: vec![series], ..Chart::default() };
        let svg = chart.svg();
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        assert!(svg.contains("&lt;a &amp; b&gt;") && !svg.contains("<a "));
    }

    #[test]
    fn a_long_line_keeps_its_ends() {
        let all: Vec<usize> = (0..10_001).collect();
        let some = thinned(&all, 400);
        assert_eq!((some.len(), some[0], some[399]), (400, 0, 10_000));
        assert!(some.is_sorted());
    }
}
