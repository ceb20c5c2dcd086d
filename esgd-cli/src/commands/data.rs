//! `esgd data`.

use crate::{
    commands::{args::DataArgs, download_bar::DownloadBar, terminal},
    download::{self, Request},
    failure::Failure,
};

/// Downloads the files of a data set.
pub(super) fn run(args: &DataArgs) -> Result<(), Failure> {
    let DataArgs { name, dir, from, quiet } = args;
    let watcher = &DownloadBar::new(*quiet);
    let then = download::run(&Request { name, dir, from: from.as_deref(), watcher })?;
    if !quiet {
        let shown = dir.display();
        terminal::line(&format!("{name} is in {shown}. Next: {then} {shown}"))?;
    }
    Ok(())
}
