//! The sections of a comparison: its verdict, its table, and each method's way there.

use std::path::Path;

use super::{
    chart::{Chart, Series, WIDTH, escaped, open},
    figures::Figure,
    page::{Section, Table, TableRow},
    run::Run,
    scale::Scale,
};
use crate::{
    compare::{Comparison, Interval, Method, Row},
    failure::Failure,
};

/// As many of the best as the paper shows.
const TOP: usize = 15;

pub fn section(folder: &Path) -> Result<Section, Failure> {
    let file = folder.join("comparison.json");
    let cannot = |e: &dyn std::fmt::Display| {
        Failure::Failed(format!(
            "cannot read {}: {e}; make it again with `esgd compare`",
            file.display()
        ))
    };
    let text = std::fs::read(&file).map_err(|e| cannot(&e))?;
    let comparison: Comparison = serde_json::from_slice(&text).map_err(|e| cannot(&e))?;
    let mut figures = vec![];
    figures.extend(differences(&comparison));
    figures.extend(curves(folder, &comparison)?);
    let mut text = vec![comparison.heading()];
    text.extend(comparison.verdict.iter().cloned());
    let methods = methods(&comparison);
    Ok(Section {
        title: format!("{} on {}, compared", comparison.network, comparison.data),
        text,
        tables: vec![table(&comparison), methods],
        figures,
    })
}

/// The table of results.
fn table(comparison: &Comparison) -> Table {
    let row = |row: &Row| {
        let texts = row.cells();
        let mean = |values: &[esgd_core::Fitness]| {
            values.iter().map(|v| v.get()).sum::<f64>() / values.len() as f64
        };
        let error = row.test_error.iter().sum::<f64>() / row.test_error.len() as f64;
        let against =
            row.against.and_then(|against| against.loss).and_then(|d| Some(d.interval?.mean));
        let by = [
            None,
            Some(mean(&row.fitness)),
            Some(mean(&row.test_loss)),
            Some(error),
            row.top.as_ref().and_then(|top| Some(top.test_error?[0])),
            against,
            Some(row.networks),
            Some(row.share),
            Some(row.flops),
            Some(row.seconds),
        ];
        let class = match row.method {
            _ if row.apart => "apart",
            Method::Esgd => "own",
            _ => "",
        };
        TableRow { class, cells: texts.into_iter().zip(by).collect() }
    };
    Table {
        caption: "Mean ± half of the 95 % confidence interval over seeds. In bold ESGD's; in italics what is no rival: it \
                  spends a share of the budget, or is given what tuning found without paying for it."
            .into(),
        heads: crate::compare::HEADS.map(str::to_owned).to_vec(),
        rows: comparison.rows.iter().map(row).collect(),
    }
}

/// What each method is.
fn methods(comparison: &Comparison) -> Table {
    let mut all: Vec<Method> = comparison.rows.iter().map(|row| row.method).collect();
    all.sort();
    all.dedup();
    let row = |method: Method| TableRow {
        class: "words",
        cells: vec![(method.title().into(), None), (method.what().into(), None)],
    };
    Table {
        caption: "The methods.".into(),
        heads: vec!["method".into(), "what it does".into()],
        rows: all.into_iter().map(row).collect(),
    }
}

/// ESGD against each row: the mean difference and its confidence interval.
fn differences(comparison: &Comparison) -> Option<Figure> {
    let tested: Vec<(&Row, Interval, f64)> = comparison
        .rows
        .iter()
        .filter_map(|row| {
            let loss = row.against?.loss?;
            Some((row, loss.interval?, loss.p))
        })
        .collect();
    if tested.is_empty() {
        return None;
    }
    let title = match comparison.test {
        0 => "ESGD's loss to choose by minus each other's",
        _ => "ESGD's test loss minus each other's",
    };
    let (left, top) = (300.0, 12.0);
    let bottom = top + 22.0 * tested.len() as f64;
    let ends = tested.iter().flat_map(|(_, d, _)| [d.mean - d.half, d.mean + d.half, 0.0]);
    let x = Scale::over(ends, false).on(left, WIDTH - 24.0);
    let mut svg = open(WIDTH, bottom + 44.0, title);
    for tick in x.ticks(5) {
        let at = x.at(tick);
        let class = if tick == 0.0 { "a" } else { "g" };
        svg += &format!(
            "<line class=\"{class}\" x1=\"{at:.1}\" y1=\"{top}\" x2=\"{at:.1}\" y2=\"{bottom}\"/><text class=\"t m\" x=\"{at:.1}\" y=\"{:.0}\">{}</text>",
            bottom + 16.0,
            super::scale::number(tick)
        );
    }
    for (i, (row, d, p)) in tested.iter().enumerate() {
        let y = top + 22.0 * (i as f64 + 0.5);
        let colour = match (*p < 0.05, d.mean < 0.0) {
            (true, true) => 2,
            (true, false) => 3,
            (false, _) => 7,
        };
        svg += &format!(
            "<text class=\"t e\" x=\"{:.0}\" y=\"{:.1}\">{}</text><line class=\"l c{colour}\" x1=\"{:.1}\" y1=\"{y:.1}\" x2=\"{:.1}\" y2=\"{y:.1}\"/><circle class=\"f{colour}\" cx=\"{:.1}\" cy=\"{y:.1}\" r=\"4\"><title>{}: {:+.4} ± {:.4}, p = {:.3}</title></circle>",
            left - 10.0,
            y + 4.0,
            escaped(&row.title),
            x.at(d.mean - d.half),
            x.at(d.mean + d.half),
            x.at(d.mean),
            escaped(&row.title),
            d.mean,
            d.half,
            p
        );
    }
    svg += &format!(
        "<text class=\"t m\" x=\"{:.0}\" y=\"{:.0}\">left of 0 ESGD is better</text></svg>",
        x.at(0.0).clamp(left + 80.0, WIDTH - 90.0),
        bottom + 36.0
    );
    Some(Figure {
        name: "differences",
        title: title.into(),
        caption: "Mean over seeds with its 95 % confidence interval, paired. Green where ESGD beats it and red where it loses, \
                  at p < 0.05 corrected for the number of rows; grey where these seeds cannot tell."
            .into(),
        svg,
    })
}

/// Each method's lowest loss so far against what it has spent, and the band of its best 15.
fn curves(folder: &Path, comparison: &Comparison) -> Result<Vec<Figure>, Failure> {
    let mut methods: Vec<Method> = comparison.runs.iter().map(|run| run.method).collect();
    methods.sort();
    methods.dedup();
    let mut best = vec![];
    let mut bands = vec![];
    for (i, method) in
        methods.into_iter().filter(|m| !m.is_apart() && *m != Method::Tuned).enumerate()
    {
        let runs = comparison.runs.iter().filter(|run| run.method == method);
        let runs = runs.map(|run| Run::read(&folder.join(&run.folder)));
        let runs = runs.collect::<Result<Vec<_>, _>>()?;
        let Some(first) = runs.first() else { continue };
        let epochs = |run: &Run, j: usize| run.lines[j].report.tally.epochs;
        // Seeds do not report at the same moments; each counts with what it had by then.
        let begin = runs.iter().map(|run| epochs(run, 0)).max().unwrap_or(0);
        let x: Vec<usize> = (0..first.lines.len()).map(|j| epochs(first, j)).collect();
        let x: Vec<usize> = x.into_iter().filter(|x| *x >= begin).collect();
        let n = x.len();
        let by = |run: &Run, j: usize| {
            run.lines.partition_point(|line| line.report.tally.epochs <= x[j]).saturating_sub(1)
        };
        let lows: Vec<Vec<f64>> = runs.iter().map(Run::best).collect();
        let mean = |j: usize| {
            let all = runs.iter().zip(&lows).map(|(run, low)| low[by(run, j)]);
            all.sum::<f64>() / lows.len() as f64
        };
        let x_of = |j: usize| x[j] as f64;
        let (colour, dashed) = (i, i >= 8);
        best.push(Series {
            name: method.title().into(),
            colour,
            dashed,
            points: (0..n).map(|j| (x_of(j), mean(j))).collect(),
            ..Series::default()
        });
        let size = first.lines[0].report.individuals.len();
        if size > 1
            && matches!(
                method,
                Method::Esgd | Method::NoEvolution | Method::Population | Method::Pbt
            )
        {
            let all: Vec<Vec<(f64, f64)>> = runs.iter().map(|run| run.band(TOP)).collect();
            let of = |j: usize| {
                let mean = |end: fn(&(f64, f64)) -> f64| {
                    let bands = runs.iter().zip(&all).map(|(run, band)| end(&band[by(run, j)]));
                    bands.sum::<f64>() / all.len() as f64
                };
                (x_of(j), mean(|b| b.0), mean(|b| b.1))
            };
            let band: Vec<_> = (0..n).map(of).collect();
            bands.push(Series {
                name: method.title().into(),
                colour,
                points: band.iter().map(|b| (b.0, b.1)).collect(),
                band,
                ..Series::default()
            });
        }
    }
    // Networks that are not trained yet would take all the room.
    let ends = best.iter().filter_map(|series: &Series| Some(series.points.last()?.0));
    let first = 0.02 * ends.fold(0.0, f64::max);
    for series in best.iter_mut().chain(&mut bands) {
        series.points.retain(|point| point.0 >= first);
        series.band.retain(|part| part.0 >= first);
    }
    let chart = |name, title: &str, series, caption: &str| {
        let chart = Chart {
            title: title.into(),
            x: "epochs, of all individuals".into(),
            y: "fitness (loss)".into(),
            series,
            ..Chart::default()
        };
        let svg = chart.svg();
        (!chart.is_empty()).then(|| Figure {
            name,
            title: chart.title,
            caption: caption.into(),
            svg,
        })
    };
    Ok([
        chart(
            "methods",
            "Lowest loss so far against work",
            best,
            "On the data that choices are made by, in the mean of seeds, without the first fiftieth. A method that starts later was trained before its first report.",
        ),
        chart(
            "populations",
            "The best individual to the 15th",
            bands,
            "The population at the time, or as many as there are, in the mean of seeds.",
        ),
    ]
    .into_iter()
    .flatten()
    .collect())
}
