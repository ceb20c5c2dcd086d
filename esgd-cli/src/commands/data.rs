//! `esgd data`.

use crate::{
    commands::args::DataArgs,
    download::{self, Request},
    failure::Failure,
    terminal,
};

/// Downloads the files of a data set.
pub(super) fn run(args: &DataArgs) -> Result<(), Failure> {
    let DataArgs { name, dir, from, quiet } = args;
    let then = download::run(&Request { name, dir, from: from.as_deref(), quiet: *quiet })?;
    if !quiet {
        let shown = dir.display();
        terminal::line(&format!("{name} is in {shown}. Next: {then} {shown}"))?;
    }
    Ok(())
}
