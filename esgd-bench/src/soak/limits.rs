//! Too little memory.

use std::process::Command;

use super::program::{Program, left, succeed};
use crate::Result;

/// Megabytes of the first run, in which not even the program fits.
const FIRST: usize = 4;

/// Runs with limits on the address space, from too little to enough, and goes on without.
///
/// # Errors
/// If one panics, or ends with other bits.
pub fn memory(program: &Program) -> Result<String> {
    let dir = tempfile::tempdir()?;
    let whole = dir.path().join("whole");
    succeed(program.train(&whole, &[]))?;
    let expected = left(&whole)?;
    let (mut failed, mut enough, mut megabytes) = (0, 0, FIRST);
    while enough < 3 {
        let run = dir.path().join(format!("run-{megabytes}"));
        let train = program.train(&run, &["run.threads=2"]);
        let mut limited = Command::new("sh");
        limited.args(["-c", "ulimit -v \"$1\"; shift; exec \"$@\"", "sh"]);
        limited.arg((megabytes * 1024).to_string()).arg(train.get_program()).args(train.get_args());
        let output = limited.output()?;
        if output.status.success() {
            enough += 1;
        } else {
            // Memory that cannot be had ends the program at once.
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            if said.contains("panicked") {
                return Err(format!("with {megabytes} MB: {said}").into());
            }
            failed += 1;
        }
        if program.finish(&run, &[])? != expected {
            return Err(format!("from {megabytes} MB it ended with other bits").into());
        }
        megabytes += 2;
    }
    Ok(format!(
        "{failed} runs with {FIRST} MB to {megabytes} MB of address space had too little: each went on to \
         the same bits with more"
    ))
}
