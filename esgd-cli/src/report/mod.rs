//! `esgd report`: runs and comparisons as one page that needs nothing else, and as pictures.

mod chart;
mod comparison;
mod csv;
mod figures;
mod page;
mod palette;
mod png;
mod run;
mod scale;

use std::path::{Path, PathBuf};

use self::{
    chart::{Chart, Series},
    figures::Figure,
    page::{Section, Table, TableRow},
    png::Painter,
    run::Run,
};
use crate::{args::ReportArgs, atomic_file, failure::Failure, tensorboard::Events};

/// Makes the page that is asked for.
pub fn report(args: &ReportArgs) -> Result<(), Failure> {
    let first = args.runs.first().map_or(Path::new("."), |run| run);
    let out = args.out.as_deref().unwrap_or(first);
    let figures = write(out, &args.runs)?;
    for folder in args.runs.iter().filter(|folder| !is_comparison(folder)) {
        let lines = Run::read(folder)?.lines;
        atomic_file::write(&folder.join("metrics.csv"), csv::of(&lines).as_bytes())?;
        if args.tensorboard {
            Events::of(folder, &lines)?;
        }
    }
    if !args.quiet {
        println!("{}", out.join(PAGE).display());
        println!("{figures} figures as SVG and PNG in {}", out.join("figures").display());
    }
    Ok(())
}

/// The page's file.
pub const PAGE: &str = "report.html";

fn is_comparison(folder: &Path) -> bool {
    folder.join("comparison.json").is_file()
}

/// Writes the page of runs and comparisons with its figures into `out`; gives how many figures.
pub fn write(out: &Path, folders: &[PathBuf]) -> Result<usize, Failure> {
    let mut runs = vec![];
    let mut sections = vec![];
    for folder in folders {
        if is_comparison(folder) {
            sections.push(comparison::section(folder)?);
        } else {
            let run = Run::read(folder)?;
            sections.push(section(&run, folders.len()));
            runs.push(run);
        }
    }
    if runs.len() > 1 {
        sections.insert(0, together(&runs));
    }
    let title = match &sections[..] {
        [one] => one.title.clone(),
        _ => format!("{} runs", folders.len()),
    };
    std::fs::create_dir_all(out)
        .map_err(|e| Failure::Failed(format!("cannot make the folder {}: {e}", out.display())))?;
    atomic_file::write(&out.join(PAGE), page::html(&title, &sections).as_bytes())?;
    pictures(out, &sections)
}

/// Writes each figure as SVG and as PNG; gives how many.
fn pictures(out: &Path, sections: &[Section]) -> Result<usize, Failure> {
    let dir = out.join("figures");
    std::fs::create_dir_all(&dir)
        .map_err(|e| Failure::Failed(format!("cannot make the folder {}: {e}", dir.display())))?;
    let painter = Painter::new();
    if !painter.has_fonts() {
        eprintln!(
            "esgd: this system has no fonts, so the PNGs have no letters; the SVGs have them"
        );
    }
    let mut n = 0;
    for (i, section) in sections.iter().enumerate() {
        let prefix = if sections.len() > 1 { format!("{}-", i + 1) } else { String::new() };
        for figure in &section.figures {
            let svg = palette::standing_alone(&figure.svg);
            let path = |end: &str| dir.join(format!("{prefix}{}.{end}", figure.name));
            let png = painter.png(&svg).map_err(|e| {
                Failure::Failed(format!("cannot draw the figure {}: {e}", figure.name))
            })?;
            atomic_file::write(&path("svg"), svg.as_bytes())?;
            atomic_file::write(&path("png"), &png)?;
            n += 1;
        }
    }
    Ok(n)
}

/// The section of one of so many runs.
fn section(run: &Run, runs: usize) -> Section {
    let mut text = vec![];
    if let Some(last) = run.lines.last() {
        let tally = last.report.tally;
        text.push(format!(
            "{} generations in {:.0} s: {} epochs, of which {} were taken back, and {} offspring scored. The lowest fitness is {:.4}.",
            last.report.generation,
            last.seconds,
            tally.epochs,
            tally.backed_off,
            tally.offspring,
            run.best().last().copied().unwrap_or(f64::NAN),
        ));
    }
    match &run.result {
        Some(result) => text.extend(
            result["best"]["recipe"]
                .as_str()
                .map(|recipe| format!("The best network was last trained with {recipe}.")),
        ),
        None => text.push("The run is not complete.".into()),
    }
    let tables = run.result.as_ref().map(results).into_iter().collect();
    Section { title: run.name.clone(), text, tables, figures: figures::of(run, runs) }
}

/// Loss and error of the best network, with evolution and without.
fn results(result: &serde_json::Value) -> Table {
    let number = |value: &serde_json::Value, digits: usize| {
        (value.as_f64().map_or("–".into(), |v| format!("{v:.digits$}")), value.as_f64())
    };
    let mut rows = vec![];
    let ways = [("with evolution", &result["best"]), ("without", &result["contrast"]["best"])];
    for (way, best) in ways {
        for part in ["train", "validation", "test"] {
            let scores = &best[part];
            if !scores.is_object() {
                continue;
            }
            let error = scores["error"].as_f64().map(|e| 100.0 * e);
            let error = (error.map_or("–".into(), |e| format!("{e:.2}")), error);
            rows.push(TableRow {
                class: if way == "with evolution" { "own" } else { "" },
                cells: vec![
                    (format!("{part}, {way}"), None),
                    number(&scores["loss"], 4),
                    error,
                    number(&scores["samples"], 0),
                ],
            });
        }
    }
    Table {
        caption: "The best network.".into(),
        heads: ["", "loss", "error %", "samples"].map(str::to_owned).to_vec(),
        rows,
    }
}

/// Several runs in one picture.
fn together(runs: &[Run]) -> Section {
    let series = |x: &dyn Fn(&Run) -> Vec<f64>| {
        let line = |(i, run): (usize, &Run)| Series {
            name: run.name.clone(),
            colour: i,
            dashed: i >= 8,
            points: x(run).into_iter().zip(run.best()).collect(),
            ..Series::default()
        };
        runs.iter().enumerate().map(line).collect::<Vec<_>>()
    };
    let seconds = |run: &Run| run.lines.iter().map(|line| line.seconds).collect();
    let (axis, known) = match runs.iter().all(|run| run.samples.is_some()) {
        true => ("samples trained on, by all individuals", true),
        false => ("epochs, of all individuals", false),
    };
    let work = |run: &Run| {
        let scale = run.samples.filter(|_| known).unwrap_or(1.0);
        run.lines.iter().map(|line| line.report.tally.epochs as f64 * scale).collect()
    };
    let figure = |name, title: &str, axis: &str, series| {
        let (x, y) = (axis.into(), "fitness (loss)".into());
        let chart = Chart { title: title.into(), x, y, series, ..Chart::default() };
        let caption =
            "The lowest fitness so far. It compares where runs measured it on the same data."
                .into();
        Figure { name, title: chart.title.clone(), caption, svg: chart.svg() }
    };
    Section {
        title: "Together".into(),
        figures: vec![
            figure("together-by-work", "Fitness against work", axis, series(&work)),
            figure("together-by-time", "Fitness against time", "seconds", series(&seconds)),
        ],
        ..Section::default()
    }
}
