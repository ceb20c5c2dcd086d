//! Fitness by individual and generation.

use std::fmt::Write;

use super::Figure;
use crate::{
    draw::{
        axes::Axis,
        detail::{Detail, thinned},
        scale::number,
        svg::{WIDTH, escaped, open},
    },
    report::{
        run::Run,
        table::{Table, TableRow},
    },
    text::numbers,
};

/// The most rows.
const ROWS: usize = 50;
const SHADES: usize = 9;
const LEFT: f64 = 78.0;
const RIGHT: f64 = 26.0;
const TOP: f64 = 10.0;
const HEIGHT: f64 = 260.0;

/// What is on paper: places in the log, ranks from 0, and all fitness that is shown, sorted.
struct Map<'a> {
    run: &'a Run,
    columns: Vec<usize>,
    ranks: Vec<usize>,
    sorted: Vec<f64>,
}

pub(super) fn figure(run: &Run, detail: Detail) -> Option<Figure> {
    let columns = thinned(&(0..run.lines.len()).collect::<Vec<_>>(), detail.columns);
    let most = run.lines.iter().map(|line| line.report.individuals.len()).max()?;
    if most < 2 || columns.len() < 2 {
        return None;
    }
    let ranks = thinned(&(0..most).collect::<Vec<_>>(), ROWS);
    let mut map = Map { run, columns, ranks, sorted: vec![] };
    let all = map.columns.iter().flat_map(|&c| map.ranks.iter().map(move |&r| (c, r)));
    let all = all.filter_map(|(c, r)| map.fitness(c, r)).filter(|f| f.is_finite());
    let mut sorted: Vec<f64> = all.collect();
    sorted.sort_by(f64::total_cmp);
    sorted.dedup();
    if sorted.len() < 2 {
        return None;
    }
    map.sorted = sorted;
    let title = "Fitness by individual";
    let rows = map.rows();
    Some(Figure {
        name: "heat-map",
        title: title.into(),
        caption: "Each generation is a column, its individuals in order of fitness, the best on top. Shades have equally \
                  many values each; what diverged is left out."
            .into(),
        svg: map.svg(title, &rows),
        list: vec![],
        values: Some(map.table(&rows, detail)),
    })
}

/// A rank that is told of: its name, itself, and its fitness in each column.
type Row = (String, usize, Vec<Option<f64>>);

impl Map<'_> {
    fn fitness(&self, column: usize, rank: usize) -> Option<f64> {
        self.run.lines[column].report.individuals.get(rank).map(|one| one.fitness.get())
    }

    /// By rank among all, so that a few that are far off leave shades for the others.
    fn shade(&self, value: f64) -> Option<usize> {
        let place = self.sorted.partition_point(|f| *f < value);
        value.is_finite().then(|| (SHADES * place / self.sorted.len()).min(SHADES - 1))
    }

    /// The best, the last, and some between.
    fn rows(&self) -> Vec<Row> {
        let all: Vec<usize> = (0..self.ranks.len()).collect();
        let of = |row: usize| {
            let rank = self.ranks[row];
            let name = match rank {
                0 => "best".into(),
                rank => numbers::ordinal(rank + 1),
            };
            let values = self.columns.iter().map(|&c| self.fitness(c, rank)).collect();
            (name, row, values)
        };
        thinned(&all, 5).into_iter().map(of).collect()
    }

    fn axis(&self) -> Axis {
        Axis::generations(self.run.fine_tuning())
    }

    fn table(&self, rows: &[Row], detail: Detail) -> Table {
        let (axis, generations) = (self.axis(), self.run.generations());
        let places: Vec<usize> = (0..self.columns.len()).collect();
        let row = |i: usize| {
            let k = generations[self.columns[i]];
            let values = rows.iter().map(|(_, _, values)| (text(values[i]), values[i]));
            let cells = [(axis.value(k), Some(k))].into_iter().chain(values).collect();
            TableRow { class: "", cells }
        };
        Table {
            caption: "Fitness by individual: values".into(),
            heads: [axis.name.clone()]
                .into_iter()
                .chain(rows.iter().map(|t| t.0.clone()))
                .collect(),
            rows: thinned(&places, detail.rows).into_iter().map(row).collect(),
        }
    }

    fn svg(&self, title: &str, rows: &[Row]) -> String {
        let width = (WIDTH - LEFT - RIGHT) / self.columns.len() as f64;
        let height = HEIGHT / self.ranks.len() as f64;
        let bottom = TOP + HEIGHT;
        let (axis, generations) = (self.axis(), self.run.generations());
        let at = |i: usize| axis.value(generations[self.columns[i]]);
        let end = self.columns.len() - 1;
        let ends = |(name, _, values): &Row| {
            let (first, last) = (text(values[0]), text(values[end]));
            format!("{name}: {first} in generation {}, {last} in {}.", at(0), at(end))
        };
        let description = rows.iter().map(ends).collect::<Vec<_>>().join(" ");
        let more =
            format!(" data-x=\"{}\" data-y=\"loss #\" data-between=\"{TOP},{bottom}\"", axis.tells);
        let mut svg = open(WIDTH, bottom + 66.0, (title, &description), &more);
        for (shade, path) in self.paths(width, height).iter().enumerate() {
            // Writing to a string does not fail.
            let _ = write!(svg, "<path class=\"h h{shade}\" d=\"{path}\"/>");
        }
        for (name, row, values) in rows {
            let y = TOP + height * (*row as f64 + 0.5);
            let places =
                (0..=end).map(|i| format!("{:.1},{y:.1}", LEFT + width * (i as f64 + 0.5)));
            let values = (0..=end).map(|i| format!("{}:{}", at(i), text(values[i])));
            let _ = write!(
                svg,
                "<g data-name=\"{name}\" data-values=\"{}\" data-points=\"{}\"/>",
                values.collect::<Vec<_>>().join(";"),
                places.collect::<Vec<_>>().join(" ")
            );
        }
        self.frame(&mut svg, width, height, &at);
        svg + "</svg>"
    }

    /// The cells of each shade as one path. In a column they are sorted, so those of a shade are one piece; it
    /// goes on below the next, and a little into the next column, so that nothing shows between them.
    fn paths(&self, width: f64, height: f64) -> Vec<String> {
        let mut paths = vec![String::new(); SHADES];
        for (i, &column) in self.columns.iter().enumerate() {
            let fitness = self.ranks.iter().filter_map(|&rank| self.fitness(column, rank));
            let shades: Vec<usize> = fitness.map_while(|f| self.shade(f)).collect();
            let over = if i + 1 < self.columns.len() { 0.5 } else { 0.0 };
            let mut from = 0;
            for piece in shades.chunk_by(|a, b| a == b) {
                let _ = write!(
                    paths[piece[0]],
                    "M{:.1} {:.1}h{:.2}V{:.1}H{:.1}z",
                    LEFT + width * i as f64,
                    TOP + height * from as f64,
                    width + over,
                    TOP + height * shades.len() as f64,
                    LEFT + width * i as f64
                );
                from += piece.len();
            }
        }
        paths
    }

    /// The axes and the legend.
    fn frame(&self, svg: &mut String, width: f64, height: f64, at: &dyn Fn(usize) -> String) {
        let bottom = TOP + HEIGHT;
        let mut text = |class: &str, x: f64, y: f64, text: &str| {
            let _ = write!(
                svg,
                "<text class=\"t {class}\" x=\"{x:.0}\" y=\"{y:.0}\">{}</text>",
                escaped(text)
            );
        };
        let rows: Vec<usize> = (0..self.ranks.len()).collect();
        for row in thinned(&rows, 5) {
            let y = TOP + height * (row as f64 + 0.5) + 4.0;
            text("e", LEFT - 6.0, y, &numbers::ordinal(self.ranks[row] + 1));
        }
        let middle = |i: usize| LEFT + width * (i as f64 + 0.5);
        let end = self.columns.len() - 1;
        let last = at(end);
        // The last label ends where its column does, and the others leave it the room.
        let room = middle(end) + width / 2.0 - 6.5 * last.chars().count() as f64 - 8.0;
        for i in (0..end).step_by(self.columns.len().div_ceil(10)) {
            let label = at(i);
            if middle(i) + 3.5 * label.chars().count() as f64 <= room {
                text("m", middle(i), bottom + 16.0, &label);
            }
        }
        text("e", middle(end) + width / 2.0, bottom + 16.0, &last);
        text("m", (LEFT + WIDTH - RIGHT) / 2.0, bottom + 34.0, "generation");
        // Shades have equally many values, so their limits are not evenly apart: several are named.
        let wide = (WIDTH - LEFT - RIGHT) / SHADES as f64;
        for limit in [0, 3, 6, 9] {
            let place = limit * self.sorted.len() / SHADES;
            let value = self.sorted[place.min(self.sorted.len() - 1)];
            let class = if limit == SHADES {
                "e"
            } else if limit == 0 {
                ""
            } else {
                "m"
            };
            text(class, LEFT + wide * limit as f64, bottom + 62.0, &number(value));
        }
        text("e", LEFT - 6.0, bottom + 52.0, "fitness");
        for shade in 0..SHADES {
            let x = LEFT + wide * shade as f64;
            let _ = write!(
                svg,
                "<rect class=\"h h{shade}\" x=\"{x:.1}\" y=\"{:.0}\" width=\"{wide:.1}\" height=\"8\"/>",
                bottom + 42.0
            );
        }
        let _ = write!(
            svg,
            "<text class=\"t m\" transform=\"translate(14 {:.0}) rotate(-90)\">rank in the population</text>",
            TOP + HEIGHT / 2.0
        );
    }
}

fn text(value: Option<f64>) -> String {
    number(value.unwrap_or(f64::NAN))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        draw::detail::LEVELS,
        report::example::{self, individual},
    };

    #[test]
    fn a_column_has_a_piece_a_shade_and_a_tip_of_some_ranks() {
        let line = |k: u32| -> Vec<String> {
            let of =
                |i: u32| individual(&format!("g0.0#{i}"), &[], f64::from(1 + i + k), Some("sgd"));
            (0..40).map(of).collect()
        };
        let lines: Vec<Vec<String>> = (0..3).map(line).collect();
        let lines: Vec<&[String]> = lines.iter().map(Vec::as_slice).collect();
        let figure = figure(&example::run(&lines), LEVELS[0]).unwrap();
        let pieces = figure.svg.matches('M').count();
        assert!(pieces <= 3 * SHADES, "{pieces}");
        assert!(
            figure.svg.contains("data-name=\"best\" data-values=\"0:1;1:2;2:3\""),
            "{}",
            figure.svg
        );
        assert!(figure.svg.contains("rank in the population"));
        assert_eq!(figure.values.unwrap().heads[1..], ["best", "10th", "20th", "30th", "40th"]);
    }
}
