//! `esgd verify` and the data of a run: nothing that a run leaves can be changed, removed or exchanged without
//! being named; and what has only moved is found.

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::Value;
use support::copy;

fn esgd(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_esgd")).args(args).stdin(Stdio::null()).output().unwrap()
}

fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

fn fine(args: &[&str]) -> String {
    let output = esgd(args);
    assert!(output.status.success(), "{args:?}: {}", said(&output));
    said(&output)
}

fn refused(args: &[&str]) -> String {
    let output = esgd(args);
    let said = said(&output);
    assert!(matches!(output.status.code(), Some(1 | 2)), "{args:?}: {said}");
    said
}

fn train(out: &Path, more: &[&str]) {
    let sets =
        ["generations=2", "mu=3", "lambda=4", "rho=2", "m=2", "epochs=2", "network.hidden=[4]"];
    let sets: Vec<String> = sets.iter().map(|set| format!("--set={set}")).collect();
    let out = out.display().to_string();
    let mut args = vec!["train", "--quiet", "--out", &out, "--set=start=independent"];
    args.extend(sets.iter().map(String::as_str));
    args.extend(more);
    fine(&args);
}

const DIGITS: [&str; 5] = [
    "--set=data.train=60",
    "--set=data.validation=30",
    "--set=data.test=30",
    "--set=fine_tune.epochs=1",
    "--keep-best=2",
];

/// Every value of a document by its path.
fn values(value: &Value, path: &str, all: &mut Vec<String>) {
    match value {
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(i, v)| values(v, &format!("{path}/{i}"), all))
        }
        Value::Object(table) => {
            table.iter().for_each(|(k, v)| values(v, &format!("{path}/{k}"), all))
        }
        _ => all.push(path.to_owned()),
    }
}

fn other(value: &Value) -> Value {
    match value {
        Value::Bool(is) => (!is).into(),
        Value::Number(n) => {
            n.as_u64().map_or_else(|| (n.as_f64().unwrap() * 0.5).into(), |n| (n + 1).into())
        }
        Value::String(text) => format!("{text}x").into(),
        _ => 1.into(),
    }
}

#[test]
fn no_value_of_a_result_can_be_changed() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    train(&run, &DIGITS);
    let shown = run.display().to_string();
    fine(&["verify", &shown]);
    assert!(fine(&["verify", &shown, "--control"]).contains("done again"));
    let path = run.join("run.json");
    let text = fs::read_to_string(&path).unwrap();
    let whole: Value = serde_json::from_str(&text).unwrap();
    let mut paths = vec![];
    values(&whole, "", &mut paths);
    assert!(paths.len() > 50, "{paths:?}");
    for at in &paths {
        let mut changed = whole.clone();
        let place = changed.pointer_mut(at).unwrap();
        *place = other(place);
        fs::write(&path, serde_json::to_string_pretty(&changed).unwrap() + "\n").unwrap();
        assert!(refused(&["verify", &shown]).contains("result"), "{at}");
    }
    // Times can be changed by who writes the checksum too, and nothing that follows from others.
    fs::write(&path, &text).unwrap();
    fine(&["verify", &shown]);
}

#[test]
fn what_is_missing_or_another_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    train(&run, &DIGITS);
    let shown = run.display().to_string();
    let mut names: Vec<PathBuf> = [
        "run.json",
        "best.safetensors",
        "best/2.safetensors",
        "config.toml",
        "metrics.jsonl",
        "checkpoints",
    ]
    .map(PathBuf::from)
    .to_vec();
    let stored = fs::read_dir(run.join("checkpoints")).unwrap();
    names.extend(stored.map(|entry| Path::new("checkpoints").join(entry.unwrap().file_name())));
    let aside = dir.path().join("aside");
    for name in &names {
        fs::rename(run.join(name), &aside).unwrap();
        let said = refused(&["verify", &shown]);
        assert!(
            said.contains("missing") || said.contains("cannot read"),
            "without {name:?}: {said}"
        );
        fs::rename(&aside, run.join(name)).unwrap();
    }
    fine(&["verify", &shown]);

    let config = fs::read_to_string(run.join("config.toml")).unwrap();
    fs::write(run.join("config.toml"), config.replace("mu = 3", "mu = 4")).unwrap();
    assert!(refused(&["verify", &shown]).contains("FAILED  config"));
    fs::write(run.join("config.toml"), config).unwrap();

    // The second best is as good a file, and another one.
    let best = fs::read(run.join("best.safetensors")).unwrap();
    fs::copy(run.join("best/2.safetensors"), run.join("best.safetensors")).unwrap();
    assert!(refused(&["verify", &shown]).contains("another network"));
    fs::write(run.join("best.safetensors"), &best).unwrap();
    fine(&["verify", &shown]);
}

/// Lines of a log that were changed, and the checkpoints' checksums with them, as far as that goes.
#[test]
fn a_log_is_held_against_its_own_account() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    train(&run, &DIGITS);
    let shown = run.display().to_string();
    let log = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[1]["trace"]["trained"].as_array().unwrap().len(), 3);
    let evolved = &lines[1]["trace"]["evolved"][0];
    assert_eq!(
        evolved["made"][0]["parents"].as_array().unwrap().len(),
        4,
        "all offspring are there"
    );
    assert_eq!(evolved["made"][0]["fitness"].as_array().unwrap().len(), 4);
    // Without checkpoints the log stands alone.
    fs::remove_dir_all(run.join("checkpoints")).unwrap();
    for (line, at) in [
        (1, "/elite/0"),
        (2, "/trace/trained/0/fitness"),
        (2, "/individuals/1/fitness"),
        (1, "/effort/offspring"),
    ] {
        let mut changed = lines.clone();
        let place = changed[line].pointer_mut(at).unwrap();
        *place = other(place);
        let text: String = changed.iter().map(|line| line.to_string() + "\n").collect();
        fs::write(run.join("metrics.jsonl"), text).unwrap();
        let said = refused(&["verify", &shown]);
        assert!(
            said.contains("FAILED  steps") || said.contains("FAILED  guarantee"),
            "{at}: {said}"
        );
    }
}

/// A plan says how large the log will be, of a few offspring and of many.
#[test]
fn a_log_is_as_large_as_was_said() {
    let dir = tempfile::tempdir().unwrap();
    for (name, sets) in [
        ("few", &["--set=generations=20", "--set=epochs=3"][..]),
        ("many", &["--set=lambda=10000", "--set=generations=2", "--set=mu=20", "--set=rho=3"]),
    ] {
        let run = dir.path().join(name);
        let more = [&DIGITS[..], &["--set=run.control=false"], sets].concat();
        train(&run, &more);
        let config = run.join("config.toml").display().to_string();
        let plan = esgd(&["train", "--plan", "--json", "--config", &config]);
        let plan: Value = serde_json::from_slice(&plan.stdout).unwrap();
        let forecast = plan["log"].as_f64().unwrap();
        let log = fs::metadata(run.join("metrics.jsonl")).unwrap().len() as f64;
        assert!((0.6..1.6).contains(&(forecast / log)), "{name}: {forecast} was said of {log}");
    }
}

/// An IDX file.
fn idx(dims: &[u32], body: &[u8]) -> Vec<u8> {
    let mut bytes = (0x0800 + dims.len() as u32).to_be_bytes().to_vec();
    dims.iter().for_each(|d| bytes.extend(d.to_be_bytes()));
    bytes.extend(body);
    bytes
}

/// A folder of 30 and 12 images.
fn data(dir: &Path) {
    fs::create_dir_all(dir).unwrap();
    for (name, n) in [("train", 30u32), ("t10k", 12)] {
        let images: Vec<u8> = (0..n * 16).map(|i| (i * 37 % 251) as u8).collect();
        let labels: Vec<u8> = (0..n).map(|i| (i % 3) as u8).collect();
        fs::write(dir.join(format!("{name}-images-idx3-ubyte")), idx(&[n, 4, 4], &images)).unwrap();
        fs::write(dir.join(format!("{name}-labels-idx1-ubyte")), idx(&[n], &labels)).unwrap();
    }
}

#[test]
fn moved_data_go_on_and_other_data_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let (d1, d2, run) = (dir.path().join("d1"), dir.path().join("d2"), dir.path().join("run"));
    data(&d1);
    let shown = run.display().to_string();
    let at = d1.display().to_string();
    train(
        &run,
        &[
            "--data",
            &at,
            "--set=data.train=0",
            "--set=data.validation=10",
            "--set=fine_tune.epochs=0",
            "--set=run.control=false",
        ],
    );
    fs::rename(&d1, &d2).unwrap();
    let at = d2.display().to_string();
    fine(&["verify", &shown, "--data", &at]);
    fine(&["evaluate", &shown, "--data", &at]);
    // A relative folder, and from then on from anywhere.
    let resumed = Command::new(env!("CARGO_BIN_EXE_esgd"))
        .args(["resume", "run", "--quiet", "--data", "d2", "--set=generations=3"])
        .current_dir(dir.path())
        .output()
        .unwrap();
    assert!(resumed.status.success(), "{}", said(&resumed));
    fine(&["verify", &shown]);

    for (file, split) in [
        ("train-images-idx3-ubyte", "training"),
        ("train-labels-idx1-ubyte", "training"),
        ("t10k-images-idx3-ubyte", "test"),
        ("t10k-labels-idx1-ubyte", "test"),
    ] {
        let path = d2.join(file);
        let whole = fs::read(&path).unwrap();
        let mut changed = whole.clone();
        // Every value of the body, within its range.
        let header = if file.contains("images") { 16 } else { 8 };
        changed[header..]
            .iter_mut()
            .for_each(|b| *b = if header == 8 { (*b + 1) % 3 } else { 255 - *b });
        fs::write(&path, changed).unwrap();
        for args in [
            &["resume", &shown, "--set=generations=4"][..],
            &["verify", &shown],
            &["evaluate", &shown],
        ] {
            let said = refused(args);
            assert!(said.contains(split) && said.contains(file), "{args:?}: {said}");
        }
        fs::write(&path, whole).unwrap();
    }
    fine(&["verify", &shown]);
}

#[test]
fn a_run_of_before_goes_on_and_gets_what_it_lacks() {
    let dir = tempfile::tempdir().unwrap();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/run-of-before");
    let (old, longer) = (dir.path().join("old"), dir.path().join("longer"));
    copy(&golden, &old);
    copy(&golden, &longer);
    for run in [&old, &longer] {
        fs::remove_file(run.join("README")).unwrap();
        fine(&["verify", &run.display().to_string()]);
    }
    let said = fine(&["resume", &old.display().to_string()]);
    assert!(said.contains("fingerprint") && said.contains("is complete"), "{said}");
    let said = fine(&["resume", &longer.display().to_string(), "--quiet", "--set=generations=4"]);
    assert!(said.contains("fingerprint"), "{said}");
    for run in [&old, &longer] {
        let said = fine(&["verify", &run.display().to_string()]);
        assert!(said.contains("test data are those of the run"), "{said}");
    }
    // What it goes on to is what it would be without the stop.
    let fresh = dir.path().join("fresh");
    let config = old.join("config.toml").display().to_string();
    fine(&[
        "train",
        "--quiet",
        "--config",
        &config,
        "--set=generations=4",
        "--out",
        &fresh.display().to_string(),
    ]);
    let fitness = |run: &Path| {
        let run: Value = serde_json::from_slice(&fs::read(run.join("run.json")).unwrap()).unwrap();
        run["fitness"].clone()
    };
    assert_eq!(fitness(&fresh), fitness(&longer));
    assert_eq!(
        fs::read(fresh.join("best.safetensors")).unwrap(),
        fs::read(longer.join("best.safetensors")).unwrap()
    );
}
