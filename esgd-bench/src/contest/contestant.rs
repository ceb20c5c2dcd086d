//! A contestant: a process that answers each line with the seconds of what it was asked to run.
//! `peers/protocol.py` has the lines.

use std::{
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use crate::{Result, ops::shape::Shape};

/// A process that runs what it is asked to, or the reason why there is none.
pub struct Contestant(std::result::Result<Running, String>);

struct Running {
    name: String,
    process: Child,
    /// Some until the end; dropping it ends the process.
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Contestant {
    /// This program itself, held to the vector instructions named `isa` if there is one.
    ///
    /// # Errors
    /// If the program's own file cannot be found.
    pub fn ours(isa: Option<&str>) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("serve");
        if let Some(isa) = isa {
            command.env("ESGD_ISA", isa);
        }
        Ok(Self(Running::start(&mut command, "this program")))
    }

    /// A script of the folder `peers`, or of the one that `ESGD_PEERS` names.
    #[must_use]
    pub fn peer(script: &str) -> Self {
        let built = || Path::new(env!("CARGO_MANIFEST_DIR")).join("peers");
        let folder = std::env::var_os("ESGD_PEERS").map_or_else(built, PathBuf::from);
        let script = folder.join(script);
        Self(Running::start(Command::new("python3").arg("-B").arg(script), "python3"))
    }

    /// What it calls itself, with its version; or why it does not run.
    pub fn name(&self) -> std::result::Result<&str, &str> {
        match &self.0 {
            Ok(running) => Ok(&running.name),
            Err(why) => Err(why),
        }
    }

    /// Makes its memory, and frees what it had. One that cannot does not run from then on, and says
    /// why.
    pub fn shape(&mut self, shape: &Shape) {
        let Ok(running) = &mut self.0 else { return };
        let why = match running.ask(&format!("shape {shape}")) {
            Ok(answer) if answer == "ready" => return,
            Ok(answer) => format!("{} cannot make shape {shape}: {answer}", running.name),
            Err(error) => format!("{} cannot make shape {shape}: {error}", running.name),
        };
        self.0 = Err(why);
    }

    /// The seconds of `repeats` runs of `form`, or why there are none.
    pub(crate) fn run(
        &mut self,
        form: &str,
        threads: usize,
        repeats: usize,
    ) -> std::result::Result<f64, String> {
        let running = self.0.as_mut().map_err(|why| why.clone())?;
        let answer = running
            .ask(&format!("run {form} {threads} {repeats}"))
            .map_err(|error| error.to_string())?;
        answer.parse().map_err(|_| answer)
    }
}

impl Running {
    fn start(command: &mut Command, program: &str) -> std::result::Result<Self, String> {
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{program} could not be started ({error})"))?;
        let (Some(questions), Some(answers)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(format!("{program} has no pipes"));
        };
        let answers = BufReader::new(answers);
        let mut running =
            Self { name: program.into(), process, questions: Some(questions), answers };
        let hello = running.read().map_err(|error| error.to_string())?;
        match hello.strip_prefix("ready ") {
            Some(name) => {
                running.name = name.into();
                Ok(running)
            }
            None => Err(hello.strip_prefix("skipped: ").unwrap_or(&hello).into()),
        }
    }

    fn ask(&mut self, line: &str) -> Result<String> {
        if let Some(questions) = &mut self.questions {
            // A process that has ended cannot be written to; that there is no answer says it better.
            let _ = writeln!(questions, "{line}").and_then(|()| questions.flush());
        }
        self.read()
    }

    fn read(&mut self) -> Result<String> {
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            return Err(format!("{} ended without an answer", self.name).into());
        }
        Ok(line.trim_end().into())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.questions = None;
        let _ = self.process.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Contestant {
        Contestant(Running::start(Command::new("sh").args(["-c", script]), "sh"))
    }

    #[test]
    fn a_contestant_answers_lines() {
        let script =
            "echo ready shell; read a; echo ready; read b; echo 0.5; read c; echo error: x";
        let mut contestant = shell(script);
        assert_eq!(contestant.name(), Ok("shell"));
        contestant.shape(&"1 1 1 1".parse().unwrap());
        assert_eq!(contestant.run("plain", 1, 1), Ok(0.5));
        assert_eq!(contestant.run("plain", 1, 1), Err("error: x".into()));
        assert!(contestant.run("plain", 1, 1).unwrap_err().contains("ended"));
    }

    #[test]
    fn one_that_has_no_room_says_why() {
        let mut contestant = shell("echo ready shell; read a; echo error: out of memory");
        contestant.shape(&"1 1 1 1".parse().unwrap());
        let why = contestant.run("plain", 1, 1).unwrap_err();
        assert_eq!(why, "shell cannot make shape 1 1 1 1: error: out of memory");
    }

    #[test]
    fn one_that_is_missing_says_why() {
        let mut contestant = shell("echo skipped: it is not installed");
        assert_eq!(contestant.name(), Err("it is not installed"));
        assert_eq!(contestant.run("plain", 1, 1), Err("it is not installed".into()));
    }
}
