//! `esgd report`: runs and comparisons as one page that needs nothing else, and as pictures.

mod axes;
mod chart;
mod comparison;
mod csv;
mod detail;
#[cfg(test)]
mod example;
mod figures;
mod log;
mod page;
mod palette;
mod png;
mod run;
mod scale;
mod single;
mod table;
mod together;
mod values;
mod words;

use std::path::{Path, PathBuf};

use self::{
    comparison::Compared,
    detail::{Detail, LEVELS, LIMIT},
    page::Section,
    png::Painter,
    run::Run,
};
use crate::{args::ReportArgs, atomic_file, failure::Failure, tensorboard::Events, terminal};

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
        terminal::line(&out.join(PAGE).display().to_string())?;
        let pictures = words::count(figures, "figure", "figures");
        let figures = out.join("figures");
        terminal::line(&format!("{pictures} as SVG and PNG in {}", figures.display()))?;
    }
    Ok(())
}

/// The page's file.
pub const PAGE: &str = "report.html";

fn is_comparison(folder: &Path) -> bool {
    folder.join("comparison.json").is_file()
}

/// What a folder has.
enum Subject {
    Run(Run),
    Comparison(Box<Compared>),
}

/// Writes the page of runs and comparisons with its figures into `out`; gives how many figures.
pub fn write(out: &Path, folders: &[PathBuf]) -> Result<usize, Failure> {
    let folders = distinct(folders);
    let mut subjects = vec![];
    for folder in &folders {
        subjects.push(match is_comparison(folder) {
            true => Subject::Comparison(Box::new(Compared::read(folder)?)),
            false => Subject::Run(Run::read(folder)?),
        });
    }
    tell_apart(&mut subjects, &folders);
    let (page, sections) = small_page(&subjects);
    std::fs::create_dir_all(out)
        .map_err(|e| Failure::Failed(format!("cannot make the folder {}: {e}", out.display())))?;
    atomic_file::write(&out.join(PAGE), page.as_bytes())?;
    pictures(out, &sections)
}

/// Each folder once, however it is named.
fn distinct(folders: &[PathBuf]) -> Vec<PathBuf> {
    let mut seen = vec![];
    let mut kept = vec![];
    for folder in folders {
        let real = folder.canonicalize().unwrap_or_else(|_| folder.clone());
        if !seen.contains(&real) {
            seen.push(real);
            kept.push(folder.clone());
        }
    }
    kept
}

/// Runs of one name in several folders are called by their paths.
fn tell_apart(subjects: &mut [Subject], folders: &[PathBuf]) {
    let name = |subject: &Subject| match subject {
        Subject::Run(run) => Some(run.name.clone()),
        Subject::Comparison(_) => None,
    };
    let names: Vec<Option<String>> = subjects.iter().map(name).collect();
    for (subject, folder) in subjects.iter_mut().zip(folders) {
        if let Subject::Run(run) = subject {
            if names.iter().flatten().filter(|other| **other == run.name).count() > 1 {
                run.name = folder.display().to_string();
            }
        }
    }
}

/// The page with as much detail as it can have and be small.
fn small_page(subjects: &[Subject]) -> (String, Vec<Section>) {
    let mut made = page_with(subjects, LEVELS[0]);
    for detail in &LEVELS[1..] {
        if made.0.len() <= LIMIT {
            break;
        }
        made = page_with(subjects, *detail);
    }
    made
}

fn page_with(subjects: &[Subject], detail: Detail) -> (String, Vec<Section>) {
    let section = |subject: &Subject| match subject {
        Subject::Run(run) => single::section(run, detail),
        Subject::Comparison(compared) => compared.section(detail),
    };
    let mut sections: Vec<Section> = subjects.iter().map(section).collect();
    let runs = subjects.iter().filter_map(|subject| match subject {
        Subject::Run(run) => Some(run),
        Subject::Comparison(_) => None,
    });
    let runs: Vec<&Run> = runs.collect();
    if runs.len() > 1 {
        sections.insert(0, together::section(&runs, detail));
    }
    let comparisons = subjects.len() - runs.len();
    let counted = [(runs.len(), "run", "runs"), (comparisons, "comparison", "comparisons")];
    let counted = counted.into_iter().filter(|(n, ..)| *n > 0);
    let title = match &sections[..] {
        [one] => one.title.clone(),
        _ => {
            counted.map(|(n, one, many)| words::count(n, one, many)).collect::<Vec<_>>().join(", ")
        }
    };
    (page::html(&title, &sections), sections)
}

/// Writes each figure as SVG and as PNG; gives how many.
fn pictures(out: &Path, sections: &[Section]) -> Result<usize, Failure> {
    let dir = out.join("figures");
    std::fs::create_dir_all(&dir)
        .map_err(|e| Failure::Failed(format!("cannot make the folder {}: {e}", dir.display())))?;
    let painter = Painter::new();
    if !painter.has_fonts() {
        terminal::notice(
            "this system has no fonts, so the PNGs have no letters; the SVGs have them",
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

#[cfg(test)]
mod tests {
    use super::*;
    use example::individual;

    #[test]
    fn a_run_that_is_named_twice_is_there_once() {
        let dir = tempfile::tempdir().unwrap();
        let run = dir.path().join("run");
        std::fs::create_dir(&run).unwrap();
        let folders = distinct(&[run.clone(), run.join("../run"), dir.path().to_owned()]);
        assert_eq!(folders, [run, dir.path().to_owned()]);
    }

    /// 40 runs of 300 generations and 30 individuals with 8 parents each.
    #[test]
    fn many_long_runs_make_a_small_page() {
        let line = |k: usize| -> Vec<String> {
            let parents: Vec<String> = (0..8).map(|p| format!("g{}.1#{p}", k.max(1) - 1)).collect();
            let parents: Vec<&str> = parents.iter().map(String::as_str).collect();
            let parents = if k == 0 { &[][..] } else { &parents[..] };
            let of = |i: usize| {
                let fitness = 1.0 / (k + 1) as f64 + 0.001 * i as f64;
                individual(&format!("g{k}.1#{i}"), parents, fitness, Some("sgd"))
            };
            (0..30).map(of).collect()
        };
        let lines: Vec<Vec<String>> = (0..300).map(line).collect();
        let lines: Vec<&[String]> = lines.iter().map(Vec::as_slice).collect();
        let subjects: Vec<Subject> = (0..40).map(|_| Subject::Run(example::run(&lines))).collect();
        let (one, _) = small_page(&subjects[..1]);
        let (all, _) = small_page(&subjects);
        assert!(all.len() < 2_000_000, "{}", all.len());
        assert!(one.len() > all.len() / 40, "fewer runs show more of each");
        assert!(page_with(&subjects, LEVELS[0]).0.len() > LIMIT);
    }
}
