//! Disks that are full, and folders that become read-only.

use std::{
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Duration,
};

use super::{
    chance::Chance,
    program::{Left, Program, failed_in_order, left, succeed},
};
use crate::Result;

/// Runs on disks from nearly nothing to enough, and goes on with more.
///
/// # Errors
/// If one panics, or ends with other bits; also where no small disk can be made, which takes root.
pub fn full(program: &Program) -> Result<String> {
    let dir = tempfile::tempdir()?;
    let expected = whole(program, dir.path())?;
    let (mut failed, mut enough, mut kilobytes) = (0, 0, 4);
    while enough < 3 {
        let disk = Disk::mount(&dir.path().join("disk"), kilobytes)?;
        let run = disk.0.join("run");
        let output = program.train(&run, &[]).output()?;
        if output.status.success() {
            enough += 1;
        } else {
            failed_in_order(&output).map_err(|e| format!("on {kilobytes} kB: {e}"))?;
            failed += 1;
        }
        disk.resize(100_000)?;
        let finished =
            program.finish(&run, &[]).map_err(|e| format!("from {kilobytes} kB: {e}"))?;
        if finished != expected {
            return Err(format!("from {kilobytes} kB it ended with other bits").into());
        }
        kilobytes += 12;
    }
    Ok(format!(
        "{failed} disks from 4 kB to {kilobytes} kB were full at some write: each was told in one \
         sentence, and the run went on to the same bits with more room"
    ))
}

/// Takes the right to write away at `n` random moments, and gives it back.
///
/// # Errors
/// If a run panics, or ends with other bits.
pub fn read_only(program: &Program, n: usize) -> Result<String> {
    let dir = tempfile::tempdir()?;
    let begin = std::time::Instant::now();
    let expected = whole(program, dir.path())?;
    let took = begin.elapsed().as_secs_f64();
    shell("chmod 777 \"$1\"", dir.path())?;
    let mut failed = 0;
    for trial in 0..n {
        let mut chance = Chance::new(2, trial);
        let run = dir.path().join(format!("run-{trial}"));
        let child =
            as_nobody(program.train(&run, &[])).stderr(std::process::Stdio::piped()).spawn()?;
        thread::sleep(Duration::from_secs_f64(took * chance.unit()));
        let begun = run.is_dir();
        if begun {
            shell("find \"$1\" -type d -exec chmod a-w {} +", &run)?;
        }
        let output = child.wait_with_output()?;
        if !output.status.success() {
            failed_in_order(&output).map_err(|e| format!("trial {trial}: {e}"))?;
            failed += 1;
        }
        shell("find \"$1\" -type d -exec chmod u+w {} +", &run)?;
        let mut go_on = match run.join("config.toml").is_file() {
            true => as_nobody(program.resume(&run, &[])),
            false => as_nobody(program.train(&run, &[])),
        };
        let said = go_on.output()?;
        if !said.status.success() || left(&run)? != expected {
            let said = String::from_utf8_lossy(&said.stderr).into_owned();
            return Err(format!("trial {trial} did not end with the same bits: {said}").into());
        }
    }
    Ok(format!(
        "{n} folders made read-only at random moments, {failed} of them before the run ended: each was \
         told in one sentence, and the run went on to the same bits"
    ))
}

fn whole(program: &Program, dir: &Path) -> Result<Left> {
    let whole = dir.join("whole");
    succeed(program.train(&whole, &[]))?;
    left(&whole)
}

/// The superuser may write everywhere.
fn as_nobody(command: Command) -> Command {
    let root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout == b"0\n");
    if !root {
        return command;
    }
    let mut nobody = Command::new("setpriv");
    nobody.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    nobody.arg(command.get_program()).args(command.get_args());
    nobody
}

fn shell(script: &str, path: &Path) -> Result<()> {
    let mut command = Command::new("sh");
    command.args(["-c", script, "sh"]).arg(path);
    succeed(command).map(|_| ())
}

/// A small disk in memory, gone when this is.
struct Disk(PathBuf);

impl Disk {
    fn mount(at: &Path, kilobytes: usize) -> Result<Self> {
        std::fs::create_dir_all(at)?;
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", &format!("size={kilobytes}k"), "none"]).arg(at);
        succeed(command)?;
        Ok(Self(at.into()))
    }

    fn resize(&self, kilobytes: usize) -> Result<()> {
        let mut command = Command::new("mount");
        command.args(["-o", &format!("remount,size={kilobytes}k")]).arg(&self.0);
        succeed(command).map(|_| ())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg(&self.0).status();
        if !unmounted.is_ok_and(|status| status.success()) {
            eprintln!("soak: {} is still mounted", self.0.display());
        }
    }
}
