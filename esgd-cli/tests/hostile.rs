//! Texts of others in names, configs, logs and results: wherever they come out, they move nothing, end no
//! line, and are no markup and no formula. And files of others: none is read through a link, and none is
//! written over.
#![cfg(unix)]

use std::{
    fs,
    os::unix::fs::symlink,
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};

/// What a text may try: to be a formula, to move the cursor, to turn the line, to end it, to be markup.
const NASTY: &str = "=cmd|' /C calc'!A0\u{1b}[31m\r\n\u{202e}\u{2028}\u{9b}<script>alert(1)</script>\"&;\u{0}\u{ffff}";

fn nasty_name() -> String {
    NASTY.replace(['/', '\0'], "")
}

const SMALL: [&str; 12] = [
    "--set=generations=2",
    "--set=mu=3",
    "--set=lambda=3",
    "--set=rho=2",
    "--set=m=2",
    "--set=epochs=1",
    "--set=fine_tune.epochs=1",
    "--set=data.train=60",
    "--set=data.validation=30",
    "--set=data.test=30",
    "--set=network.hidden=[4]",
    "--set=start=independent",
];

fn esgd(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_esgd")).args(args).stdin(Stdio::null()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// That a text moves nothing and turns nothing; lines may end.
fn is_harmless(text: &str) -> bool {
    !text.chars().any(|c| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{ffff}')
    })
}

/// What a command says, which is harmless; its status is `status`.
fn said(args: &[&str], status: i32) -> String {
    let output = esgd(args);
    let said = text(&output.stdout) + &text(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{args:?}: {said}");
    assert!(is_harmless(&said) && !said.contains("panicked"), "{args:?}: {said:?}");
    let errors = text(&output.stderr).lines().filter(|line| line.starts_with("esgd: ")).count();
    assert!(status == 0 || errors == 1, "{args:?}: {said}");
    said
}

/// The records of a CSV file by RFC 4180.
fn records(csv: &str) -> Vec<Vec<String>> {
    let (mut all, mut record, mut cell, mut quoted) = (vec![], vec![], String::new(), false);
    let mut chars = csv.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => cell.extend(chars.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => record.push(std::mem::take(&mut cell)),
            '\n' if !quoted => {
                record.push(std::mem::take(&mut cell));
                all.push(std::mem::take(&mut record));
            }
            c => cell.push(c),
        }
    }
    assert!(cell.is_empty() && record.is_empty() && !quoted, "the last line has no end");
    all
}

/// That a page, its figures and its tables are harmless.
fn check_outputs(out: &Path) {
    let figures = fs::read_dir(out.join("figures")).unwrap().map(|entry| entry.unwrap().path());
    let svgs = figures.filter(|path| path.extension().is_some_and(|end| end == "svg"));
    let tables = ["report.html", "table.md", "table.csv", "metrics.csv"].map(|name| out.join(name));
    for path in svgs.chain(tables).filter(|path| path.exists()) {
        let contents = fs::read_to_string(&path).unwrap();
        assert!(is_harmless(&contents), "{}", path.display());
        let is_csv = path.extension().is_some_and(|end| end == "csv");
        assert!(is_csv || !contents.contains("<script>alert"), "{}", path.display());
        if is_csv {
            let records = records(&contents);
            for record in &records {
                assert_eq!(record.len(), records[0].len(), "{record:?}");
                for cell in record.iter().filter(|cell| cell.parse::<f64>().is_err()) {
                    assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell:?}");
                }
            }
        }
    }
    assert!(fs::metadata(out.join("report.html")).unwrap().len() < 3_000_000);
}

/// A log of a stranger: three generations of three individuals, each with a nasty optimizer.
fn log() -> String {
    let individual = |k: usize, i: usize, kind: &str| {
        json!({
            "id": format!("g{k}.{}#{i}", usize::from(k > 0)),
            "parents": if k > 0 { vec![format!("g{}.{}#0", k - 1, usize::from(k > 1))] } else { vec![] },
            "fitness": 1.0 / (k + i + 1) as f64,
            "hyper": {"kind": kind, "values": {"lr": 0.1, NASTY: 0.5}},
        })
    };
    let line = |k: usize| {
        let individuals: Vec<Value> = ["sgd", NASTY, "-1+1"]
            .iter()
            .enumerate()
            .map(|(i, kind)| individual(k, i, kind))
            .collect();
        let line = json!({
            "seconds": k, "phase": if k == 0 { "start" } else { "generation" }, "generation": k,
            "best": 0.5, "elite_mean": 0.5, "elite": [0.5], "elite_offspring": 0, "m": 3,
            "individuals": individuals, "effort": {"epochs": k, "backed_off": 0, "offspring": k},
            "numbers": {NASTY: [0.1, k]},
        });
        format!("{line}\n")
    };
    (0..3).map(line).collect()
}

#[test]
fn a_folder_of_a_nasty_name_is_only_named() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join(nasty_name());
    let shown = run.to_str().unwrap();
    let trained = said(&[&["train", "--out", shown][..], &SMALL].concat(), 0);
    assert!(trained.contains("\\u001b[31m\\u000d\\u000a\\u202e"), "{trained}");
    for command in ["verify", "evaluate", "combine", "resume"] {
        said(&[command, shown], 0);
    }
    said(&["train", "--out", shown], 2);
    said(&["report", shown], 0);
    check_outputs(&run);
    fs::write(run.join("best.safetensors"), "nonsense").unwrap();
    for command in ["verify", "evaluate"] {
        said(&[command, shown], 1);
    }
    let compared = dir.path().join(format!("compared{}", nasty_name()));
    let shown = compared.to_str().unwrap();
    let compare = ["compare", "--methods=esgd,single", "--seeds=1", "--budget=20", "--out", shown];
    said(&[&compare[..], &SMALL].concat(), 0);
    check_outputs(&compared);
}

#[test]
fn nasty_settings_are_mistakes_in_one_line() {
    let dir = tempfile::tempdir().unwrap();
    let quoted = serde_json::to_string(NASTY).unwrap();
    let file = dir.path().join("config.toml");
    let shown = file.to_str().unwrap();
    for config in [
        format!("{quoted} = 1"),
        format!("mu = {quoted}"),
        format!("[[optimizers]]\nkind = {quoted}\nlr = 0.1"),
        format!("[run]\ndevice = {quoted}"),
        format!("[network]\nkind = {quoted}"),
        format!("[data]\nname = {quoted}"),
        format!("[data]\nname = \"idx\"\ndir = {quoted}"),
        NASTY.to_owned(),
    ] {
        fs::write(&file, &config).unwrap();
        said(&["train", "--config", shown, "--out", dir.path().join("run").to_str().unwrap()], 2);
    }
    let nasty = nasty_name();
    for args in [
        &["train", "--preset", &nasty][..],
        &["train", "--set", &nasty],
        &["train", "--device", &nasty],
        &["train", "--data", &nasty],
        &["train", "--init", &nasty],
        &["train", "--config", &nasty],
        &["evaluate", &nasty],
        &["verify", &nasty],
        &["resume", &nasty],
        &["combine", &nasty],
        &["report", &nasty],
        &["compare", "--methods", &nasty],
        &["data", &nasty, "--dir", shown],
        &["config", "--preset", &nasty],
    ] {
        said(args, 2);
    }
    // The words of the command line's parser have no name in front.
    for args in [&[nasty.as_str()][..], &["train", "--seed", &nasty], &["train", &nasty]] {
        let output = esgd(args);
        assert_eq!(output.status.code(), Some(2));
        let said = text(&output.stderr);
        assert!(is_harmless(&said) && said.contains("[31m\\u000d\\u000a"), "{said:?}");
    }
}

#[test]
fn a_nasty_log_makes_a_page_of_plain_text() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    fs::create_dir(&run).unwrap();
    fs::write(run.join("metrics.jsonl"), log()).unwrap();
    let scores = json!({"loss": -1e308, "error": 1e308, "samples": 3});
    let result = json!({
        "status": NASTY,
        "best": {"id": NASTY, "recipe": NASTY, "train": scores, "test": scores},
        "elite": {NASTY: {"individuals": u64::MAX, "lr": [0.1, 1e308]}, "sgd": {"individuals": 1}},
    });
    fs::write(run.join("run.json"), result.to_string()).unwrap();
    let shown = run.to_str().unwrap();
    said(&["report", "--tensorboard", shown], 0);
    check_outputs(&run);
    let page = fs::read_to_string(run.join("report.html")).unwrap();
    assert!(page.contains("&lt;script&gt;alert(1)") && page.contains("\\u202e"));
    let csv = fs::read_to_string(run.join("metrics.csv")).unwrap();
    assert!(csv.contains(",'=cmd|' /C calc'!A0\\u001b[31m") || csv.contains("\"'=cmd|"), "{csv}");
    assert!(csv.contains(",'-1+1,"), "{csv}");

    // Of lines that cannot be read the error is one line.
    for broken in [
        format!("{}\n", json!({"phase": NASTY})),
        NASTY.to_owned(),
        log().replace("g0.0#0", "\\u001b\\n"),
    ] {
        fs::write(run.join("metrics.jsonl"), broken).unwrap();
        said(&["report", shown], 1);
    }
}

/// A comparison with a row a method, in which all texts are nasty and numbers at their ends.
fn comparison(folder: &str) -> Value {
    let row = |method: &str| {
        json!({
            "method": method, "part": "best", "title": NASTY, "apart": false,
            "fitness": [1e308, -1e308], "test_loss": [null, 1e308], "test_error": [1e308, 0.1],
            "networks": 1e308, "members": 1.0, "top": {"count": 2, "test_loss": null, "test_error": [-1e308, 1e308]},
            "spent": {"gradient_samples": u64::MAX, "evaluation_samples": 10},
            "share": 1e308, "flops": 1e308, "seconds": -1e308, "each": [],
            "against": {
                "loss": {"interval": {"mean": -1e308, "half": 1e308}, "p": 1e308, "lower": 2, "higher": 0},
                "error": {"interval": null, "p": -1.0, "lower": 2, "higher": 0}
            }
        })
    };
    json!({
        "network": NASTY, "macs": u64::MAX, "data": NASTY, "train": u64::MAX, "fitness": 0, "test": 0,
        "budget": u64::MAX, "seeds": [1, 2], "rows": [row("esgd"), row("swa"), row("long")],
        "verdict": [NASTY], "runs": [{"method": "esgd", "seed": 1, "rate": 1e308, "folder": folder}]
    })
}

#[test]
fn a_nasty_comparison_makes_a_page_of_plain_text() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let elsewhere = dir.path().join("elsewhere");
    for folder in [&out.join("runs"), &elsewhere] {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join("metrics.jsonl"), log()).unwrap();
    }
    symlink(&elsewhere, out.join("link")).unwrap();
    let shown = out.to_str().unwrap();
    for folder in ["runs", "../elsewhere", "link", elsewhere.to_str().unwrap(), "none", NASTY] {
        let text = serde_json::to_string_pretty(&comparison(folder)).unwrap();
        fs::write(out.join("comparison.json"), text).unwrap();
        said(&["report", shown], 0);
        check_outputs(&out);
        let page = fs::read_to_string(out.join("report.html")).unwrap();
        let (shown, _program) = page.split_once("<script>").unwrap();
        assert!(shown.contains("&lt;script&gt;alert(1)") && !shown.contains("NaN"));
        // What is not the comparison's is not read.
        assert_eq!(page.contains("Lowest loss so far"), folder == "runs", "{folder}");
    }
}

#[test]
fn a_report_reads_no_link_and_writes_over_nothing_of_others() {
    let dir = tempfile::tempdir().unwrap();
    let (run, theirs) = (dir.path().join("run"), dir.path().join("theirs"));
    fs::create_dir(&run).unwrap();
    fs::write(run.join("metrics.jsonl"), log()).unwrap();
    let shown = run.to_str().unwrap();
    said(&["report", "--tensorboard", shown], 0);
    // What it wrote it writes again.
    said(&["report", "--tensorboard", shown], 0);

    fs::write(&theirs, "precious").unwrap();
    for name in [
        "report.html",
        "metrics.csv",
        "figures/fitness.svg",
        "figures/fitness.png",
        "tensorboard/events.out.tfevents.esgd",
    ] {
        let path = run.join(name);
        let kept = fs::read(&path).unwrap();
        fs::write(&path, "precious").unwrap();
        let refused = said(&["report", "--tensorboard", shown], 2);
        assert!(
            refused.contains(name) && refused.contains("was not written by this program"),
            "{refused}"
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
        fs::remove_file(&path).unwrap();
        symlink(&theirs, &path).unwrap();
        let refused = said(&["report", "--tensorboard", shown], 1);
        assert!(refused.contains("it is a link"), "{refused}");
        assert_eq!(fs::read_to_string(&theirs).unwrap(), "precious");
        fs::remove_file(&path).unwrap();
        fs::write(&path, kept).unwrap();
    }
    for name in ["figures", "tensorboard"] {
        let elsewhere = dir.path().join(name);
        fs::rename(run.join(name), &elsewhere).unwrap();
        let before = fs::read_dir(&elsewhere).unwrap().count();
        symlink(&elsewhere, run.join(name)).unwrap();
        let refused = said(&["report", "--tensorboard", shown], 1);
        assert!(refused.contains("a link of that name"), "{refused}");
        assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), before);
        fs::remove_file(run.join(name)).unwrap();
        fs::rename(&elsewhere, run.join(name)).unwrap();
    }
    for name in ["metrics.jsonl", "run.json"] {
        let path = run.join(name);
        let _ = fs::remove_file(&path);
        symlink("/dev/zero", &path).unwrap();
        assert!(said(&["report", shown], 1).contains("it is a link"));
        fs::remove_file(&path).unwrap();
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        assert!(said(&["report", shown], 1).contains("it is a pipe"));
        fs::remove_file(&path).unwrap();
        fs::File::create(&path).unwrap().set_len(1 << 32).unwrap();
        let refused = said(&["report", shown], 1);
        assert!(refused.contains("4294967296 bytes"), "{refused}");
        fs::remove_file(&path).unwrap();
        fs::write(run.join("metrics.jsonl"), log()).unwrap();
    }
}
