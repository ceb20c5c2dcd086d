//! `esgd report`.

use std::path::{Path, PathBuf};

use crate::{
    commands::{args::ReportArgs, terminal},
    failure::Failure,
    report::{self, PAGE, Request},
    text::numbers::count,
};

/// Makes the page that is asked for.
pub(super) fn run(args: &ReportArgs) -> Result<(), Failure> {
    let first = args.runs.first().map_or(Path::new("."), |run| run);
    let out = args.out.as_deref().unwrap_or(first);
    let figures = write(out, &args.runs, args.tensorboard)?;
    if !args.quiet {
        terminal::line(&out.join(PAGE).display().to_string())?;
        let pictures = count(figures, "figure", "figures");
        let figures = out.join("figures");
        terminal::line(&format!("{pictures} as SVG and PNG in {}", figures.display()))?;
    }
    Ok(())
}

/// Writes the page of runs and comparisons into `out`, and tells how many figures it has.
pub(super) fn write(out: &Path, folders: &[PathBuf], tensorboard: bool) -> Result<usize, Failure> {
    let written = report::run(&Request { folders, out, tensorboard })?;
    if !written.letters {
        terminal::notice(
            "this system has no fonts, so the PNGs have no letters; the SVGs have them",
        );
    }
    Ok(written.figures)
}
