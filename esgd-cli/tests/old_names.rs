//! What had another name before still works under that, and the name of now is told on stderr.

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

fn esgd(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_esgd")).args(args).stdin(Stdio::null()).output().unwrap()
}

/// What a command that succeeds says on stdout and on stderr.
fn fine(args: &[&str]) -> [String; 2] {
    let output = esgd(args);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
    [text(&output.stdout), text(&output.stderr)]
}

/// A run of two generations into `out`; what it says on stderr.
fn train(out: &Path, more: &[&str]) -> String {
    let out = out.display().to_string();
    let mut args = vec!["train", "--quiet", "--out", &out];
    for set in [
        "generations=2",
        "mu=3",
        "m=2",
        "lambda=4",
        "rho=2",
        "epochs=1",
        "network.hidden=[4]",
        "data.train=60",
        "data.validation=30",
        "data.test=30",
    ] {
        args.extend(["--set", set]);
    }
    args.extend(more);
    let [_, told] = fine(&args);
    told
}

/// A key's value in the config that a run leaves.
fn config(run: &Path, key: &str) -> Option<String> {
    let text = fs::read_to_string(run.join("config.toml")).unwrap();
    let of = |line: &str| Some(line.strip_prefix(key)?.strip_prefix(" = ")?.to_owned());
    text.lines().find_map(of)
}

fn is_told(told: &str, old: &str, new: &str) {
    let line = format!("esgd: `{old}` is called `{new}` now; the name of before still works\n");
    assert_eq!(told, line);
}

#[test]
fn keys_of_before_work_and_name_those_of_now() {
    let dir = tempfile::tempdir().unwrap();
    let run = |name: &str| dir.path().join(name);
    let sets = ["--set", "start=independent", "--set", "run.contrast=false"];
    let told = train(&run("set"), &sets);
    is_told(&told, "run.contrast", "run.control");
    assert_eq!(config(&run("set"), "control").unwrap(), "false");
    assert_eq!(config(&run("set"), "contrast"), None);

    let file = dir.path().join("mine.toml");
    let shown = file.display().to_string();
    fs::write(&file, "start = \"independent\"\n[run]\ncontrast = false\n").unwrap();
    let told = train(&run("file"), &["--config", &shown]);
    is_told(&told, "run.contrast", "run.control");
    assert_eq!(config(&run("file"), "control").unwrap(), "false");

    let network = run("set").join("best.safetensors").display().to_string();
    let begun = ["--init", &network, "--set", "run.control=false"];
    for text in ["start = \"founders\"\n", "[start.founders]\nsigma = 0.05\n"] {
        fs::write(&file, text).unwrap();
        let out = run(if text.starts_with('[') { "numbers" } else { "word" });
        let told = train(&out, &[&["--config", &shown], &begun[..]].concat());
        is_told(&told, "start.founders", "start.warm");
        let sigma = if text.starts_with('[') { "0.05" } else { "0.01" };
        let left = fs::read_to_string(out.join("config.toml")).unwrap();
        assert!(left.contains(&format!("[start.warm]\nsigma = {sigma}\n")), "{left}");
    }
}

#[test]
fn a_flag_of_before_does_what_that_of_now_does() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let told = train(&run, &["--set", "start=independent", "--set", "run.control=true"]);
    assert_eq!(told, "");
    let run = run.display().to_string();
    let [now, told] = fine(&["verify", &run, "--control"]);
    assert!(now.contains("training without evolution, done again") && told.is_empty(), "{now}");
    let [before, told] = fine(&["verify", &run, "--contrast"]);
    assert_eq!(before, now);
    assert_eq!(told, "esgd: --contrast is called --control now; the name of before still works\n");
}
