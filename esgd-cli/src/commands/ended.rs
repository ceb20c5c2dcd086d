//! What is printed of a run that has ended.

use crate::{
    commands::terminal,
    config::Config,
    failure::Failure,
    run::{End, Ended, RunFolder, Summary},
};

/// Prints what a run came to, and how it ended.
pub(super) fn show(
    ended: Ended,
    config: &Config,
    folder: &RunFolder,
    quiet: bool,
    json: bool,
) -> Result<(), Failure> {
    if json {
        terminal::json(&ended.summary)?;
    } else if !quiet {
        print(&ended.summary, config, folder)?;
    }
    match ended.end {
        End::Complete => Ok(()),
        End::OutOfTime(what) => {
            terminal::notice(&what);
            Ok(())
        }
        End::Failed(failure) => Err(failure),
    }
}

fn print(summary: &Summary, config: &Config, folder: &RunFolder) -> Result<(), Failure> {
    terminal::print(&format!("{}\n", summary.table(config)))?;
    let best = match &summary.best_networks[..] {
        [] => String::new(),
        [one] => format!(", {}", one.file),
        [first, .., last] => format!(", {} to {}", first.file, last.file),
    };
    terminal::line(&format!(
        "Saved in {}: best.safetensors{best}, config.toml, metrics.jsonl, run.json",
        folder.path().display()
    ))
}
