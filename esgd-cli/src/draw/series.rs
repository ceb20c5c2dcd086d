//! What is drawn in a frame: lines, bands between two lines, points. Each carries its values for whoever points at it.

use std::fmt::Write;

use super::{
    axes::Axis,
    detail::{Detail, thinned},
    scale::{Scale, number},
    svg::escaped,
};

/// How many ways there are to dash a line, with the one without.
const DASHES: usize = 6;

/// A line, and perhaps a band around it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Series {
    pub name: String,
    /// Which colour of the page, and which dashes: a print without colours has those alone.
    pub colour: usize,
    pub dash: usize,
    /// The line that the chart is about, drawn last and thicker.
    pub main: bool,
    /// Points alone, without a line.
    pub dots: bool,
    /// How far dots stand beside their x, so that equal ones of two series are both seen.
    pub shift: f64,
    pub points: Vec<(f64, f64)>,
    /// x, from, to.
    pub band: Vec<(f64, f64, f64)>,
    /// What the upper edge of the band is called.
    pub edge: String,
    /// What there is to tell at an x, where it is not the points.
    pub tooltip: Vec<(f64, String)>,
}

impl Series {
    pub(super) fn class(&self) -> String {
        let wide = if self.main { " w" } else { "" };
        format!("l c{} d{}{wide}", self.colour % 8, self.dash % DASHES)
    }

    pub(super) fn draw(
        &self,
        svg: &mut String,
        (axis, x): (&Axis, &Scale),
        y: &Scale,
        detail: Detail,
    ) {
        let c = self.colour % 8;
        let sound = self.band.iter().filter(|b| [b.0, b.1, b.2].iter().all(|v| v.is_finite()));
        let band = thinned(&sound.copied().collect::<Vec<_>>(), detail.points);
        if band.len() > 1 {
            let there = band.iter().map(|b| (b.0, b.2));
            let back = band.iter().rev().map(|b| (b.0, b.1));
            let path = there.chain(back).map(|p| format!("{:.1},{:.1}", x.at(p.0), y.at(p.1)));
            let path = path.collect::<Vec<_>>().join(" ");
            // Writing to a string does not fail.
            let _ = write!(svg, "<polygon class=\"b f{c}\" points=\"{path}\"/>");
            let edge: Vec<_> = band.iter().map(|b| (b.0, b.2)).collect();
            let _ = write!(svg, "<g {}/>", tooltip(&self.edge, &edge, "data-points", axis, (x, y)));
        }
        let points: Vec<_> =
            self.points.iter().filter(|p| p.0.is_finite() && p.1.is_finite()).copied().collect();
        if !self.tooltip.is_empty() {
            let some = thinned(&self.tooltip, detail.points);
            let values = some.iter().map(|(at, text)| format!("{}:{text}", axis.value(*at)));
            let places = some.iter().map(|(at, _)| format!("{:.1},", x.at(*at)));
            let _ = write!(
                svg,
                "<g data-name=\"{}\" data-values=\"{}\" data-points=\"{}\"/>",
                escaped(&self.name),
                escaped(&values.collect::<Vec<_>>().join(";")),
                places.collect::<Vec<_>>().join(" ")
            );
        }
        if self.dots {
            let places = points.iter().map(|p| (x.at(p.0) + self.shift, y.at(p.1)));
            dots(svg, c, &places.collect::<Vec<_>>(), detail.marks);
            if self.tooltip.is_empty() && !points.is_empty() {
                let _ = write!(
                    svg,
                    "<g {}/>",
                    tooltip(&self.name, &points, "data-points", axis, (x, y))
                );
            }
            return;
        }
        let points = thinned(&points, detail.points);
        if points.is_empty() {
            return;
        }
        let tooltip = tooltip(&self.name, &points, "points", axis, (x, y));
        let _ = write!(svg, "<polyline class=\"{}\" {tooltip}/>", self.class());
    }
}

/// The attributes of what shows its values to whoever points at it.
fn tooltip(
    name: &str,
    points: &[(f64, f64)],
    attribute: &str,
    axis: &Axis,
    (x, y): (&Scale, &Scale),
) -> String {
    let path = points.iter().map(|p| format!("{:.1},{:.1}", x.at(p.0), y.at(p.1)));
    let values = points.iter().map(|p| format!("{}:{}", axis.value(p.0), number(p.1)));
    format!(
        "data-name=\"{}\" data-values=\"{}\" {attribute}=\"{}\"",
        escaped(name),
        values.collect::<Vec<_>>().join(";"),
        path.collect::<Vec<_>>().join(" ")
    )
}

/// Draws dots; where there are more than `most`, near ones as one that is larger.
fn dots(svg: &mut String, colour: usize, places: &[(f64, f64)], most: usize) {
    let mut cell = 0.1;
    let mut merged = merge(places, cell);
    while merged.len() > most && cell < 100.0 {
        cell *= 2.0;
        merged = merge(places, cell);
    }
    // One that stands alone is to be found.
    let single = if places.len() == 1 { 9.6 } else { 4.6 };
    for (size, width) in [(1..2, single), (2..5, 6.0), (5..20, 7.6), (20..usize::MAX, 9.6)] {
        let of_size = merged.iter().filter(|(_, n)| size.contains(n));
        let path: String = of_size.map(|((x, y), _)| format!("M{x:.1} {y:.1}h.01")).collect();
        if !path.is_empty() {
            let _ =
                write!(svg, "<path class=\"p c{colour}\" stroke-width=\"{width}\" d=\"{path}\"/>");
        }
    }
}

/// The places in a grid of such cells, and how many are in each: the mean of those.
fn merge(places: &[(f64, f64)], cell: f64) -> Vec<((f64, f64), usize)> {
    let mut cells = std::collections::BTreeMap::new();
    for (x, y) in places {
        let key = ((x / cell).round() as i64, (y / cell).round() as i64);
        let sum = cells.entry(key).or_insert((0.0, 0.0, 0));
        *sum = (sum.0 + x, sum.1 + y, sum.2 + 1);
    }
    let mean = |(x, y, n): (f64, f64, usize)| ((x / n as f64, y / n as f64), n);
    cells.into_values().map(mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_dot_is_dropped_and_many_become_larger_ones() {
        let places: Vec<_> = (0..5000).map(|i| (f64::from(i % 600), f64::from(i / 600))).collect();
        let all = merge(&places, 0.1);
        assert_eq!((all.len(), all.iter().map(|(_, n)| n).sum::<usize>()), (5000, 5000));
        let few = merge(&places, 8.0);
        assert!(few.len() < 200);
        assert_eq!(few.iter().map(|(_, n)| n).sum::<usize>(), 5000);
        let mut svg = String::new();
        dots(&mut svg, 0, &places, 300);
        assert!(svg.matches("h.01").count() <= 300);
    }
}
