//! Files of others in a run's folder, or in its place: nothing of them is read through a link, overwritten or
//! removed, and one sentence says what is wrong. One writer, whatever happens to the lock.
#![cfg(unix)]

mod support;

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use support::copy;

const SMALL: [&str; 12] = [
    "generations=2",
    "mu=3",
    "lambda=3",
    "rho=2",
    "m=2",
    "epochs=1",
    "fine_tune.epochs=0",
    "data.train=60",
    "data.validation=30",
    "data.test=30",
    "network.hidden=[4]",
    "run.control=false",
];

/// A run that takes minutes, if nobody stops it.
const LONG: [&str; 5] =
    ["generations=1000000", "mu=3", "m=2", "run.control=false", "run.checkpoint_share=1"];

fn esgd(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_esgd"));
    command.args(args).stdin(Stdio::null());
    command
}

fn train(out: &Path, sets: &[&str]) -> Command {
    let mut command = esgd(&["train", "--quiet", "--out"]);
    command.arg(out).args(sets.iter().map(|set| format!("--set={set}")));
    command
}

fn small(out: &Path) {
    let output = train(out, &[&SMALL[..], &["start=independent"]].concat()).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs a command that may not hang, and says its status and sentence.
fn ends(mut command: Command) -> (Option<i32>, String) {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let begin = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begin.elapsed() > Duration::from_secs(60) {
            child.kill().unwrap();
            panic!("{command:?} does not end");
        }
        thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().unwrap();
    let said = stderr(&output);
    assert!(!said.contains("panicked"), "{command:?}: {said}");
    (output.status.code(), said)
}

/// Every file below a folder, links as they are.
fn contents(dir: &Path) -> BTreeMap<PathBuf, String> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let (entry, path) = {
            let e = entry.unwrap();
            let p = e.path();
            (e, p)
        };
        let kind = entry.file_type().unwrap();
        let what = if kind.is_dir() {
            all.extend(contents(&path));
            "folder".into()
        } else if kind.is_symlink() {
            format!("link to {}", fs::read_link(&path).unwrap().display())
        } else if kind.is_file() {
            format!("{:?}", fs::read(&path).unwrap())
        } else {
            "something else".into()
        };
        all.insert(path, what);
    }
    all
}

#[test]
fn a_folder_that_is_no_run_stays_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let theirs = dir.path().join("p");
    fs::create_dir_all(theirs.join("checkpoints")).unwrap();
    fs::write(theirs.join("config.toml"), "seed = 7\n").unwrap();
    fs::write(theirs.join("checkpoints/model-epoch10.pt"), "weights").unwrap();
    fs::write(theirs.join("checkpoints/12.json"), "{}").unwrap();
    fs::write(theirs.join("metrics.jsonl"), "{\"loss\": 1}\n").unwrap();
    let before = contents(dir.path());
    let shown = theirs.display().to_string();
    for args in [
        &["resume", &shown][..],
        &["combine", &shown],
        &["verify", &shown],
        &["evaluate", &shown],
        &["train", "--quiet", "--out", &shown],
    ] {
        let (status, said) = ends(esgd(args));
        assert!(matches!(status, Some(1 | 2)) && said.lines().count() == 1, "{args:?}: {said}");
        assert!(!said.contains("esgd resume"), "{said}");
        assert_eq!(contents(dir.path()), before, "{args:?}");
    }
}

/// Names that the program gives, and contents that it does not.
#[test]
fn what_others_call_as_we_do_stays() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    small(&run);
    let shown = run.display().to_string();
    let network = format!("checkpoints/{}.safetensors", "a1".repeat(32));
    for name in ["checkpoints/000001.json", "checkpoints/1000000.json", &network] {
        if !run.join(name).exists() {
            fs::write(run.join(name), "mine").unwrap();
            let (_, said) = ends(esgd(&["resume", &shown, "--quiet", "--set=generations=3"]));
            assert_eq!(fs::read_to_string(run.join(name)).unwrap(), "mine", "{name}: {said}");
            fs::remove_file(run.join(name)).unwrap();
        }
    }
    let (status, said) = ends(esgd(&["combine", &shown]));
    assert_eq!(status, Some(0), "{said}");
    for (name, command, more) in [
        ("best.safetensors", "resume", &["--quiet", "--set=generations=5"][..]),
        ("run.json", "resume", &["--quiet", "--set=generations=5"]),
        ("config.toml", "resume", &["--quiet", "--set=generations=5"]),
        ("soup.safetensors", "combine", &["--json"]),
        ("ensemble/1.safetensors", "combine", &["--json"]),
        ("combined.json", "combine", &["--json"]),
    ] {
        let before = fs::read(run.join(name)).unwrap();
        fs::write(run.join(name), "important").unwrap();
        let (status, said) = ends(esgd(&[&[command, &shown], more].concat()));
        assert!(status == Some(2) && said.contains("move it away"), "{name}: {status:?}: {said}");
        assert_eq!(fs::read_to_string(run.join(name)).unwrap(), "important", "{name}");
        fs::write(run.join(name), before).unwrap();
    }
}

#[test]
fn what_others_keep_beside_checkpoints_stays() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    small(&run);
    let theirs = [
        "model-epoch10.pt",
        "1.json",
        "0000001.json",
        "notes.json",
        ".esgd-notes.part",
        "abc.safetensors",
    ];
    for name in theirs {
        fs::write(run.join("checkpoints").join(name), name).unwrap();
    }
    let left = run.join("checkpoints/.esgd-aB3xYz.part");
    fs::write(&left, "half a file").unwrap();
    let shown = run.display().to_string();
    let (status, said) = ends(esgd(&["resume", &shown, "--quiet", "--set=generations=4"]));
    assert_eq!(status, Some(0), "{said}");
    for name in theirs {
        assert_eq!(fs::read_to_string(run.join("checkpoints").join(name)).unwrap(), name);
    }
    assert!(!left.exists(), "what a program that died has left is removed");
    let (status, said) = ends(esgd(&["verify", &shown]));
    assert_eq!(status, Some(0), "{said}");
}

/// Each file and folder of a run is replaced by a link, a pipe, a device or a folder.
#[test]
fn links_pipes_and_devices_are_one_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let whole = dir.path().join("whole");
    small(&whole);
    let (status, said) = ends(esgd(&["combine", &whole.display().to_string()]));
    assert_eq!(status, Some(0), "{said}");
    let outside = dir.path().join("outside");
    fs::create_dir(&outside).unwrap();
    let theirs = outside.join("theirs");
    fs::write(&theirs, "important").unwrap();
    let stored = fs::read_dir(whole.join("checkpoints")).unwrap();
    let stored: Vec<_> =
        stored.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let newest = stored.iter().filter(|name| name.ends_with(".json")).max().unwrap();
    let network = stored.iter().find(|name| name.ends_with(".safetensors")).unwrap();
    let names = [
        "lock".to_owned(),
        "config.toml".into(),
        "metrics.jsonl".into(),
        "run.json".into(),
        "best.safetensors".into(),
        "soup.safetensors".into(),
        "combined.json".into(),
        "ensemble".into(),
        "ensemble/1.safetensors".into(),
        "checkpoints".into(),
        format!("checkpoints/{newest}"),
        format!("checkpoints/{network}"),
    ];
    for (i, name) in names.iter().enumerate() {
        for kind in ["link", "zero", "pipe", "folder"] {
            let run = dir.path().join(format!("run-{i}-{kind}"));
            copy(&whole, &run);
            let place = run.join(name);
            if place.is_dir() {
                fs::remove_dir_all(&place).unwrap()
            } else {
                fs::remove_file(&place).unwrap()
            }
            match kind {
                "link" if matches!(name.as_str(), "ensemble" | "checkpoints") => {
                    symlink(&outside, &place).unwrap()
                }
                "link" => symlink(&theirs, &place).unwrap(),
                "zero" => symlink("/dev/zero", &place).unwrap(),
                "pipe" => assert!(Command::new("mkfifo").arg(&place).status().unwrap().success()),
                _ => fs::create_dir(&place).unwrap(),
            }
            let shown = run.display().to_string();
            let before = contents(&outside);
            for args in [
                &["verify", &shown][..],
                &["evaluate", &shown],
                &["combine", &shown, "--json"],
                &["resume", &shown, "--quiet", "--set=generations=3"],
            ] {
                let (status, said) = ends(esgd(args));
                let fine = status == Some(0)
                    || matches!(status, Some(1 | 2))
                        && said.lines().filter(|line| line.starts_with("esgd: ")).count() == 1;
                assert!(fine, "{name} is a {kind}: {args:?}: {status:?}: {said}");
                assert_eq!(contents(&outside), before, "{name} is a {kind}: {args:?}");
            }
            if kind == "link" {
                assert!(fs::symlink_metadata(&place).unwrap().is_symlink(), "{name} was replaced");
            }
            fs::remove_dir_all(&run).unwrap();
        }
    }
}

/// Starts a long run and waits for its first checkpoint.
fn started(run: &Path) -> Child {
    let child = train(run, &LONG).stderr(Stdio::piped()).spawn().unwrap();
    let begin = Instant::now();
    let manifests = || {
        let entries = fs::read_dir(run.join("checkpoints")).into_iter().flatten().flatten();
        entries.filter(|entry| entry.path().extension().is_some_and(|end| end == "json")).count()
    };
    while manifests() < 2 {
        assert!(begin.elapsed() < Duration::from_secs(60), "the run does not begin");
        thread::sleep(Duration::from_millis(5));
    }
    child
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").arg(format!("-{name}")).arg(child.id().to_string()).status();
    assert!(status.unwrap().success());
}

#[test]
fn there_is_one_writer_whatever_happens_to_the_lock() {
    let dir = tempfile::tempdir().unwrap();
    let (run, moved) = (dir.path().join("run"), dir.path().join("moved"));
    let child = started(&run);
    fs::remove_file(run.join("lock")).unwrap();
    let (status, said) = ends(esgd(&["resume", &run.display().to_string()]));
    assert!(status == Some(2) && said.contains("is in use by"), "{status:?}: {said}");
    let (status, said) = ends(esgd(&["verify", &run.display().to_string()]));
    assert!(status == Some(2) && said.contains("is in use by"), "{status:?}: {said}");

    // Its writer finds out that a folder was moved.
    fs::rename(&run, &moved).unwrap();
    let shown = moved.display().to_string();
    let output = child.wait_with_output().unwrap();
    let said = stderr(&output);
    assert!(output.status.code() == Some(1) && said.contains("moved or replaced"), "{said}");
    let (status, said) = ends(esgd(&["verify", &shown]));
    assert_eq!(status, Some(0), "{said}");
}

#[test]
fn a_hangup_saves_as_an_interruption_does() {
    for (name, expected) in [("HUP", 129), ("INT", 130), ("TERM", 143)] {
        let dir = tempfile::tempdir().unwrap();
        let run = dir.path().join("run");
        let child = started(&run);
        signal(&child, name);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(expected), "{}", stderr(&output));
        let (status, said) = ends(esgd(&["verify", &run.display().to_string()]));
        assert_eq!(status, Some(0), "{said}");
    }
}

#[test]
fn a_file_that_may_not_grow_is_one_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let mut command = Command::new("sh");
    command.arg("-c").arg("ulimit -f 4; exec \"$0\" \"$@\"").arg(env!("CARGO_BIN_EXE_esgd"));
    command.args(["train", "--quiet", "--out"]).arg(&run);
    command.args(SMALL.iter().map(|set| format!("--set={set}"))).arg("--set=mu=30");
    let (status, said) = ends(command);
    assert!(status == Some(1) && said.lines().count() == 1, "{status:?}: {said}");
    assert!(said.contains("cannot write"), "{said}");
}
