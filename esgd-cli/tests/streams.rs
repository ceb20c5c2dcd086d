//! Output that goes away: every command with a pipe that nobody reads, a full disk, or no stream at all in
//! the place of stdout and stderr. Nothing panics, a reader that has gone is no failure, a result that
//! cannot be written is one.
#![cfg(unix)]

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    thread,
};

/// What a stream is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stream {
    /// Somebody reads it.
    Sound,
    /// A pipe whose reader has ended, such as `head`.
    Unread,
    /// A disk without room.
    Full,
    /// None: `>&-`.
    Absent,
}

use Stream::{Absent, Full, Sound, Unread};

/// stdout and stderr.
const TRIALS: [[Stream; 2]; 9] = [
    [Unread, Sound],
    [Sound, Unread],
    [Unread, Unread],
    [Absent, Sound],
    [Sound, Absent],
    [Absent, Absent],
    [Full, Sound],
    [Sound, Full],
    [Full, Full],
];

/// Settings of a run that is over at once.
const SMALL: [&str; 12] = [
    "generations=2",
    "mu=2",
    "lambda=2",
    "rho=2",
    "m=2",
    "epochs=1",
    "fine_tune.epochs=1",
    "data.train=60",
    "data.validation=30",
    "data.test=30",
    "network.hidden=[4]",
    "start='independent'",
];

fn small(args: &[&str]) -> Vec<String> {
    let sets = SMALL.iter().map(|set| format!("--set={set}"));
    args.iter().map(|arg| (*arg).to_owned()).chain(sets).collect()
}

/// The program with these streams, of which sound ones are captured.
fn esgd(args: &[String], [out, err]: [Stream; 2]) -> Output {
    let absent = |stream, redirection| if stream == Absent { redirection } else { "" };
    let script = format!("exec \"$0\" \"$@\" {} {}", absent(out, ">&-"), absent(err, "2>&-"));
    let stdio = |stream: Stream| match stream {
        Sound | Absent => Stdio::piped(),
        Unread => Stdio::from(io::pipe().unwrap().1),
        Full => Stdio::from(File::options().write(true).open("/dev/full").unwrap()),
    };
    let mut command = Command::new("sh");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_esgd")]).args(args);
    command.stdin(Stdio::null()).stdout(stdio(out)).stderr(stdio(err)).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A command in all trials; `OUT` in it is another new folder each time.
fn try_all(dir: &Path, name: &str, args: &[String]) {
    let in_folder = |n: usize| -> (PathBuf, Vec<String>) {
        let out = dir.join(format!("{name}-{n}"));
        let args = args.iter().map(|arg| arg.replace("OUT", &out.display().to_string())).collect();
        (out, args)
    };
    let sound = esgd(&in_folder(0).1, [Sound, Sound]);
    let (status, prints) = (sound.status.code(), !sound.stdout.is_empty());
    assert!(matches!(status, Some(0..=2)), "{name}: {}", text(&sound.stderr));
    for (n, streams) in TRIALS.into_iter().enumerate() {
        if streams.contains(&Full) && !Path::new("/dev/full").exists() {
            continue;
        }
        let (out, args) = in_folder(n + 1);
        let ended = esgd(&args, streams);
        let said = text(&ended.stderr);
        let lost = prints && streams[0] == Full;
        let expected = if lost && status == Some(0) { Some(1) } else { status };
        assert_eq!(ended.status.code(), expected, "{name}, {streams:?}: {said}");
        assert!(!said.contains("panicked"), "{name}, {streams:?}: {said}");
        if lost && status == Some(0) && streams[1] == Sound {
            let errors: Vec<_> =
                said.lines().filter(|line| line.starts_with("esgd: cannot print")).collect();
            assert!(errors.len() == 1 && errors[0].contains("space"), "{name}: {said}");
        }
        if streams[0] == Sound {
            assert_eq!(ended.stdout.is_empty(), !prints, "{name}, {streams:?}");
        }
        // What nobody listens to is done all the same.
        if name == "train" {
            let run = fs::read_to_string(out.join("run.json")).unwrap();
            assert!(run.contains("\"status\": \"complete\""), "{streams:?}: {run}");
        }
    }
}

#[test]
fn no_command_minds_who_listens() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run").display().to_string();
    let made = esgd(&small(&["train", "--quiet", "--out", &run]), [Sound, Sound]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    let compared = dir.path().join("compared").display().to_string();
    let plain = |args: &[&str]| args.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>();
    let compare = ["compare", "--methods=single", "--seeds=1", "--budget=8", "--out", &compared];
    let commands = [
        ("help", plain(&["--help"])),
        ("version", plain(&["--version"])),
        ("help-of-train", plain(&["train", "--help"])),
        ("no-command", plain(&[])),
        ("unknown", plain(&["trian"])),
        ("mistake", plain(&["train", "--set", "generatoins=2"])),
        ("presets", plain(&["presets"])),
        ("config", plain(&["config"])),
        ("data", plain(&["data", "nothing", "--dir", &run])),
        ("plan", small(&["train", "--plan"])),
        ("train", small(&["train", "--out", "OUT"])),
        ("train-json", small(&["train", "--json", "--out", "OUT"])),
        ("resume", plain(&["resume", &run])),
        ("resume-of-nothing", plain(&["resume", "OUT"])),
        ("verify", plain(&["verify", &run])),
        ("evaluate", plain(&["evaluate", &run])),
        ("combine", plain(&["combine", &run])),
        ("report", plain(&["report", &run, "--out", "OUT"])),
        ("compare", small(&compare)),
    ];
    let (first, second) = commands.split_at(commands.len() / 2);
    thread::scope(|scope| {
        for half in [first, second] {
            scope.spawn(|| half.iter().for_each(|(name, args)| try_all(dir.path(), name, args)));
        }
    });
}

/// A failure is one, whether its result is read or not.
#[test]
fn a_failure_is_not_forgotten_for_want_of_a_reader() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let shown = run.display().to_string();
    let made = esgd(&small(&["train", "--quiet", "--out", &shown]), [Sound, Sound]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    let best = run.join("best.safetensors");
    let mut bytes = fs::read(&best).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1; // The sign of a weight, or its exponent.
    fs::write(&best, bytes).unwrap();
    for streams in [[Sound, Sound], [Unread, Sound], [Unread, Unread], [Absent, Absent]] {
        for command in ["evaluate", "verify"] {
            let ended = esgd(&[command.to_owned(), shown.clone()], streams);
            assert_eq!(ended.status.code(), Some(1), "{command}, {streams:?}");
        }
    }
}
