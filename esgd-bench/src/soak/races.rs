//! Several processes that want one folder.

use std::process::Stdio;

use super::program::{Program, failed_in_order, left, succeed};
use crate::Result;

const RACERS: usize = 4;

/// Starts several runs in one folder, `n` times.
///
/// # Errors
/// If not exactly one of them gets it, or that ends with other bits.
pub fn soak(program: &Program, n: usize) -> Result<String> {
    let dir = tempfile::tempdir()?;
    let whole = dir.path().join("whole");
    succeed(program.train(&whole, &[]))?;
    let expected = left(&whole)?;
    for trial in 0..n {
        let run = dir.path().join(format!("run-{trial}"));
        let start = |_| program.train(&run, &[]).stderr(Stdio::piped()).spawn();
        let racers = (0..RACERS).map(start).collect::<std::io::Result<Vec<_>>>()?;
        let mut won = 0;
        for racer in racers {
            let output = racer.wait_with_output()?;
            if output.status.success() {
                won += 1;
            } else {
                failed_in_order(&output).map_err(|e| format!("race {trial}: {e}"))?;
            }
        }
        if won != 1 || left(&run)? != expected {
            return Err(format!("race {trial}: {won} of {RACERS} got the folder").into());
        }
    }
    Ok(format!(
        "{n} races of {RACERS} processes for one folder: one got it, the others were told who has it"
    ))
}
