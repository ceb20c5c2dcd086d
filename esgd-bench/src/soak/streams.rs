//! Output that goes away: commands whose readers leave, at once or in the middle, on full disks, or without
//! a stream at all.

use std::{
    fs::File,
    io::{self, PipeReader, Read},
    path::Path,
    process::{Command, Output, Stdio},
    thread,
};

use super::{
    chance::Chance,
    program::{Program, succeed},
};
use crate::Result;

/// What a stream is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stream {
    Sound,
    /// A pipe whose reader leaves after so many bytes, as `head` does.
    Left(usize),
    /// A disk without room.
    Full,
    /// None: `>&-`.
    Absent,
}

impl Stream {
    fn any(chance: &mut Chance) -> Self {
        match chance.below(8) {
            0 | 1 => Self::Sound,
            2 => Self::Left(0),
            3 | 4 => Self::Left(chance.below(200)),
            5 | 6 => Self::Full,
            _ => Self::Absent,
        }
    }

    /// What the program gets, and who reads it.
    fn open(self) -> io::Result<(Stdio, Option<PipeReader>)> {
        if self == Self::Full {
            return Ok((File::options().write(true).open("/dev/full")?.into(), None));
        }
        let (reader, writer) = io::pipe()?;
        Ok((writer.into(), (self != Self::Left(0)).then_some(reader)))
    }

    /// Reads until nothing comes any more, or for as long as the reader stays.
    fn read(self, reader: Option<PipeReader>) -> io::Result<Vec<u8>> {
        let Some(mut reader) = reader else { return Ok(vec![]) };
        let mut bytes = vec![];
        match self {
            Self::Left(most) => reader.take(most as u64).read_to_end(&mut bytes)?,
            _ => reader.read_to_end(&mut bytes)?,
        };
        Ok(bytes)
    }
}

/// The program with these streams, and what was read of them.
fn run(program: &Program, args: &[String], [out, err]: [Stream; 2]) -> Result<Output> {
    let absent = |stream, redirection| if stream == Stream::Absent { redirection } else { "" };
    let script = format!("exec \"$0\" \"$@\" {} {}", absent(out, ">&-"), absent(err, "2>&-"));
    let ((stdout, from_out), (stderr, from_err)) = (out.open()?, err.open()?);
    let mut command = Command::new("sh");
    command.arg("-c").arg(script).arg(&program.0).args(args);
    let mut child = command.stdin(Stdio::null()).stdout(stdout).stderr(stderr).spawn()?;
    // The readers see the end of a pipe when nobody but the program has it.
    drop(command);
    let said = thread::spawn(move || err.read(from_err));
    let stdout = out.read(from_out)?;
    let stderr = said.join().map_err(|_| "a reader panicked")??;
    Ok(Output { status: child.wait()?, stdout, stderr })
}

/// Commands on a run, and on folders that are new each time, which are called `OUT`.
fn commands(run: &str) -> Vec<Vec<String>> {
    let small = "--set=generations=2 --set=mu=3 --set=lambda=3 --set=rho=2 --set=m=2 --set=epochs=1 \
                 --set=data.train=60 --set=data.validation=30 --set=data.test=30 \
                 --set=network.hidden=[4] --set=start=independent";
    let small: Vec<&str> = small.split_whitespace().collect();
    let plain: [&[&str]; 16] = [
        &["--help"],
        &["--version"],
        &[],
        &["trian"],
        &["train", "--set", "generatoins=2"],
        &["presets"],
        &["config"],
        &["verify", run],
        &["evaluate", run],
        &["combine", run],
        &["resume", run],
        &["evaluate", "OUT"],
        &["report", run, "--out", "OUT"],
        &["data", "nothing", "--dir", "OUT"],
        &["combine", run, "--json"],
        &["evaluate", run, "--json"],
    ];
    let trained: [&[&str]; 4] = [
        &["train", "--out", "OUT"],
        &["train", "--json", "--out", "OUT"],
        &["train", "--plan"],
        &["compare", "--methods=single", "--seeds=1", "--budget=12", "--out", "OUT"],
    ];
    let trained = trained.iter().map(|args| [*args, &small].concat());
    let all = plain.iter().map(|args| args.to_vec()).chain(trained);
    all.map(|args| args.into_iter().map(str::to_owned).collect()).collect()
}

/// Runs commands with streams that break, `n` times.
///
/// # Errors
/// If one panics, or ends with another status than it should.
pub fn soak(program: &Program, n: usize) -> Result<String> {
    if !Path::new("/dev/full").exists() {
        return Ok("SKIPPED: this system has no /dev/full".into());
    }
    let dir = tempfile::tempdir()?;
    let whole = dir.path().join("run");
    succeed(program.train(&whole, &[]))?;
    let commands = commands(&whole.display().to_string());
    let in_folder = |args: &[String], name: String| -> Vec<String> {
        let out = dir.path().join(name).display().to_string();
        args.iter().map(|arg| arg.replace("OUT", &out)).collect()
    };
    let mut usual = vec![];
    for (i, args) in commands.iter().enumerate() {
        let output = run(program, &in_folder(args, format!("usual-{i}")), [Stream::Sound; 2])?;
        usual.push((output.status.code(), !output.stdout.is_empty()));
    }
    let mut lost = 0;
    for trial in 0..n {
        let mut chance = Chance::new(8, trial);
        let i = chance.below(commands.len());
        let streams = [Stream::any(&mut chance), Stream::any(&mut chance)];
        let output = run(program, &in_folder(&commands[i], format!("trial-{trial}")), streams)?;
        let (status, prints) = usual[i];
        // A result that cannot be written is a failure, and one that nobody reads is none.
        let full = prints && status == Some(0) && streams[0] == Stream::Full;
        lost += usize::from(full);
        let expected = if full { Some(1) } else { status };
        let said = String::from_utf8_lossy(&output.stderr);
        if output.status.code() != expected || said.contains("panicked") {
            let args = commands[i].join(" ");
            return Err(format!(
                "trial {trial}, {streams:?}: esgd {args}: {}, expected {expected:?}: {said}",
                output.status
            )
            .into());
        }
    }
    Ok(format!(
        "{n} commands, of {} kinds, whose output went away: no panic, each ended with its own status, {lost} that could not write their result with 1",
        commands.len()
    ))
}
