//! When runs end, early or not at all, and what they leave then.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;

fn esgd(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_esgd")).args(args).output().expect("the program starts")
}

/// A short run with a small start.
fn train(out: &Path, more: &[&str]) -> Output {
    let out = out.display().to_string();
    let mut args = vec!["train", "--out", &out];
    for set in [
        "--set=generations=3",
        "--set=mu=4",
        "--set=lambda=6",
        "--set=rho=2",
        "--set=m=3",
        "--set=epochs=1",
        "--set=run.control=false",
        "--set=start.shared.epochs=1",
        "--set=start.shared.candidates=2",
        "--set=start.shared.halvings=0",
    ] {
        args.push(set);
    }
    args.extend(more);
    esgd(&args)
}

fn resume(run: &Path, more: &[&str]) -> Output {
    let run = run.display().to_string();
    esgd(&[&["resume", &run], more].concat())
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn result(run: &Path) -> Value {
    serde_json::from_slice(&fs::read(run.join("run.json")).unwrap()).unwrap()
}

/// A run's best network, and its log without the clock.
fn left(run: &Path) -> (Vec<u8>, Vec<String>) {
    let metrics = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let line = |line: &str| line.split_once(',').unwrap().1.to_owned();
    (fs::read(run.join("best.safetensors")).unwrap(), metrics.lines().map(line).collect())
}

#[test]
fn a_run_that_has_had_its_time_stops_and_goes_on_to_the_same_bits() {
    let dir = tempfile::tempdir().unwrap();
    let (whole, parts) = (dir.path().join("whole"), dir.path().join("parts"));
    let longer = ["--set=generations=5", "--set=epochs=60", "--set=run.checkpoint_share=1"];
    assert!(train(&whole, &longer).status.success());
    let mut time = 0.4;
    let mut stops = 0;
    let mut ended = train(&parts, &[&longer[..], &["--max-time=0.4s", "--keep-best=2"]].concat());
    loop {
        let said = stderr(&ended);
        if !parts.exists() {
            // On a slow machine that was not enough for the start.
            assert!(said.contains("before the first generation"), "{said}");
        } else {
            assert!(ended.status.success(), "{said}");
            if result(&parts)["status"] == "complete" {
                break;
            }
            stops += 1;
            assert_eq!(result(&parts)["status"], "stopped");
            assert!(said.contains("as asked; go on with: esgd resume"), "{said}");
            assert!(stdout(&ended).starts_with("Stopped after "), "{}", stdout(&ended));
            assert!(parts.join("best/2.safetensors").is_file());
            for command in ["evaluate", "verify"] {
                let output = esgd(&[command, &parts.display().to_string()]);
                assert!(output.status.success(), "{command}: {}", stderr(&output));
            }
        }
        time *= 1.5;
        let limit = format!("--max-time={time}s");
        ended = match parts.exists() {
            true => resume(&parts, &[&limit]),
            false => train(&parts, &[&longer[..], &[&limit, "--keep-best=2"]].concat()),
        };
    }
    assert!(stops > 0);
    assert!(left(&parts) == left(&whole), "other bits after {stops} stops");
    let again = resume(&parts, &[]);
    assert!(stderr(&again).contains("is complete"), "{}", stderr(&again));
}

#[test]
fn a_run_without_time_for_its_start_leaves_nothing_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("new/run");
    let ended = train(&run, &["--max-time=0.000001"]);
    assert_eq!(ended.status.code(), Some(1));
    let said = stderr(&ended);
    assert!(said.contains("before the first generation, so there is nothing to go on"), "{said}");
    assert!(!dir.path().join("new").exists());
}

#[test]
fn patience_ends_the_generations_and_the_run_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    // Steps too small to change anything, and no offspring.
    let still = "--set=optimizers=[{ kind = \"sgd\", lr = 1e-30 }]";
    let more = ["--set=generations=9", "--set=evolution_steps=0", "--patience=2", still];
    let ended = train(&run, &more);
    assert!(ended.status.success(), "{}", stderr(&ended));
    assert!(stdout(&ended).starts_with("Ended after 2 of 9 generations"), "{}", stdout(&ended));
    assert!(stderr(&ended).contains("ends after generation 2/9: the best has not got better"));
    let json = result(&run);
    assert_eq!((&json["status"], &json["generations"]), (&"complete".into(), &2.into()));
    assert_eq!(json["ended_early"]["improved"]["generation"], 0);
    assert_eq!(left(&run).1.len(), 4, "start, two generations, fine-tuning");
    let again = resume(&run, &[]);
    assert!(stderr(&again).contains("is complete"), "{}", stderr(&again));
    let more = resume(&run, &["--patience=5"]);
    assert_eq!(more.status.code(), Some(2));
    assert!(stderr(&more).contains("fine-tuning"), "{}", stderr(&more));
}

#[test]
fn fitness_may_be_the_error_rate() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let shown = run.display().to_string();
    let ended = train(&run, &["--set=data.score=error"]);
    assert!(ended.status.success(), "{}", stderr(&ended));
    assert!(stdout(&ended).contains("<- fitness: this error"), "{}", stdout(&ended));
    let json = result(&run);
    assert_eq!(json["fitness"], json["best"]["validation"]["error"]);
    assert!(json["objective"].as_str().unwrap().starts_with("error rate on "), "{json}");
    for command in ["verify", "evaluate", "combine"] {
        let output = esgd(&[command, &shown]);
        assert!(output.status.success(), "{command}: {}", stderr(&output));
    }
    let combined = fs::read(run.join("combined.json")).unwrap();
    let combined: Value = serde_json::from_slice(&combined).unwrap();
    let error = |what: &str| combined[what]["fitness"]["error"].as_f64().unwrap();
    assert!(error("ensemble") <= error("best") && error("soup") <= error("best"), "{combined}");
    let refused = resume(&run, &["--set=data.score=loss"]);
    assert!(stderr(&refused).contains("`data` cannot be changed"), "{}", stderr(&refused));
}

#[test]
fn the_best_networks_are_written_and_other_files_are_not_touched() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let refused = train(&run, &["--keep-best=4"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("expected at most 3"), "{}", stderr(&refused));
    assert!(!run.exists());
    assert!(train(&run, &["--keep-best=3"]).status.success());
    let file = |n: usize| run.join(format!("best/{n}.safetensors"));
    assert_eq!(fs::read(file(1)).unwrap(), fs::read(run.join("best.safetensors")).unwrap());
    let json = result(&run);
    let list = json["best_networks"].as_array().unwrap();
    let fitness: Vec<_> = list.iter().map(|one| one["fitness"].as_f64().unwrap()).collect();
    assert!(list.len() == 3 && fitness.is_sorted() && json["fitness"] == list[0]["fitness"]);
    assert_eq!(
        (&list[0]["id"], &list[2]["file"]),
        (&json["best"]["id"], &"best/3.safetensors".into())
    );

    let again = resume(&run, &[]);
    assert!(stderr(&again).contains("is complete"), "{}", stderr(&again));
    let fewer = resume(&run, &["--keep-best=1"]);
    assert!(fewer.status.success(), "{}", stderr(&fewer));
    assert!(file(1).is_file() && !file(2).exists() && !file(3).exists());
    fs::write(file(2), "somebody else's").unwrap();
    let refused = resume(&run, &["--keep-best=2"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("has 2.safetensors, which the run did not write"));
    assert!(resume(&run, &["--keep-best=0"]).status.success());
    assert!(!file(1).exists());
    assert_eq!(fs::read(file(2)).unwrap(), b"somebody else's");
}

#[test]
fn a_refused_run_leaves_no_folder() {
    let dir = tempfile::tempdir().unwrap();
    let first = dir.path().join("first");
    assert!(train(&first, &[]).status.success());
    let best = first.join("best.safetensors").display().to_string();
    let warm_start = ["--init", &best].repeat(5);
    let in_runs = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_esgd"));
        command.current_dir(dir.path()).args(["train", "--set=mu=4", "--set=m=3", "--set=rho=2"]);
        command.args(&warm_start).output().unwrap()
    };
    let refused = in_runs();
    assert_eq!(refused.status.code(), Some(2), "{}", stderr(&refused));
    assert!(stderr(&refused).contains("do not fit"), "{}", stderr(&refused));
    assert!(!dir.path().join("runs").exists());
    fs::create_dir_all(dir.path().join("runs")).unwrap();
    assert_eq!(in_runs().status.code(), Some(2));
    assert_eq!(fs::read_dir(dir.path().join("runs")).unwrap().count(), 0);
}
