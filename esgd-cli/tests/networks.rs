//! Networks out to other programs and in from them.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use serde_json::{Map, Value};

fn esgd(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_esgd")).args(args).output().expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn done(output: &Output) -> String {
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

/// A short run into `out`.
fn train(out: &Path, more: &[&str]) -> Output {
    let out = out.display().to_string();
    let mut args = vec!["train", "--quiet", "--out", &out];
    for set in ["generations=2", "mu=4", "lambda=4", "m=3", "epochs=1", "run.control=false"] {
        args.extend(["--set", set]);
    }
    args.extend(["--set", "start=independent"]);
    args.extend(more);
    esgd(&args)
}

/// A safetensors file's header, and its tensors' bytes.
fn parts(file: &[u8]) -> (Map<String, Value>, &[u8]) {
    let length = u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
    (serde_json::from_slice(&file[8..8 + length]).unwrap(), &file[8 + length..])
}

fn file(header: &Map<String, Value>, tensors: &[u8]) -> Vec<u8> {
    let header = serde_json::to_vec(header).unwrap();
    [&(header.len() as u64).to_le_bytes()[..], &header, tensors].concat()
}

/// The same network as another program may have saved it, a compiled one on several devices.
fn wrapped(ours: &[u8]) -> Vec<u8> {
    let (mut header, tensors) = parts(ours);
    header.remove("__metadata__");
    let names = header.into_iter().map(|(name, one)| (format!("module._orig_mod.{name}"), one));
    file(&names.collect(), tensors)
}

fn json(output: &Output) -> Value {
    serde_json::from_str(&done(output)).unwrap()
}

#[test]
fn networks_of_others_begin_runs_and_are_evaluated() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    let run = path("run");
    done(&train(Path::new(&run), &[]));
    let best = fs::read(dir.path().join("run/best.safetensors")).unwrap();
    fs::write(path("theirs"), wrapped(&best)).unwrap();

    let own = json(&esgd(&["evaluate", &run, "--json"]));
    let evaluated = esgd(&["evaluate", &run, &path("theirs"), "--json"]);
    assert_eq!(json(&evaluated), own);
    let said = "`module._orig_mod.` is dropped from the names of its tensors";
    assert!(text(&evaluated.stderr).contains(said), "{}", text(&evaluated.stderr));
    let table = done(&esgd(&["evaluate", &run, "best.safetensors"]));
    let fitness = own["fitness"].as_f64().unwrap();
    assert!(table.contains(&format!("fitness: {fitness}")), "{table}");

    let args =
        ["train", "--out", &path("tuned"), "--init", &path("theirs"), "--set", "generations=1"];
    let more = ["--set", "mu=2", "--set", "lambda=1", "--set", "m=1", "--json"];
    let tuned = esgd(&[&args[..], &more].concat());
    assert!(json(&tuned)["fitness"].as_f64().unwrap() <= fitness);
    assert!(text(&tuned.stderr).contains(said), "{}", text(&tuned.stderr));

    let (mut header, tensors) = parts(&best);
    let weight = header.remove("fc1.weight").unwrap();
    header.insert("fc1.weights".into(), weight);
    fs::write(path("renamed"), file(&header, tensors)).unwrap();
    fs::write(path("pickle"), b"PK\x03\x04\0\0\x08\x08\0\0archive/data.pkl").unwrap();
    fs::create_dir(path("empty")).unwrap();
    for (name, expected) in [
        ("renamed", "no tensor `fc1.weight` of shape [128, 64]: it has `fc1.weights`"),
        ("pickle", "pickle: this is a PyTorch pickle"),
        ("empty", "empty has no networks"),
        ("absent", "cannot read"),
    ] {
        let named = path(name);
        let refused = [
            esgd(&["evaluate", &run, &named]),
            train(Path::new(&path("new")), &["--init", &named]),
        ];
        for (output, expected) in
            refused.iter().zip([expected, if name == "empty" { "folder" } else { expected }])
        {
            let message = text(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{message}");
            assert!(message.contains(expected) && message.lines().count() == 1, "{message}");
        }
    }
    assert!(!dir.path().join("new").exists(), "a refused run left a folder");
}

#[test]
fn files_for_users_say_what_they_are_and_soups_and_ensembles_are_evaluated() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run").display().to_string();
    done(&train(Path::new(&run), &[]));
    let combined = json(&esgd(&["combine", &run, "--json"]));
    let members = combined["ensemble"]["networks"].as_u64().unwrap();
    for (name, fitness) in [
        ("best.safetensors", Some(&combined["best"]["fitness"]["loss"])),
        ("soup.safetensors", Some(&combined["soup"]["fitness"]["loss"])),
        ("ensemble/1.safetensors", None),
    ] {
        let bytes = fs::read(Path::new(&run).join(name)).unwrap();
        let about = parts(&bytes).0["__metadata__"].clone();
        let said = |key: &str| about[key].as_str().unwrap_or_default().to_owned();
        assert_eq!(said("format"), "pt");
        assert_eq!(said("layers"), "fc1: linear 64 -> 128, relu, dropout; fc2: linear 128 -> 10");
        assert_eq!(said("class_names"), r#"["0","1","2","3","4","5","6","7","8","9"]"#);
        assert_eq!((&*said("input_divisor"), &*said("input_std")), ("16", "[1.0]"));
        let loss = said("fitness").parse::<f64>().ok();
        assert_eq!(loss, fitness.map(|loss| loss.as_f64().unwrap()), "{name}");
        assert_eq!(said("objective").is_empty(), fitness.is_none());
        // The header's own order is by name, and the tensors begin at a multiple of eight.
        assert!(text(&bytes[8..]).starts_with(r#"{"__metadata__":{"class_names":"#));
        assert_eq!(u64::from_le_bytes(bytes[..8].try_into().unwrap()) % 8, 0);
    }
    // Checkpoints are named by what is in them, and have none.
    for entry in fs::read_dir(Path::new(&run).join("checkpoints")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "safetensors") {
            assert!(!text(&fs::read(path).unwrap()).contains("class_names"));
        }
    }
    let soup = json(&esgd(&["evaluate", &run, "soup.safetensors", "--json"]));
    assert_eq!(soup["fitness"], combined["soup"]["fitness"]["loss"]);
    let ensemble = json(&esgd(&["evaluate", &run, "ensemble", "--json"]));
    assert_eq!(ensemble["networks"], members);
    assert_eq!(ensemble["fitness"], combined["ensemble"]["fitness"]["loss"]);
    assert_eq!(ensemble["test"], combined["ensemble"]["test"]);
    let files: Vec<String> = (1..=members).map(|n| format!("ensemble/{n}.safetensors")).collect();
    let mut args = vec!["evaluate", &run, "--json"];
    args.extend(files.iter().map(String::as_str));
    assert_eq!(json(&esgd(&args)), ensemble);
    let twice = done(&esgd(&["evaluate", &run, "soup.safetensors", "best.safetensors"]));
    assert!(twice.contains("fitness of 2 networks together: "), "{twice}");
}
