//! What a chart shows without a picture: a sentence for each line, and a table of its values.

use super::table::{Table, TableRow};
use crate::draw::{
    chart::Chart,
    detail::{Detail, thinned},
    scale::number,
    series::Series,
};

/// A column of values: what it is called, and the text at each x.
type Column = (String, Vec<(f64, String)>);

impl Series {
    fn columns(&self) -> Vec<Column> {
        let numbers = |values: Vec<(f64, f64)>| {
            values.into_iter().map(|(x, y)| (x, number(y))).collect::<Vec<_>>()
        };
        let mut columns = vec![];
        if !self.tooltip.is_empty() {
            columns.push((self.name.clone(), self.tooltip.clone()));
        } else if !self.points.is_empty() {
            columns.push((self.name.clone(), numbers(self.points.clone())));
        }
        if !self.band.is_empty() {
            let edge = self.band.iter().map(|b| (b.0, b.2)).collect();
            columns.push((self.edge.clone(), numbers(edge)));
        }
        columns
    }
}

impl Chart {
    fn columns(&self) -> Vec<Column> {
        let mut columns: Vec<Column> = self.series.iter().flat_map(Series::columns).collect();
        for (name, _) in columns.iter_mut().filter(|(name, _)| name.is_empty()) {
            name.clone_from(&self.y.name);
        }
        columns
    }

    /// Each line in a sentence: where it begins and ends, and its lowest.
    pub(crate) fn description(&self) -> String {
        let at = |x: f64| self.x.tells.replace('#', &self.x.value(x));
        let sentence = |(name, values): Column| {
            let (first, last) = (values.first()?, values.last()?);
            Some(format!("{name}: {} at {}, {} at {}.", first.1, at(first.0), last.1, at(last.0)))
        };
        self.columns().into_iter().filter_map(sentence).collect::<Vec<_>>().join(" ")
    }

    /// The values, a row an x; or, where lines do not share their x, a row a point.
    pub(crate) fn table(&self, detail: Detail) -> Table {
        let columns = self.columns();
        let xs = |column: &Column| column.1.iter().map(|v| v.0).collect::<Vec<_>>();
        let shared = columns.windows(2).all(|pair| xs(&pair[0]) == xs(&pair[1]));
        let cell = |x: f64| (self.x.value(x), Some(x));
        let row = |cells| TableRow { class: "", cells };
        let (mut heads, mut rows) = (vec![self.x.name.clone()], vec![]);
        if shared {
            heads.extend(columns.iter().map(|(name, _)| name.clone()));
            let places: Vec<usize> = (0..columns.first().map_or(0, |c| c.1.len())).collect();
            for i in thinned(&places, detail.rows) {
                let values = columns.iter().map(|(_, values)| (values[i].1.clone(), None));
                let first = cell(columns[0].1[i].0);
                rows.push(row([first].into_iter().chain(values).collect()));
            }
        } else {
            heads = vec!["line".into(), self.x.name.clone(), self.y.name.clone()];
            for (name, values) in &columns {
                let each = (detail.rows / 4).max(2);
                for (x, text) in thinned(values, each) {
                    rows.push(row(vec![(name.clone(), None), cell(x), (text, None)]));
                }
            }
        }
        Table { caption: format!("{}: values", self.title), heads, rows }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::{axes::Axis, detail::LEVELS};

    #[test]
    fn a_chart_is_told_in_words_and_in_a_table() {
        let line = |name: &str, points: Vec<(f64, f64)>| Series {
            name: name.into(),
            band: points.iter().map(|p| (p.0, p.1, p.1 + 1.0)).collect(),
            edge: format!("{name}, worst"),
            points,
            ..Series::default()
        };
        let points: Vec<_> = (0..100).map(|i| (f64::from(i), 100.0 - f64::from(i))).collect();
        let mut chart = Chart {
            x: Axis::generations(None),
            series: vec![line("best", points)],
            ..Chart::default()
        };
        let text = chart.description();
        assert!(text.contains("best: 100 at generation 0, 1 at generation 99."), "{text}");
        let table = chart.table(LEVELS[0]);
        assert_eq!(table.heads, ["generation", "best", "best, worst"]);
        assert_eq!((table.rows.len(), table.rows[39].cells[2].0.as_str()), (40, "2"));

        chart.series.push(line("late", vec![(50.0, 1.0), (51.0, 2.0)]));
        assert_eq!(chart.table(LEVELS[0]).heads, ["line", "generation", ""]);
    }
}
