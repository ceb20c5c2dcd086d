//! `esgd compare` and `esgd report` as a user meets them.

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

fn esgd(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_esgd")).args(args).output().expect("the program starts")
}

/// Small enough for a test.
const SMALL: [&str; 15] = [
    "--set=generations=3",
    "--set=mu=4",
    "--set=lambda=4",
    "--set=rho=2",
    "--set=m=3",
    "--set=epochs=1",
    "--set=fine_tune.epochs=1",
    "--set=data.train=100",
    "--set=data.validation=50",
    "--set=data.test=50",
    "--set=network.hidden=[8]",
    "--set=start.shared.epochs=1",
    "--set=start.shared.candidates=2",
    "--set=start.shared.halvings=0",
    "--set=compare.rates=[0.02, 0.1]",
];

fn compare<'a>(out: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut args = vec!["compare", "--out", out];
    args.extend(SMALL);
    args.extend(more);
    args
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The results of a comparison without what its clock said.
fn results(out: &Path) -> Vec<Value> {
    let json = fs::read(out.join("comparison.json")).unwrap();
    let json: Value = serde_json::from_slice(&json).unwrap();
    let rows = json["rows"].as_array().unwrap().clone();
    rows.into_iter()
        .map(|mut row| {
            row.as_object_mut().unwrap().remove("seconds");
            for each in row["each"].as_array_mut().unwrap() {
                each.as_object_mut().unwrap().retain(|name, _| !name.ends_with("seconds"));
            }
            row
        })
        .collect()
}

#[test]
fn every_method_gets_the_same_and_is_run_once() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("all");
    let shown = out.display().to_string();
    let output = esgd(&compare(&shown, &["--seeds=2", "--budget=40"]));
    assert!(output.status.success(), "{}", text(&output.stderr));
    let first = results(&out);
    let methods = [
        "esgd",
        "no-evolution",
        "population",
        "pbt",
        "asha",
        "tuned",
        "restarts",
        "long",
        "swa",
        "single",
        "oracle",
    ];
    for method in methods {
        let row = first.iter().find(|row| row["method"] == method && row["part"] == "best");
        let row = row.unwrap_or_else(|| panic!("{method} is missing"));
        assert_eq!(row["fitness"].as_array().unwrap().len(), 2);
        let share = row["share"].as_f64().unwrap();
        assert!(share <= if method == "oracle" { 2.0 } else { 1.0 }, "{method} spent {share}");
        // A method stops short of the budget by less than an epoch of some of its networks.
        let least = match method {
            "single" => 0.15,
            // Two runs, each as long as the budget.
            "oracle" => 1.8,
            _ => 0.87,
        };
        assert!(share > least, "{method} spent {share}");
    }
    let several = first.iter().filter(|row| row["part"] != "best").count();
    assert_eq!(several, 2 * 5, "an ensemble and a soup of each that leaves several networks");

    // Once more: nothing is run, and another seed is all that is new.
    let began = Instant::now();
    let again = esgd(&compare(&shown, &["--seeds=2", "--budget=40"]));
    assert!(again.status.success() && began.elapsed() < Duration::from_secs(20));
    assert!(!text(&again.stderr).contains("seed"), "{}", text(&again.stderr));
    assert_eq!(results(&out), first);
    let third = esgd(&compare(&shown, &["--seeds=3", "--budget=40", "--methods=esgd,swa"]));
    let lines = text(&third.stderr);
    assert_eq!(lines.lines().filter(|line| line.contains("seed 3")).count(), 2, "{lines}");
    assert!(!lines.contains("seed 1") && !lines.contains("seed 2"), "{lines}");

    for name in ["table.md", "table.csv", "report.html"] {
        assert!(out.join(name).is_file(), "{name} is missing");
    }
    let csv = fs::read_to_string(out.join("table.csv")).unwrap();
    let columns = csv.lines().next().unwrap().split(',').count();
    assert!(csv.lines().all(|line| line.split(',').count() == columns), "{csv}");
}

#[test]
fn threads_change_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let run = |threads: &str| {
        let out = dir.path().join(threads);
        let shown = out.display().to_string();
        let set = format!("--set=run.threads={threads}");
        let methods = "--methods=esgd,asha,pbt,tuned,swa";
        let output = esgd(&compare(&shown, &["--seeds=1", "--budget=30", methods, &set]));
        assert!(output.status.success(), "{}", text(&output.stderr));
        results(&out)
    };
    let one = run("1");
    assert_eq!(one, run("3"));
    // Enough for two populations of four side by side.
    assert_eq!(one, run("9"));
}

/// Methods that draw from the run's optimizers but do not average anneal as they are told; the others,
/// whose settings are the same, are not run again.
#[test]
fn rivals_anneal_in_their_own_way() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("all").display().to_string();
    let methods = "--methods=esgd,no-evolution,population,pbt,asha,long,swa";
    let told = ["--seeds=1", "--budget=30", methods];
    assert!(esgd(&compare(&out, &told)).status.success());
    let again = esgd(&compare(&out, &[&told[..], &["--set=compare.anneal=constant"]].concat()));
    let lines = text(&again.stderr);
    let ran = lines.lines().filter(|line| line.contains("seed 1"));
    let mut ran: Vec<&str> = ran.filter_map(|line| line.split(',').next()).collect();
    ran.sort_unstable();
    assert!(again.status.success() && ran == ["asha", "population"], "{lines}");
}

#[cfg(unix)]
#[test]
fn an_interrupted_comparison_goes_on_to_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let whole = dir.path().join("whole");
    let methods = "--methods=esgd,population,asha,long,swa";
    let args = ["--seeds=2", "--budget=2000", methods];
    assert!(esgd(&compare(&whole.display().to_string(), &args)).status.success());
    let out = dir.path().join("interrupted");
    let shown = out.display().to_string();
    let mut stops = 0;
    for after in [150, 400, 700, 1000, 100_000] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_esgd"))
            .args(compare(&shown, &args))
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let began = Instant::now();
        while began.elapsed() < Duration::from_millis(after) {
            if child.try_wait().unwrap().is_some() {
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        // One that has ended does not mind.
        let _ = Command::new("kill")
            .args(["-s", "INT", &child.id().to_string()])
            .stderr(Stdio::null())
            .status();
        let ended = child.wait_with_output().unwrap();
        match ended.status.code() {
            Some(0) => break,
            Some(130) => stops += 1,
            other => panic!("{other:?}: {}", text(&ended.stderr)),
        }
        assert!(text(&ended.stderr).contains("the same command goes on"));
    }
    assert!(stops > 0, "it was never interrupted");
    assert_eq!(results(&out), results(&whole));
}

#[test]
fn a_comparison_in_which_all_diverge_is_still_one() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("diverged");
    let shown = out.display().to_string();
    let sets = [
        "--seeds=2",
        "--budget=60",
        "--set=start=independent",
        "--set=optimizers.0.lr=1e30",
        "--set=optimizers.1.lr=1e30",
        "--set=compare.single.lr=1e30",
        "--set=compare.rates=[1e30]",
    ];
    let output = esgd(&compare(&shown, &sets));
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("diverged"));
    assert!(esgd(&["report", &shown]).status.success());
}

#[test]
fn mistakes_are_one_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("none").display().to_string();
    for (more, expected) in [
        (&["--methods=esgd,pbb"][..], "did you mean `pbt`"),
        (&["--seeds=0"], "0 seeds: expected 1 to 10000"),
        (&["--seed=9223372036854775807", "--seeds=2"], "beyond 9223372036854775807"),
        (&["--budget=many"], "--budget many: expected a number of epochs"),
        (&["--budget=3"], "the budget is too small for `esgd`"),
        (&["--set=compare.rates=[]"], "compare.rates is empty"),
        (&["--set=compare.rates=[0.1, 1e-1]"], "has 0.1 twice"),
        (&["--set=compare.rates=[0.1, -1]"], "expected learning rates above 0"),
        (&["--set=compare.single.kind=sdg"], "did you mean `sgd`"),
        (&["--set=compare.anneal={ cosine = { to = -1 } }"], "compare.anneal: an annealing factor"),
        (&["--set=start={ warm = { sigma = 0.1 } }"], "--init"),
    ] {
        let output = esgd(&compare(&out, more));
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(message.contains(expected) && message.trim().lines().count() == 1, "{message}");
    }
    let none = esgd(&["report", &dir.path().display().to_string()]);
    assert_eq!(none.status.code(), Some(2));
    assert!(text(&none.stderr).contains("metrics.jsonl"), "{}", text(&none.stderr));
}

#[test]
fn a_report_is_one_page_with_all_figures() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let shown = run.display().to_string();
    let mut args = vec!["train", "--quiet", "--tensorboard", "--out", &shown];
    args.extend(SMALL.iter().filter(|set| !set.contains("compare")));
    assert!(esgd(&args).status.success());
    let live = fs::read(run.join("tensorboard/events.out.tfevents.esgd")).unwrap();
    let output = esgd(&["report", &shown, "--tensorboard"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let page = fs::read_to_string(run.join("report.html")).unwrap();
    assert!(page.len() < 2_000_000);
    // Nothing is loaded: the only addresses are the names of XML's namespaces.
    let addresses = page
        .match_indices("http")
        .filter(|(i, _)| !page[*i..].starts_with("http://www.w3.org/2000/svg"));
    assert_eq!(addresses.count(), 0);
    for name in [
        "fitness",
        "offspring",
        "fitness-by-samples",
        "fitness-by-time",
        "recipes",
        "diversity",
        "heat-map",
    ] {
        let svg = fs::read_to_string(run.join(format!("figures/{name}.svg"))).unwrap();
        assert!(svg.starts_with("<svg") && !svg.contains("var(") && !svg.contains("NaN"), "{name}");
        let png = fs::read(run.join(format!("figures/{name}.png"))).unwrap();
        assert!(png.starts_with(b"\x89PNG"), "{name}");
    }
    let csv = fs::read_to_string(run.join("metrics.csv")).unwrap();
    assert_eq!(csv.lines().count(), 1 + 4 * 5, "start, three generations and fine-tuning");
    // What was written while it trained is what is written after.
    let after = fs::read(run.join("tensorboard/events.out.tfevents.esgd")).unwrap();
    assert_eq!(live.len(), after.len());

    // Two runs together, into a folder of their own; one that is named twice is there once.
    let second = dir.path().join("second");
    fs::create_dir(&second).unwrap();
    for name in ["metrics.jsonl", "run.json"] {
        fs::copy(run.join(name), second.join(name)).unwrap();
    }
    let (out, other) = (dir.path().join("together"), second.display().to_string());
    let output = esgd(&["report", &shown, &other, &shown, "--out", &out.display().to_string()]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(out.join("figures/1-together-by-work.svg").is_file());
    assert!(!out.join("figures/4-fitness.svg").exists());
    // What is damaged is said so.
    fs::write(second.join("run.json"), "{").unwrap();
    let output = esgd(&["report", &other]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("run.json"), "{}", text(&output.stderr));
    fs::write(run.join("metrics.jsonl"), "nonsense, and long").unwrap();
    let output = esgd(&["report", &shown]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("line 1, is no report"), "{}", text(&output.stderr));
}

/// A log of 2,000 generations of 100 individuals still makes a page that opens at once.
#[test]
fn a_long_run_has_a_small_page() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    fs::create_dir_all(&run).unwrap();
    let mut log = String::new();
    for k in 0..2000 {
        let individuals: Vec<String> = (0..100)
            .map(|i| {
                let fitness = 1.0 / f64::from(k + 1) + 0.001 * f64::from(i);
                let parents = if k == 0 {
                    String::new()
                } else {
                    (0..8).map(|p| format!("\"g{}.1#{p}\"", k - 1)).collect::<Vec<_>>().join(",")
                };
                format!(
                    "{{\"id\":\"g{k}.1#{i}\",\"parents\":[{parents}],\"fitness\":{fitness},\"hyper\":{{\"kind\":\"sgd\",\"values\":{{\"lr\":{fitness},\"momentum\":0.9}}}}}}"
                )
            })
            .collect();
        log += &format!(
            "{{\"seconds\":{k},\"phase\":\"generation\",\"generation\":{k},\"best\":0.5,\"elite_mean\":0.5,\"elite\":[0.5],\"elite_offspring\":60,\"m\":60,\"individuals\":[{}],\"effort\":{{\"epochs\":{k},\"backed_off\":0,\"offspring\":{k}}},\"diversity\":0.1}}\n",
            individuals.join(",")
        );
    }
    fs::write(run.join("metrics.jsonl"), log).unwrap();
    let shown = run.display().to_string();
    let output = esgd(&["report", "--quiet", &shown]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let size = fs::metadata(run.join("report.html")).unwrap().len();
    assert!(size < 2_000_000, "{size}");
}

#[cfg(unix)]
#[test]
fn a_comparison_uses_only_results_of_its_own_runs() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let shown = out.display().to_string();
    let compare = |seeds: &str, status| {
        let output = esgd(&compare(&shown, &["--methods=single", "--budget=30", seeds]));
        assert_eq!(output.status.code(), Some(status), "{}", text(&output.stderr));
        text(&output.stderr)
    };
    compare("--seeds=2", 0);
    let mut runs: Vec<_> =
        fs::read_dir(out.join("runs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    runs.sort();
    let [one, two] = &runs[..] else { panic!("{runs:?}") };
    let results = [one, two].map(|run| fs::read(run.join("result.json")).unwrap());
    let mine = one.join("notes.txt");
    fs::write(&mine, "mine").unwrap();

    // One that is copied over, edited, or of an earlier version.
    let edited = text(&results[0]).replacen("0.", "1.", 1);
    let earlier: Value = serde_json::from_slice(&results[0]).unwrap();
    for (bytes, expected) in [
        (results[1].clone(), "is the result of another run, of seed 2"),
        (edited.into_bytes(), "was edited"),
        (earlier["outcome"].to_string().into_bytes(), "does not say what it is of"),
        (vec![], "was edited"),
    ] {
        fs::write(one.join("result.json"), &bytes).unwrap();
        let refused = compare("--seeds=2", 1);
        assert!(refused.contains(expected) && refused.contains("move the folder"), "{refused}");
        assert_eq!(fs::read(one.join("result.json")).unwrap(), bytes, "it stays");
    }
    // A folder of another run under this one's name.
    let aside = dir.path().join("aside");
    fs::rename(one, &aside).unwrap();
    std::os::unix::fs::symlink(two, one).unwrap();
    assert!(compare("--seeds=2", 1).contains("behind a link"));
    fs::remove_file(one).unwrap();
    fs::create_dir(one).unwrap();
    fs::write(one.join("best.safetensors"), "precious").unwrap();
    let refused = compare("--seeds=2", 1);
    assert!(refused.contains("are not of this run of the comparison"), "{refused}");
    assert_eq!(fs::read_to_string(one.join("best.safetensors")).unwrap(), "precious");
    fs::remove_file(one.join("best.safetensors")).unwrap();
    fs::write(&mine, "mine").unwrap();
    // As it was told, the same command runs it again, to the same, and touches nothing else.
    let again = compare("--seeds=2", 0);
    assert!(again.contains("seed 1") && !again.contains("seed 2:"), "{again}");
    assert_eq!(fs::read_to_string(&mine).unwrap(), "mine");

    // What the comparison leaves is not written over what it did not write.
    for name in ["comparison.json", "table.md", "table.csv", "report.html"] {
        let kept = fs::read(out.join(name)).unwrap();
        fs::write(out.join(name), "precious").unwrap();
        let refused = compare("--seeds=3", 2);
        assert!(refused.contains(name) && !refused.contains("seed 3:"), "{refused}");
        assert_eq!(fs::read_to_string(out.join(name)).unwrap(), "precious");
        fs::write(out.join(name), kept).unwrap();
    }
}
