//! Folders with something of others in them: links, pipes, devices and files in the place of each file of a
//! run, under every command that reads or writes one.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use rayon::prelude::*;

use super::{
    chance::Chance,
    program::{Program, failed_in_order, succeed},
};
use crate::Result;

/// Longer than a command on a small run takes, if it does not hang.
const LONG: Duration = Duration::from_secs(120);

/// What stands in a file's place.
const KINDS: [&str; 7] = ["link", "endless", "pipe", "folder", "file", "hard link", "beside"];

/// The commands, with what follows the run's folder.
const COMMANDS: [(&str, &[&str]); 6] = [
    ("resume", &["--quiet", "--set=generations=5"]),
    ("resume", &["--quiet", "--tensorboard", "--set=generations=5", "--set=run.keep_best=2"]),
    ("verify", &[]),
    ("evaluate", &[]),
    ("combine", &["--json"]),
    ("report", &["--quiet", "--tensorboard"]),
];

/// Puts something of others into a run's folder in `n` ways and runs a command on it.
///
/// # Errors
/// If one hangs, panics, or changes something of others.
pub fn soak(program: &Program, n: usize) -> Result<String> {
    let dir = tempfile::tempdir()?;
    let run = dir.path().join("run");
    succeed(program.train(&run, &["fine_tune.epochs=0", "generations=3"]))?;
    for (command, more) in [COMMANDS[4], COMMANDS[5]] {
        succeed(command_on(program, command, &run, more))?;
    }
    let [went_on, refused] = [AtomicUsize::new(0), AtomicUsize::new(0)];
    let trials = (0..n).into_par_iter().map(|trial| {
        let place = dir.path().join(format!("{trial}"));
        let done = one(program, &run, &place, &mut Chance::new(8, trial));
        let done = done.map_err(|e| format!("trial {trial}: {e}"))?;
        let counted = if done { &went_on } else { &refused };
        counted.fetch_add(1, Ordering::Relaxed);
        fs::remove_dir_all(place).map_err(|e| e.to_string())
    });
    trials.collect::<std::result::Result<Vec<()>, String>>()?;
    let [went_on, refused] = [went_on, refused].map(AtomicUsize::into_inner);
    Ok(format!(
        "{n} folders with links, pipes, devices and files of others: {went_on} commands went on, {refused} said why not; nothing of others was changed"
    ))
}

/// Whether the command went on.
fn one(program: &Program, run: &Path, place: &Path, chance: &mut Chance) -> Result<bool> {
    let (copy, outside) = (place.join("run"), place.join("outside"));
    fs::create_dir_all(&outside)?;
    copy_folder(run, &copy)?;
    let theirs = outside.join("theirs");
    fs::write(&theirs, "important")?;
    let mut names: Vec<PathBuf> = contents(&copy)?.into_keys().collect();
    names.sort();
    let target = names[chance.below(names.len())].clone();
    let kind = KINDS[chance.below(KINDS.len())];
    let beside = copy.join(["checkpoints", "figures", "ensemble", "."][chance.below(4)]);
    let mut kept = BTreeMap::new();
    if kind == "beside" {
        for name in ["model.pt", "7.json", ".esgd-own.part", "abc.safetensors", "notes.svg"] {
            // A file of that name may be the run's.
            if beside.is_dir() && !beside.join(name).exists() {
                fs::write(beside.join(name), name)?;
                kept.insert(beside.join(name), name);
            }
        }
    } else {
        if target.is_dir() {
            fs::remove_dir_all(&target)?
        } else {
            fs::remove_file(&target)?
        }
        put(kind, &target, &theirs, &outside)?;
    }
    let before = contents(&outside)?;
    let (command, more) = COMMANDS[chance.below(COMMANDS.len())];
    let told = || format!("{command} where {} is a {kind}", target.display());
    let output = in_time(command_on(program, command, &copy, more))
        .map_err(|e| format!("{}: {e}", told()))?;
    if contents(&outside)? != before {
        return Err(format!("{} changed what is outside", told()).into());
    }
    for (path, contents) in kept {
        if fs::read_to_string(&path).ok().as_deref() != Some(contents) {
            return Err(format!("{} changed {}", told(), path.display()).into());
        }
    }
    let fine = output.status.success();
    if !fine {
        failed_in_order(&output).map_err(|e| format!("{}: {e}", told()))?;
    }
    Ok(fine)
}

fn put(kind: &str, target: &Path, theirs: &Path, outside: &Path) -> io::Result<()> {
    #[cfg(unix)]
    use std::os::unix::fs::symlink;
    #[cfg(not(unix))]
    let symlink = |_: &Path, _: &Path| Err(io::Error::from(io::ErrorKind::Unsupported));
    match kind {
        "link" if target.extension().is_none() => symlink(outside, target),
        "link" => symlink(theirs, target),
        "endless" => symlink(Path::new("/dev/zero"), target),
        "pipe" => Command::new("mkfifo").arg(target).status().map(|_| ()),
        "folder" => fs::create_dir(target),
        "hard link" => fs::hard_link(theirs, target),
        _ => fs::write(target, "important"),
    }
}

fn command_on(program: &Program, command: &str, run: &Path, more: &[&str]) -> Command {
    let mut on = Command::new(&program.0);
    on.arg(command).arg(run).args(more).stdin(Stdio::null());
    on
}

/// Runs a command that may not hang. What it says fits into a pipe.
fn in_time(mut command: Command) -> Result<Output> {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let begin = Instant::now();
    while child.try_wait()?.is_none() {
        if begin.elapsed() > LONG {
            child.kill()?;
            return Err("it does not end".into());
        }
        thread::sleep(Duration::from_millis(5));
    }
    Ok(child.wait_with_output()?)
}

/// Everything below a folder; links as they are.
fn contents(dir: &Path) -> io::Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        if kind.is_dir() {
            all.extend(contents(&path)?);
        }
        let what = if kind.is_file() { fs::read(&path)? } else { format!("{kind:?}").into_bytes() };
        all.insert(path, what);
    }
    Ok(all)
}

fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let to = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy_folder(&path, &to)?;
        } else {
            fs::copy(&path, &to)?;
        }
    }
    Ok(())
}
