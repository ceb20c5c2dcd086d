//! ESGD against each row: the mean difference and its confidence interval.

use super::super::{
    figures::Figure,
    table::{Table, TableRow},
};
use crate::{
    compare::{Comparison, Interval},
    draw::{
        scale::{Scale, number},
        svg::{WIDTH, escaped, open},
    },
    text::numbers::{fixed, signed, with_minus},
};

const LEFT: f64 = 300.0;
const TOP: f64 = 12.0;
const ROW: f64 = 22.0;

/// What the seeds tell, at p < 0.05.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Verdict {
    Better,
    Worse,
    Open,
}

impl Verdict {
    fn in_words(self) -> &'static str {
        match self {
            Self::Better => "ESGD is better",
            Self::Worse => "ESGD is worse",
            Self::Open => "cannot be told",
        }
    }
}

/// A row: its name, and mean, half of the interval and p.
struct Tested<'a> {
    name: &'a str,
    mean: f64,
    half: f64,
    p: f64,
}

impl Tested<'_> {
    fn verdict(&self) -> Verdict {
        match (self.p < 0.05, self.mean < 0.0) {
            (true, true) => Verdict::Better,
            (true, false) => Verdict::Worse,
            (false, _) => Verdict::Open,
        }
    }

    fn description(&self) -> String {
        let Self { name, mean, half, p } = self;
        let [mean, half, p] = [signed(*mean, 4), fixed(*half, 4), fixed(*p, 3)];
        let text = format!("{mean} ± {half}, p = {p}");
        format!("{name}: {}, {}", with_minus(&text), self.verdict().in_words())
    }
}

pub(super) fn figure(comparison: &Comparison) -> Option<Figure> {
    let tested = comparison.rows.iter().filter_map(|row| {
        let loss = row.against?.loss?;
        let Interval { mean, half } = loss.interval?;
        Some(Tested { name: &row.title, mean, half, p: loss.p })
    });
    let tested: Vec<Tested<'_>> = tested.collect();
    if tested.is_empty() {
        return None;
    }
    let title = match comparison.test {
        0 => "ESGD's loss to choose by minus each other's",
        _ => "ESGD's test loss minus each other's",
    };
    Some(Figure {
        name: "differences",
        title: title.into(),
        caption: "Mean over seeds with its 95 % confidence interval, paired, of like with like: its ensemble and its \
                  soup against theirs. Green and round where ESGD beats it, red and \
                  square where it loses, at p < 0.05 corrected for the number of rows; grey and hollow where these seeds \
                  cannot tell."
            .into(),
        svg: svg(title, &tested),
        list: vec![],
        values: Some(table(title, &tested)),
    })
}

fn svg(title: &str, tested: &[Tested<'_>]) -> String {
    let bottom = TOP + ROW * tested.len() as f64;
    let ends = tested.iter().flat_map(|d| [d.mean - d.half, d.mean + d.half, 0.0]);
    let x = Scale::over(ends, false).with_room().on(LEFT, WIDTH - 26.0);
    let count = |verdict| tested.iter().filter(|one| one.verdict() == verdict).count();
    let [better, worse, untold] = [Verdict::Better, Verdict::Worse, Verdict::Open].map(count);
    let description = format!(
        "Of {} rows, ESGD is better than {better} and worse than {worse}, at p < 0.05; {untold} cannot be told.",
        tested.len()
    );
    let mut svg = open(WIDTH, bottom + 44.0, (title, &description), "");
    for tick in x.ticks(5) {
        let at = x.at(tick);
        let class = if tick == 0.0 { "a" } else { "g" };
        svg += &format!(
            "<line class=\"{class}\" x1=\"{at:.1}\" y1=\"{TOP}\" x2=\"{at:.1}\" y2=\"{bottom}\"/><text class=\"t m\" x=\"{at:.1}\" y=\"{:.0}\">{}</text>",
            bottom + 16.0,
            number(tick)
        );
    }
    for (i, one) in tested.iter().enumerate() {
        let y = TOP + ROW * (i as f64 + 0.5);
        let at = x.at(one.mean);
        let (colour, mark) = match one.verdict() {
            Verdict::Better => {
                (2, format!("<circle class=\"f2\" cx=\"{at:.1}\" cy=\"{y:.1}\" r=\"4.5\"/>"))
            }
            Verdict::Worse => {
                let (left, top) = (at - 4.0, y - 4.0);
                let size = "width=\"8\" height=\"8\"";
                (3, format!("<rect class=\"f3\" x=\"{left:.1}\" y=\"{top:.1}\" {size}/>"))
            }
            Verdict::Open => {
                (7, format!("<circle class=\"o c7\" cx=\"{at:.1}\" cy=\"{y:.1}\" r=\"4\"/>"))
            }
        };
        svg += &format!(
            "<text class=\"t e\" x=\"{:.0}\" y=\"{:.1}\">{}</text><line class=\"l c{colour}\" x1=\"{:.1}\" y1=\"{y:.1}\" x2=\"{:.1}\" y2=\"{y:.1}\"/>{mark}<rect class=\"k\" x=\"0\" y=\"{:.1}\" width=\"{WIDTH}\" height=\"{ROW}\"><title>{}</title></rect>",
            LEFT - 10.0,
            y + 4.0,
            escaped(one.name),
            x.at(one.mean - one.half),
            x.at(one.mean + one.half),
            y - ROW / 2.0,
            escaped(&one.description()),
        );
    }
    svg + &format!(
        "<text class=\"t m\" x=\"{:.0}\" y=\"{:.0}\">left of 0 ESGD is better</text></svg>",
        x.at(0.0).clamp(LEFT + 80.0, WIDTH - 90.0),
        bottom + 36.0
    )
}

fn table(title: &str, tested: &[Tested<'_>]) -> Table {
    let row = |one: &Tested<'_>| TableRow {
        class: "",
        cells: vec![
            (one.name.to_owned(), None),
            (with_minus(&signed(one.mean, 4)), Some(one.mean)),
            (fixed(one.half, 4), Some(one.half)),
            (fixed(one.p, 3), Some(one.p)),
            (one.verdict().in_words().into(), None),
        ],
    };
    Table {
        caption: format!("{title}: values"),
        heads: ["method", "mean difference", "± half of the interval", "p", "verdict"]
            .map(str::to_owned)
            .to_vec(),
        rows: tested.iter().map(row).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::example;
    use super::*;

    #[test]
    fn each_row_is_told_in_all_its_width() {
        let figure = figure(&example::comparison()).unwrap();
        let sentence =
            "<title>single run with SWA: −0.1000 ± 0.0500, p = 0.010, ESGD is better</title>";
        assert!(figure.svg.contains(sentence), "{}", figure.svg);
        assert_eq!(figure.svg.matches("class=\"k\" x=\"0\"").count(), 3);
        assert!(figure.svg.contains("ESGD is better than 3 and worse than 0"));
        assert_eq!(figure.values.unwrap().rows[1].cells[4].0, "ESGD is better");
    }
}
