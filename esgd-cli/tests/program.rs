//! The program as a user meets it: good runs, bad input, the same bits from any number of threads
//! and in another process.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

fn esgd(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_esgd")).args(args).output().expect("the program starts")
}

/// A short run into `out`.
fn train(out: &Path, more: &[&str]) -> Output {
    let out = out.display().to_string();
    let mut args = vec!["train", "--quiet", "--out", &out];
    for set in
        ["generations=3", "mu=4", "lambda=6", "rho=2", "m=3", "epochs=1", "run.control=false"]
    {
        args.extend(["--set", set]);
    }
    args.extend(more);
    esgd(&args)
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn the_number_of_threads_and_the_process_change_no_bit() {
    let dir = tempfile::tempdir().unwrap();
    for preset in ["default", "paper"] {
        let result = |threads: &str| {
            let out = dir.path().join(format!("{preset}-{threads}"));
            let threads = format!("run.threads={threads}");
            let output = train(&out, &["--preset", preset, "--set", &threads]);
            assert!(output.status.success(), "{}", stderr(&output));
            let best = fs::read(out.join("best.safetensors")).unwrap();
            // The log without its clock.
            let metrics = fs::read_to_string(out.join("metrics.jsonl")).unwrap();
            let metrics: Vec<String> =
                metrics.lines().map(|line| line.split_once(',').unwrap().1.to_owned()).collect();
            (best, metrics)
        };
        let one = result("1");
        assert_eq!(one.1.len(), 5, "start, three generations, fine-tuning");
        assert!(result("2") == one && result("7") == one, "{preset}: threads changed the result");
    }
}

#[test]
fn a_run_can_be_evaluated_and_gone_on_from() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("run");
    assert!(train(&out, &[]).status.success());
    for name in ["config.toml", "metrics.jsonl", "run.json", "best.safetensors"] {
        assert!(out.join(name).is_file(), "{name} is missing");
    }
    let evaluated = esgd(&["evaluate", &out.display().to_string()]);
    assert!(evaluated.status.success(), "{}", stderr(&evaluated));
    assert!(String::from_utf8_lossy(&evaluated.stdout).contains("validation"));

    // Fine-tuning never loses what there is.
    let best = out.join("best.safetensors").display().to_string();
    let on = dir.path().join("on");
    let tuned = train(&on, &["--init", &best, "--seed", "9"]);
    assert!(tuned.status.success(), "{}", stderr(&tuned));
    let fitness = |run: &Path| -> f64 {
        let text = fs::read_to_string(run.join("run.json")).unwrap();
        serde_json::from_str::<serde_json::Value>(&text).unwrap()["fitness"].as_f64().unwrap()
    };
    assert!(fitness(&on) <= fitness(&out));
}

#[test]
fn a_changed_network_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("run");
    assert!(train(&out, &[]).status.success());
    let best = out.join("best.safetensors");
    let mut bytes = fs::read(&best).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1; // The sign of a weight, or its exponent.
    fs::write(&best, bytes).unwrap();
    let evaluated = esgd(&["evaluate", &out.display().to_string()]);
    assert_eq!(evaluated.status.code(), Some(1));
    assert!(stderr(&evaluated).contains("the run recorded"), "{}", stderr(&evaluated));
}

#[test]
fn bad_input_is_one_sentence_and_a_status() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| -> String {
        let path: PathBuf = dir.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let broken = file("broken.toml", "mu = 4\nm = = 3\n");
    let unknown = file("unknown.toml", "[guarantee]\nwhay = 'archive'\n");
    let no_network = file("network.safetensors", "nonsense");
    let out = dir.path().join("out").display().to_string();
    let here = dir.path().display().to_string();
    let cases: [(&[&str], i32, &str); 19] = [
        (&["train", "--set", "generatoins=2"], 2, "did you mean `generations`?"),
        (&["train", "--set", "m=99"], 2, "m = 99 is more than mu"),
        (&["train", "--preset", "papr"], 2, "did you mean `paper`?"),
        (&["train", "--config", &broken], 2, "broken.toml, line 2"),
        (&["train", "--config", &unknown], 2, "did you mean `way`?"),
        (&["train", "--config", "absent.toml"], 2, "cannot read the config absent.toml"),
        (&["train", "--init", &no_network, "--out", &out], 2, "not a safetensors file"),
        (&["train", "--data", &here, "--out", &out], 2, "has no train-images-idx3-ubyte"),
        (
            &["train", "--set", "data.train=9999", "--out", &out],
            2,
            "9999 samples are asked for training",
        ),
        (&["train", "--out", &here], 2, "is not empty"),
        (&["train", "--set", "start={ warm = { sigma = 0.1 } }"], 2, "--init FILE"),
        (&["train", "--set", "fine_tune.lr=-1"], 2, "fine_tune.lr"),
        (
            &["train", "--set", "optimizers.0.momentum={ fixed = 0.9, anneal = '1/k' }"],
            2,
            "no `anneal`",
        ),
        (&["train", "--set", "mu={4"], 2, "is not TOML"),
        (&["train", "--set", "run.threads=100000"], 2, "at most 1024"),
        (&["train", "--set", "network.hidden=[99999999999]"], 2, "expected 1 to 65536"),
        (&["train", "--sed", "1"], 2, "--seed"),
        (&["evaluate", "absent"], 2, "cannot read absent/config.toml"),
        (
            &["config", "--preset", "nothing"],
            2,
            "expected one of default, digits, paper, fashion-mnist",
        ),
    ];
    for (args, status, expected) in cases {
        let output = esgd(args);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(status), "{args:?}: {said}");
        assert!(said.contains(expected), "{args:?}: {said}");
        assert!(!said.contains("panicked") && !said.contains("backtrace"), "{args:?}: {said}");
        if said.starts_with("esgd: ") {
            assert_eq!(said.trim_end().lines().count(), 1, "{args:?}: {said}");
        }
    }
}

/// On Fashion-MNIST itself, where `ESGD_DATA` names a folder that has it.
#[test]
fn fashion_mnist_trains_from_its_official_files() {
    let Some(data) = std::env::var_os("ESGD_DATA").map(|dir| Path::new(&dir).join("fashion-mnist"))
    else {
        eprintln!("SKIPPED: set ESGD_DATA to a folder that holds fashion-mnist/ to run this test");
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("run");
    let data = data.display().to_string();
    let small = [
        "--preset",
        "fashion-mnist",
        "--data",
        &data,
        "--set",
        "data.train=2000",
        "--set",
        "data.validation=500",
    ];
    let output = train(&out, &small);
    assert!(output.status.success(), "{}", stderr(&output));
    let text = fs::read_to_string(out.join("run.json")).unwrap();
    let run: serde_json::Value = serde_json::from_str(&text).unwrap();
    let error = run["best"]["test"]["error"].as_f64().unwrap();
    assert!(error < 0.25, "test error {error} after three epochs of 2,000 images");
}

#[test]
fn a_plan_says_what_a_run_takes_and_trains_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("run");
    let shown = out.display().to_string();
    let output = esgd(&["train", "--plan", "--out", &shown]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && !out.exists(), "{}", stderr(&output));
    for row in ["network", "memory", "work", "time"] {
        assert!(text.lines().any(|line| line.starts_with(row)), "{text}");
    }
    let output = esgd(&["train", "--plan", "--json"]);
    let plan: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(plan["parameters"], 64 * 128 + 128 + 128 * 10 + 10);
    // Candidates on their four rungs, generations, fine-tuning.
    let start = 20 * 5 + 10 * 5 + 5 * 10 + 3 * 20;
    assert_eq!(plan["work"]["epochs"], start + 20 * (40 * 5 + 5));
}

#[test]
fn what_cannot_fit_into_memory_is_refused_before_it_begins() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("run");
    let huge = "network.hidden=[65536, 65536, 65536, 65536]";
    for more in
        [&["--set", huge, "--set", "mu=10000"][..], &["--plan", "--set", huge, "--set", "mu=10000"]]
    {
        let output = train(&out, more);
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(message.contains("of memory and the machine has"), "{message}");
        assert!(!out.exists());
    }
}

#[test]
fn data_sets_are_named_with_the_nearest() {
    let dir = tempfile::tempdir().unwrap();
    let shown = dir.path().display().to_string();
    let output = esgd(&["data", "cifar-10", "--dir", &shown]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("did you mean `cifar10`"), "{}", stderr(&output));
    let away = ["data", "mnist", "--dir", &shown, "--from", "http://127.0.0.1:9/", "--quiet"];
    let output = esgd(&away);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("cannot be reached"), "{}", stderr(&output));
}

/// A run's best network, and its log without the clock.
fn left(run: &Path) -> (Vec<u8>, Vec<String>) {
    let metrics = fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let line = |line: &str| line.split_once(',').unwrap().1.to_owned();
    (fs::read(run.join("best.safetensors")).unwrap(), metrics.lines().map(line).collect())
}

/// Some seconds, with a checkpoint of everything.
const LONGER: [&str; 12] = [
    "--set",
    "generations=6",
    "--set",
    "epochs=20",
    "--set",
    "run.checkpoint_share=1",
    "--set",
    "mu=6",
    "--set",
    "rho=2",
    "--set",
    "lambda=8",
];

#[cfg(unix)]
#[test]
fn a_run_that_is_killed_or_interrupted_goes_on_to_the_same_bits() {
    use std::{os::unix::process::ExitStatusExt, process::Stdio, thread, time::Duration};

    let dir = tempfile::tempdir().unwrap();
    let whole = dir.path().join("whole");
    assert!(train(&whole, &LONGER).status.success());
    let expected = left(&whole);
    for (signal, code) in [("KILL", None), ("INT", Some(130)), ("TERM", Some(143))] {
        let run = dir.path().join(signal);
        let shown = run.display().to_string();
        let mut args = vec!["train", "--quiet", "--out", &shown];
        for set in ["m=3", "run.control=false"] {
            args.extend(["--set", set]);
        }
        args.extend(LONGER);
        let child = Command::new(env!("CARGO_BIN_EXE_esgd"))
            .args(&args)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // As soon as something can be gone on from.
        while !run.join("checkpoints/000002.json").exists() {
            thread::sleep(Duration::from_millis(5));
        }
        let id = child.id().to_string();
        let sent = Command::new("kill").args(["-s", signal, &id]).status().unwrap();
        assert!(sent.success());
        let ended = child.wait_with_output().unwrap();
        match code {
            None => assert_eq!(ended.status.signal(), Some(9)),
            Some(code) => {
                assert_eq!(ended.status.code(), Some(code), "{}", stderr(&ended));
                assert!(stderr(&ended).contains("esgd resume"), "{}", stderr(&ended));
            }
        }
        assert!(esgd(&["verify", &shown]).status.success(), "{signal}");
        let resumed = esgd(&["resume", &shown, "--quiet", "--set", "run.threads=3"]);
        assert!(resumed.status.success(), "{signal}: {}", stderr(&resumed));
        assert!(left(&run) == expected, "{signal}: other bits");
        assert!(esgd(&["verify", &shown]).status.success(), "{signal}");
    }
}

#[test]
fn generations_can_be_added_and_what_breaks_the_guarantee_cannot_be_changed() {
    let dir = tempfile::tempdir().unwrap();
    let (long, short) = (dir.path().join("long"), dir.path().join("short"));
    let plain = [
        "--set",
        "fine_tune.epochs=0",
        "--set",
        "optimizers.0.lr=0.1",
        "--set",
        "optimizers.1.lr=0.001",
    ];
    assert!(train(&long, &[&plain[..], &["--set", "generations=5"]].concat()).status.success());
    assert!(train(&short, &plain).status.success());
    let shown = short.display().to_string();
    let again = esgd(&["resume", &shown]);
    assert!(again.status.success() && stderr(&again).contains("is complete"), "{}", stderr(&again));
    for (set, expected) in [
        ("mu=5", "mu = 5"),
        ("m=2", "m = 2"),
        ("guarantee.way=back-off", "the guarantee is another"),
        ("network.hidden=[9]", "`network` cannot be changed"),
        ("data.validation=100", "`data` cannot be changed"),
        ("seed=2", "`seed` cannot be changed"),
        ("generations=2", "3 are complete"),
        ("generatoins=9", "did you mean"),
    ] {
        let refused = esgd(&["resume", &shown, "--set", set]);
        assert_eq!(refused.status.code(), Some(2), "{set}: {}", stderr(&refused));
        assert!(stderr(&refused).contains(expected), "{set}: {}", stderr(&refused));
    }
    let more = esgd(&["resume", &shown, "--quiet", "--set", "generations=5"]);
    assert!(more.status.success(), "{}", stderr(&more));
    assert!(left(&short) == left(&long), "a run with generations added is that with all of them");

    let tuned = dir.path().join("tuned");
    assert!(train(&tuned, &[]).status.success());
    let refused = esgd(&["resume", &tuned.display().to_string(), "--set", "generations=9"]);
    assert!(stderr(&refused).contains("fine-tuning"), "{}", stderr(&refused));
    fs::remove_dir_all(tuned.join("checkpoints")).unwrap();
    let (best, refused) =
        (fs::read(tuned.join("best.safetensors")), esgd(&["resume", &tuned.display().to_string()]));
    assert!(stderr(&refused).contains("no checkpoint to go on from"), "{}", stderr(&refused));
    assert_eq!(fs::read(tuned.join("best.safetensors")).unwrap(), best.unwrap());
    let nowhere = esgd(&["resume", &dir.path().join("nowhere").display().to_string()]);
    assert!(stderr(&nowhere).contains("has no run in it"), "{}", stderr(&nowhere));
}

#[test]
fn verify_finds_what_was_changed() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    assert!(train(&run, &[]).status.success());
    let shown = run.display().to_string();
    let good = esgd(&["verify", &shown]);
    let said = String::from_utf8_lossy(&good.stdout).into_owned();
    assert!(good.status.success() && said.lines().all(|line| line.starts_with("ok")), "{said}");
    let change = |name: &str, change: &dyn Fn(&mut Vec<u8>)| {
        let path = run.join(name);
        let before = fs::read(&path).unwrap();
        let mut bytes = before.clone();
        change(&mut bytes);
        fs::write(&path, bytes).unwrap();
        let bad = esgd(&["verify", &shown]);
        assert_eq!(bad.status.code(), Some(1), "{name}");
        assert!(stderr(&bad).contains("checks failed"), "{}", stderr(&bad));
        fs::write(&path, before).unwrap();
        String::from_utf8_lossy(&bad.stdout).into_owned()
    };
    let last = |bytes: &mut Vec<u8>| *bytes.last_mut().unwrap() ^= 64;
    assert!(change("best.safetensors", &last).contains("FAILED  networks"));
    assert!(change("metrics.jsonl", &|bytes| bytes.truncate(100)).contains("FAILED  checkpoints"));
    let manifests = fs::read_dir(run.join("checkpoints")).unwrap();
    let manifest = manifests
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .max()
        .unwrap();
    let manifest = manifest.strip_prefix(&run).unwrap().display().to_string();
    assert!(change(&manifest, &|bytes| bytes[300] ^= 1).contains("its checksum is another"));
    assert!(esgd(&["verify", &shown]).status.success());
}

#[test]
fn a_run_in_which_all_diverge_says_so() {
    let dir = tempfile::tempdir().unwrap();
    for preset in ["default", "paper"] {
        let run = dir.path().join(preset);
        let sets = ["--set", "optimizers=[{ kind = \"sgd\", lr = 1e38 }]", "--preset", preset];
        let ended = train(&run, &sets);
        let said = stderr(&ended);
        // From independent starts, back-off keeps the untrained networks.
        let backed_off = preset == "paper";
        assert_eq!(ended.status.code(), Some(i32::from(!backed_off)), "{preset}: {said}");
        assert_eq!(said.contains("diverged: draw smaller learning rates"), !backed_off, "{said}");
        assert!(!said.contains("panicked"), "{said}");
        assert!(esgd(&["verify", &run.display().to_string()]).status.success());
    }
}
