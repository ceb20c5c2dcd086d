//! Each method's lowest loss so far against what it has spent, and the band of its best 15.

use std::path::{Component, Path};

use esgd_models::regular_file;

use super::super::{figures::Figure, run::Run, texts::short};
use crate::{
    compare::{Comparison, Method},
    draw::{
        axes::{Axis, Ends},
        chart::Chart,
        detail::Detail,
        series::Series,
    },
    failure::Failure,
    run::summary::TOP,
    text::numbers::ordinal,
};

/// Sentences on runs that cannot be read, and the characters of each.
const NOTES: usize = 10;
const NOTE: usize = 300;

/// A method and its runs, of which there is at least one.
pub(super) struct Way {
    method: Method,
    runs: Vec<Run>,
}

/// Whether a curve of its runs can stand beside the others.
fn has_curve(method: Method) -> bool {
    !method.is_apart() && method != Method::Tuned
}

/// The runs of all methods that have a curve, and a sentence on each that cannot be read.
pub(super) fn read(folder: &Path, comparison: &Comparison) -> (Vec<Way>, Vec<String>) {
    let mut methods: Vec<Method> = comparison.runs.iter().map(|run| run.method).collect();
    methods.sort();
    methods.dedup();
    let (mut ways, mut notes, mut more) = (vec![], vec![], 0);
    for method in methods.into_iter().filter(|method| has_curve(*method)) {
        let mut runs = vec![];
        for run in comparison.runs.iter().filter(|run| run.method == method) {
            match read_inside(folder, &run.folder) {
                Ok(run) => runs.push(run),
                Err(_) if notes.len() == NOTES => more += 1,
                // What to do about it is said to who names such a folder, not to who reads a page.
                Err(why) => notes.push(format!(
                    "A run is left out of the curves, {}, seed {}: {}.",
                    method.title(),
                    run.seed,
                    short(why.to_string().split(';').next().unwrap_or_default(), NOTE)
                )),
            }
        }
        if !runs.is_empty() {
            ways.push(Way { method, runs });
        }
    }
    if more > 0 {
        notes.push(format!("So are {more} others."));
    }
    (ways, notes)
}

/// The run in a folder of the comparison's, which no link leads to.
fn read_inside(folder: &Path, run: &Path) -> Result<Run, Failure> {
    let mut path = folder.to_owned();
    for part in run.components() {
        path.push(part);
        let inside = matches!(part, Component::Normal(_));
        // What is not there is told of when it is read.
        if !inside || (path.symlink_metadata().is_ok() && !regular_file::is_folder(&path)) {
            return Err(Failure::Failed(format!(
                "{} is no folder of the comparison",
                run.display()
            )));
        }
    }
    Run::read(&path)
}

impl Way {
    /// Where the curve has points, in epochs: those of the first run, once all have begun. Seeds do not report
    /// at the same moments; each counts with what it had by then.
    fn places(&self) -> Vec<usize> {
        let epochs = |run: &Run, j: usize| run.lines[j].report.effort.epochs;
        let begin = self.runs.iter().map(|run| epochs(run, 0)).max().unwrap_or(0);
        let first = &self.runs[0];
        (0..first.lines.len()).map(|j| epochs(first, j)).filter(|x| *x >= begin).collect()
    }

    /// The mean over runs of what each had by then.
    fn mean(&self, x: usize, of: &[Vec<f64>]) -> f64 {
        let by = |run: &Run| {
            run.lines.partition_point(|line| line.report.effort.epochs <= x).saturating_sub(1)
        };
        self.runs.iter().zip(of).map(|(run, values)| values[by(run)]).sum::<f64>() / of.len() as f64
    }

    fn points(&self, of: &[Vec<f64>]) -> Vec<(f64, f64)> {
        self.places().into_iter().map(|x| (x as f64, self.mean(x, of))).collect()
    }

    fn best(&self, colour: usize) -> Series {
        let lows: Vec<Vec<f64>> = self.runs.iter().map(Run::best).collect();
        Series {
            name: self.method.title().into(),
            colour,
            dash: colour,
            main: self.method == Method::Esgd,
            points: self.points(&lows),
            ..Series::default()
        }
    }

    /// The band of its best; `None` where there is one individual, or they are not a population.
    fn band(&self, colour: usize) -> Option<Series> {
        use Method::{Esgd, NoEvolution, Pbt, Population};
        let size = self.runs[0].lines[0].report.individuals.len();
        if size < 2 || !matches!(self.method, Esgd | NoEvolution | Population | Pbt) {
            return None;
        }
        let bands: Vec<Vec<(f64, f64)>> = self.runs.iter().map(|run| run.band(TOP)).collect();
        let end = |end: fn(&(f64, f64)) -> f64| {
            let ends: Vec<Vec<f64>> = bands.iter().map(|b| b.iter().map(end).collect()).collect();
            self.points(&ends)
        };
        let (low, high) = (end(|b| b.0), end(|b| b.1));
        Some(Series {
            name: self.method.title().into(),
            edge: format!("{}, its {}", self.method.title(), ordinal(size.min(TOP))),
            colour,
            dash: colour,
            main: self.method == Method::Esgd,
            band: low.iter().zip(&high).map(|(l, h)| (l.0, l.1, h.1)).collect(),
            points: low,
            ..Series::default()
        })
    }
}

/// The figures of the runs that are there.
pub(super) fn figures(comparison: &Comparison, ways: &[Way], detail: Detail) -> Vec<Figure> {
    let mut best: Vec<Series> = ways.iter().enumerate().map(|(i, way)| way.best(i)).collect();
    let mut bands: Vec<Series> =
        ways.iter().enumerate().filter_map(|(i, way)| way.band(i)).collect();
    // Networks that are not trained yet would take all the room.
    let ends = best.iter().filter_map(|series| Some(series.points.last()?.0));
    let first = 0.02 * ends.fold(0.0, f64::max);
    for series in best.iter_mut().chain(&mut bands) {
        series.points.retain(|point| point.0 >= first);
        series.band.retain(|part| part.0 >= first);
    }
    let average = average(comparison, &best);
    let averaged = match &average {
        Some(series) => format!(
            " The curve of {} is of the network whose weights are averaged; the dot at its end is what the table has: the \
             average, or the network where that is better.",
            series.name.trim_end_matches(" in the end")
        ),
        None => String::new(),
    };
    let over = if comparison.seeds.len() == 1 { "" } else { ", in the mean of seeds" };
    let caption = format!(
        "On the data that choices are made by{over}, without the first fiftieth. A method that starts later was trained \
         before its first report.{averaged}{}",
        left_out(comparison)
    );
    best.extend(average);
    let figure = |name, title: &str, series, caption| {
        let x = Axis::new("epochs, of all individuals", "# epochs", Ends::Tight);
        let y = Axis::new("fitness (loss)", "loss #", Ends::Room);
        Figure::of(name, &Chart { title: title.into(), x, y, series }, caption, detail)
    };
    let populations = format!(
        "The population at the time, or as many as there are{over}. Methods whose networks are no population are left out."
    );
    let figures = [
        figure("methods", "Lowest loss so far against work", best, caption),
        figure("populations", "The best individual to the 15th", bands, populations),
    ];
    figures.into_iter().flatten().collect()
}

/// What SWA ends with, at the end of its curve.
fn average(comparison: &Comparison, best: &[Series]) -> Option<Series> {
    let row = comparison.rows.iter().find(|row| row.method == Method::Swa)?;
    let curve = best.iter().find(|series| series.name == Method::Swa.title())?;
    let mean = row.fitness.iter().map(|f| f.get()).sum::<f64>() / row.fitness.len() as f64;
    Some(Series {
        name: format!("{} in the end", curve.name),
        colour: curve.colour,
        dots: true,
        points: vec![(curve.points.last()?.0, mean)],
        ..Series::default()
    })
}

/// The methods that have results and no curve, and why.
fn left_out(comparison: &Comparison) -> String {
    let mut methods: Vec<Method> = comparison.rows.iter().map(|row| row.method).collect();
    methods.sort();
    methods.dedup();
    let why = |method: &Method| match method {
        Method::Tuned => Some(format!("{} (several runs side by side)", method.title())),
        method if method.is_apart() => Some(format!("{} (no rival)", method.title())),
        _ => None,
    };
    let names: Vec<String> = methods.iter().filter_map(why).collect();
    match &names[..] {
        [] => String::new(),
        names => format!(" Left out: {}.", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::example;
    use super::*;
    use crate::{
        draw::detail::LEVELS,
        report::example::{self as logs, individual},
    };

    fn way(method: Method) -> Way {
        let one = [individual("g0.0#0", &[], 0.6, Some("sgd"))];
        Way { method, runs: vec![logs::run(&[&one, &one, &one])] }
    }

    #[test]
    fn the_average_of_weights_has_a_mark_and_what_is_left_out_is_named() {
        let ways = [way(Method::Esgd), way(Method::Swa)];
        let figures = figures(&example::comparison(), &ways, LEVELS[0]);
        let [methods] = &figures[..] else { panic!("{}", figures.len()) };
        let caption = &methods.caption;
        assert!(
            caption.contains("The curve of single run with SWA is of the network"),
            "{caption}"
        );
        assert!(caption.ends_with("Left out: short single run (no rival)."), "{caption}");
        let mark = "data-name=\"single run with SWA in the end\" data-values=\"2:0.3\"";
        assert!(methods.svg.contains(mark), "{}", methods.svg);
        assert!(methods.svg.contains("class=\"l c0 d0 w\""), "ESGD's is the thick one");
    }
}
