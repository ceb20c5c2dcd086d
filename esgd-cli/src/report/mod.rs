//! Runs and comparisons as one page that needs nothing else, and as pictures.

mod comparison;
mod csv;
#[cfg(test)]
mod example;
mod figures;
mod log;
#[cfg(test)]
mod odd;
mod page;
mod run;
mod single;
mod table;
mod texts;
mod together;
mod values;

use std::path::{Path, PathBuf};

use self::{comparison::Compared, page::Section, run::Run};
use crate::{
    draw::{
        detail::{Detail, LARGEST, LEVELS, LIMIT},
        palette,
        png::Painter,
    },
    error::Error,
    failure::Failure,
    files::own_file::{self, Kind},
    run::{
        log::{Log, NAME},
        tensorboard::Events,
    },
    text::numbers,
};

/// The page's file.
pub(crate) const PAGE: &str = "report.html";
/// The log for a spreadsheet, in a run's folder.
const CSV: &str = "metrics.csv";

fn is_comparison(folder: &Path) -> bool {
    // One that cannot be read is told of when it is read.
    std::fs::symlink_metadata(folder.join(comparison::FILE)).is_ok()
}

/// What a folder has.
enum Subject {
    Run(Run),
    Comparison(Box<Compared>),
}

/// What to report on.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Folders of runs and of comparisons.
    pub folders: &'a [PathBuf],
    /// The folder for the page and its figures.
    pub out: &'a Path,
    /// Whether TensorBoard's event files are written as well, in each run's folder.
    pub tensorboard: bool,
}

/// What was written.
#[derive(Clone, Copy, Debug)]
pub struct Written {
    /// How many figures, each as SVG and as PNG.
    pub figures: usize,
    /// Whether there are letters in the PNGs: not on a system that has no fonts.
    pub letters: bool,
}

/// Writes the page of runs and comparisons with its figures, and in each run's folder its log for a
/// spreadsheet.
///
/// # Errors
/// That a folder has no run or comparison, that a log or result is damaged, that the page would be too large, or that
/// files of others stand where it belongs.
pub fn run(request: &Request<'_>) -> Result<Written, Failure> {
    let runs = || request.folders.iter().filter(|folder| !is_comparison(folder));
    runs().try_for_each(|folder| own_file::check(&folder.join(CSV), Kind::Log))?;
    let written = page(request.out, request.folders)?;
    for folder in runs() {
        let Log { lines, .. } = log::read(&folder.join(NAME))?;
        own_file::write(&folder.join(CSV), csv::of(&lines).as_bytes(), Kind::Log)?;
        if request.tensorboard {
            Events::of(folder, &lines)?;
        }
    }
    Ok(written)
}

/// Writes the page of the run in a folder, `report.html`, with its figures and the log for a spreadsheet, into that
/// folder; gives the page's path. A run that goes on has a page of what it has so far.
///
/// # Errors
/// If there is no run in the folder, it cannot be written to, or it has files of these names that no report wrote.
pub fn write(folder: impl AsRef<Path>) -> Result<PathBuf, Error> {
    let folder = folder.as_ref().to_owned();
    let out = folder.clone();
    run(&Request { folders: &[folder], out: &out, tensorboard: false })?;
    Ok(out.join(PAGE))
}

fn page(out: &Path, folders: &[PathBuf]) -> Result<Written, Failure> {
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
    if page.len() > LARGEST {
        return Err(Failure::Usage(format!(
            "a page of {} would have {:.1} MB: name fewer, so that it has at most {:.1}",
            numbers::count(folders.len(), "folder", "folders"),
            page.len() as f64 / 1e6,
            LARGEST as f64 / 1e6
        )));
    }
    std::fs::create_dir_all(out)
        .map_err(|e| Failure::Failed(format!("cannot make the folder {}: {e}", out.display())))?;
    let dir = out.join("figures");
    own_file::folder(&dir)?;
    let mut files = vec![(out.join(PAGE), page.into_bytes(), Kind::Page)];
    let painter = Painter::new();
    files.extend(pictures(&painter, &dir, &sections)?);
    // All or nothing is written.
    files.iter().try_for_each(|(path, _, kind)| own_file::check(path, *kind))?;
    files.iter().try_for_each(|(path, bytes, kind)| own_file::write(path, bytes, *kind))?;
    Ok(Written { figures: (files.len() - 1) / 2, letters: painter.has_fonts() })
}

/// What is to be written: where, what, and its kind.
type File = (PathBuf, Vec<u8>, Kind);

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
                run.name = texts::short(&folder.display().to_string(), texts::NAME);
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
        _ => counted
            .map(|(n, one, many)| numbers::count(n, one, many))
            .collect::<Vec<_>>()
            .join(", "),
    };
    (page::html(&title, &sections), sections)
}

/// Each figure as SVG and as PNG.
fn pictures(painter: &Painter, dir: &Path, sections: &[Section]) -> Result<Vec<File>, Failure> {
    let mut files = vec![];
    for (i, section) in sections.iter().enumerate() {
        let prefix = if sections.len() > 1 { format!("{}-", i + 1) } else { String::new() };
        for figure in &section.figures {
            let svg = palette::standing_alone(&figure.svg);
            let path = |end: &str| dir.join(format!("{prefix}{}.{end}", figure.name));
            let png = painter.png(&svg).map_err(|e| {
                Failure::Failed(format!("cannot draw the figure {}: {e}", figure.name))
            })?;
            files.push((path("svg"), svg.into_bytes(), Kind::Svg));
            files.push((path("png"), png, Kind::Png));
        }
    }
    Ok(files)
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
