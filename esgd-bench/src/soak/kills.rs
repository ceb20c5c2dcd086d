//! SIGKILL at random moments.

use std::{
    thread,
    time::{Duration, Instant},
};

use super::{
    chance::Chance,
    program::{Program, left, succeed},
};
use crate::Result;

/// Ways of the guarantee and recipes that differ in what must be kept.
const KINDS: [&[&str]; 3] = [
    &[],
    &["guarantee.way=back-off", "recipes.policy=redraw", "start=independent"],
    &["recipes.policy=inherit", "fine_tune.epochs=2"],
];

/// Kills `n` runs, each up to three times, and resumes them to their end.
///
/// # Errors
/// If one does not end with the bits of the run that nobody killed.
pub fn soak(program: &Program, n: usize) -> Result<String> {
    let dir = tempfile::tempdir()?;
    let (mut kills, mut early) = (0, 0);
    for (kind, settings) in KINDS.iter().enumerate() {
        let whole = dir.path().join(format!("whole-{kind}"));
        let begin = Instant::now();
        succeed(program.train(&whole, settings))?;
        let took = begin.elapsed();
        let expected = left(&whole)?;
        for trial in (kind..n).step_by(KINDS.len()) {
            let mut chance = Chance::new(0, trial);
            let run = dir.path().join(format!("killed-{trial}"));
            for attempt in 0..=chance.below(3) {
                // On another number of threads each time.
                let threads = format!("run.threads={}", 1 + chance.below(3));
                let begun = run.join("config.toml").is_file();
                let mut command = match begun {
                    true => program.resume(&run, &[&threads]),
                    false => program.train(&run, &[*settings, &[&threads[..]]].concat()),
                };
                let mut child = command.stderr(std::process::Stdio::null()).spawn()?;
                thread::sleep(Duration::from_secs_f64(took.as_secs_f64() * chance.unit()));
                child.kill()?;
                kills += usize::from(!child.wait()?.success());
                early += usize::from(attempt == 0 && !run.join("checkpoints").is_dir());
            }
            if program.finish(&run, settings).map_err(|e| format!("kill {trial}: {e}"))? != expected
            {
                return Err(format!("trial {trial} of kind {kind} ended with other bits").into());
            }
            program.verify(&run)?;
            std::fs::remove_dir_all(&run)?;
        }
    }
    Ok(format!(
        "{n} runs killed {kills} times ({early} before the first checkpoint): every one resumed to the same bits"
    ))
}
