//! Checkpoints with bytes flipped, cut, lost or mixed up with another run's.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
};

use rayon::prelude::*;

use super::{
    chance::Chance,
    program::{Left, Program, failed_in_order, left, succeed},
};
use crate::Result;

const FIRST: &[&str] = &["generations=3", "fine_tune.epochs=0", "run.threads=1"];
const MORE: &[&str] = &["generations=4"];

/// What came of damaged folders.
#[derive(Default)]
struct Effort {
    /// An older checkpoint was used.
    went_back: AtomicUsize,
    /// The run could not go on, and the program said why.
    refused: AtomicUsize,
    /// An older checkpoint was damaged, or the config, which a checkpoint has too.
    warned: AtomicUsize,
    /// There was nothing to notice: bytes were replaced by the same, or a manifest is gone.
    none: AtomicUsize,
}

/// Damages a run's folder in `n` ways and goes on with each.
///
/// # Errors
/// If one panics, or ends with other bits than the run that nobody damaged.
pub fn soak(program: &Program, n: usize) -> Result<String> {
    let dir = tempfile::tempdir()?;
    let [run, other, whole] = ["run", "other", "whole"].map(|name| dir.path().join(name));
    succeed(program.train(&run, FIRST))?;
    succeed(program.train(&other, &[FIRST, &["seed=7"]].concat()))?;
    copy(&run, &whole)?;
    succeed(program.resume(&whole, MORE))?;
    let expected = left(&whole)?;
    let effort = Effort::default();
    let trials = (0..n).into_par_iter().map(|trial| {
        let damaged = dir.path().join(format!("damaged-{trial}"));
        copy(&run, &damaged).map_err(|e| e.to_string())?;
        let (what, unknowable) =
            damage(&mut Chance::new(1, trial), &damaged, &other).map_err(|e| e.to_string())?;
        outcome(program, &damaged, unknowable, &expected, &effort)
            .map_err(|e| format!("{what}: {e}"))?;
        fs::remove_dir_all(&damaged).map_err(|e| e.to_string())
    });
    trials.collect::<std::result::Result<(), String>>()?;
    let [back, refused, warned, none] =
        [effort.went_back, effort.refused, effort.warned, effort.none].map(AtomicUsize::into_inner);
    Ok(format!(
        "{n} damaged folders: {back} went on from an older checkpoint with a warning, {refused} were \
         refused in one sentence, {warned} went on from the last with a warning about what was not \
         needed, {none} had nothing to notice (the same bytes, or a manifest gone); every one that went on ended with the same bits"
    ))
}

fn outcome(
    program: &Program,
    run: &Path,
    unknowable: bool,
    expected: &Left,
    effort: &Effort,
) -> Result<()> {
    let output = program.resume(run, MORE).output()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if !output.status.success() {
        failed_in_order(&output)?;
        effort.refused.fetch_add(1, Ordering::Relaxed);
        return Ok(());
    }
    if said.contains("panicked") {
        return Err(said.into());
    }
    if left(run)? != *expected {
        return Err("it ended with other bits".into());
    }
    let counter = match said.lines().find(|line| line.starts_with("esgd: ")) {
        Some(line) if line.contains("going back to") => &effort.went_back,
        Some(_) => &effort.warned,
        None if unknowable => &effort.none,
        None => return Err("the damage was not noticed".into()),
    };
    counter.fetch_add(1, Ordering::Relaxed);
    Ok(())
}

/// Damages one file; says which and how, and whether nobody could know of it.
fn damage(chance: &mut Chance, run: &Path, other: &Path) -> Result<(String, bool)> {
    let mut files = files(run)?;
    files.sort();
    let path = files[chance.below(files.len())].clone();
    let name = path.strip_prefix(run)?.display().to_string();
    let before = fs::read(&path)?;
    let mut bytes = before.clone();
    let how = match chance.below(8) {
        0 => {
            fs::remove_file(&path)?;
            // Nobody can know of a manifest that is gone.
            return Ok((format!("{name} removed"), name.ends_with(".json")));
        }
        1 | 2 => {
            bytes.truncate(chance.below(bytes.len()));
            "cut"
        }
        3 => {
            let theirs = other.join(&name);
            let theirs = if theirs.is_file() {
                theirs
            } else {
                let all = self::files(other)?;
                all[chance.below(all.len())].clone()
            };
            bytes = fs::read(theirs)?;
            "another run's"
        }
        4 => {
            bytes.extend((0..1 + chance.below(50)).map(|_| chance.below(256) as u8));
            "longer"
        }
        _ => {
            for _ in 0..1 + chance.below(3) {
                let at = chance.below(bytes.len());
                bytes[at] ^= 1 << chance.below(8);
            }
            "flipped"
        }
    };
    fs::write(&path, &bytes)?;
    // Behind what a checkpoint vouches for, a log may have lines that a killed run left.
    let unknowable = bytes == before || name == "metrics.jsonl" && bytes.starts_with(&before);
    Ok((format!("{name} {how}"), unknowable))
}

/// The files that a run goes on from: its checkpoints, its log and its config.
fn files(run: &Path) -> Result<Vec<PathBuf>> {
    let mut all = vec![run.join("metrics.jsonl"), run.join("config.toml")];
    for entry in fs::read_dir(run.join("checkpoints"))? {
        all.push(entry?.path());
    }
    Ok(all)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to.join("checkpoints"))?;
    for path in files(from)? {
        fs::copy(&path, to.join(path.strip_prefix(from)?))?;
    }
    Ok(())
}
