//! `esgd combine`: what it writes is what it says, and no worse than the networks it is made of.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;

fn esgd(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_esgd")).args(args).output().expect("the program starts")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A short run into `out`.
fn train(out: &str, more: &[&str]) {
    let sets = ["generations=3", "mu=6", "lambda=6", "m=3", "epochs=8", "run.control=false"];
    let sets: Vec<String> = sets.iter().map(|set| format!("--set={set}")).collect();
    let mut args = vec!["train", "--quiet", "--out", out];
    args.extend(sets.iter().map(String::as_str));
    args.extend(more);
    let output = esgd(&args);
    assert!(output.status.success(), "{}", stderr(&output));
}

fn combine(run: &str) -> Value {
    let output = esgd(&["combine", run, "--json"]);
    assert!(output.status.success(), "{}", stderr(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The validation loss of a file of weights, as `esgd evaluate` finds it in the place of the best.
fn loss_of(weights: &Path, run: &Path) -> f64 {
    fs::copy(weights, run.join("best.safetensors")).unwrap();
    let output = esgd(&["evaluate", &run.display().to_string(), "--json"]);
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    found["validation"]["loss"].as_f64().unwrap()
}

#[test]
fn what_it_writes_is_what_it_says() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let shown = run.display().to_string();
    train(&shown, &["--set=start=independent", "--set=lambda=0", "--set=evolution_steps=0"]);
    let combined = combine(&shown);
    let members = |part: &str| combined[part]["members"].as_array().unwrap().len();
    let loss = |part: &str| combined[part]["fitness"]["loss"].as_f64().unwrap();
    let networks = members("ensemble");
    assert!(networks > 1, "independent networks gain by an ensemble: {combined}");
    for part in ["ensemble", "soup"] {
        assert_eq!(combined[part]["members"][0], combined["best"]["members"][0]);
        assert!(loss(part) <= loss("best"), "{combined}");
    }
    assert_eq!(combined["ensemble"]["networks"], networks);
    assert_eq!(combined["soup"]["networks"], 1);
    assert!(combined["ensemble"]["test"]["error"].is_number(), "{combined}");

    let file = |n: usize| run.join(format!("ensemble/{n}.safetensors"));
    assert!((1..=networks).all(|n| file(n).is_file()) && !file(networks + 1).exists());
    let stored: Value =
        serde_json::from_slice(&fs::read(run.join("combined.json")).unwrap()).unwrap();
    assert_eq!(stored, combined);

    // What an earlier and larger ensemble left is taken away, and nothing else changes.
    fs::copy(file(1), file(networks + 1)).unwrap();
    let refused = stderr(&esgd(&["combine", &shown]));
    assert!(refused.contains("was not written by `esgd combine`"), "{refused}");
    let mut larger = combined.clone();
    larger["ensemble"]["networks"] = (networks + 1).into();
    fs::write(run.join("combined.json"), larger.to_string()).unwrap();
    assert_eq!(combine(&shown), combined);
    assert!(!file(networks + 1).exists());
    let verified = esgd(&["verify", &shown]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));

    assert_eq!(loss_of(&run.join("soup.safetensors"), &run), loss("soup"));
    assert_eq!(loss_of(&file(1), &run), loss("best"));
}

#[test]
fn mistakes_are_one_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let shown = dir.path().display().to_string();
    let no_run = esgd(&["combine", &shown]);
    assert_eq!(no_run.status.code(), Some(2));
    assert!(stderr(&no_run).contains("has no run in it"), "{}", stderr(&no_run));
    let config = esgd(&["config"]).stdout;
    let config = [b"# The config of this run, in full.\n", &config[..]].concat();
    fs::write(dir.path().join("config.toml"), config).unwrap();
    let no_population = esgd(&["combine", &shown]);
    assert_eq!(no_population.status.code(), Some(2));
    let message = stderr(&no_population);
    assert!(message.contains("no checkpoint") && message.trim().lines().count() == 1, "{message}");
}
