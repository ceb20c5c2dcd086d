//! `cargo xtask figures`: the comparisons of docs/benchmarks/methods.md and the figures in `docs`, made anew.

use std::fs;
use std::path::Path;

use crate::failure::Failure;
use crate::hardware;
use crate::process::{cargo, root, show};

/// A comparison: its name, where its data are in the folder of data sets, what `esgd compare` is told.
const COMPARISONS: [(&str, Option<&str>, &[&str]); 3] = [
    ("digits", None, &["--seeds", "10"]),
    (
        "fashion-mnist",
        Some("fashion-mnist"),
        &[
            "--preset=fashion-mnist",
            "--set=network.kind=mlp",
            "--set=network.hidden=[128]",
            "--set=data.train=20000",
            "--budget=136",
            "--seeds=5",
        ],
    ),
    (
        "cifar10",
        Some("cifar-10-batches-bin"),
        &["--preset=cifar10-small", "--budget=110", "--seeds=3"],
    ),
];

pub(crate) fn run(args: &[String]) -> Result<(), Failure> {
    let data = match args {
        [] => None,
        [dir] => Some(Path::new(dir)),
        _ => {
            return Err(Failure::Usage(format!(
                "`cargo xtask figures` got {} arguments, expected at most one: a folder with data sets",
                args.len()
            )));
        }
    };
    println!("```text\n{}\n```", hardware::describe());
    // Runs are kept by what they were told, not by the code that made them.
    let out = root().join("target/figures").join(hardware::commit());
    let esgd = |args: &[&str]| {
        let mut command = cargo(&["run", "--release", "-q", "-p", "esgd-cli", "--"]);
        // Paths are relative to where the caller stands.
        show(command.args(args).current_dir("."))
    };
    let run = out.join("digits-run");
    remove(&run)?;
    // Of the default's seed the best is of the start, without a lineage to show.
    esgd(&["train", "--quiet", "--seed", "3", "--out", &run.display().to_string()])?;
    esgd(&["report", "--quiet", &run.display().to_string()])?;
    for figure in ["fitness", "offspring", "lineage"] {
        copy(&run.join(format!("figures/{figure}.svg")), &format!("digits-{figure}.svg"))?;
    }
    for (name, folder, told) in COMPARISONS {
        let to = out.join(name);
        let shown = to.display().to_string();
        let mut args = vec!["compare", "--out", &shown];
        args.extend(told);
        let data = match (folder, data) {
            (None, _) => None,
            (Some(folder), Some(data)) if data.join(folder).is_dir() => Some(data.join(folder)),
            (Some(folder), _) => {
                eprintln!("xtask: {name} is left out: name a folder that has {folder} in it");
                continue;
            }
        };
        let data = data.map(|dir| dir.display().to_string());
        args.extend(data.iter().flat_map(|dir| ["--data", dir.as_str()]));
        esgd(&args)?;
        copy(&to.join("figures/differences.svg"), &format!("{name}-differences.svg"))?;
        copy(&to.join("figures/methods.svg"), &format!("{name}-methods.svg"))?;
        println!("\n{}", to.join("table.md").display());
    }
    Ok(())
}

fn remove(dir: &Path) -> Result<(), Failure> {
    match fs::remove_dir_all(dir) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(Failure::Failed(format!("cannot remove {}: {e}", dir.display())))
        }
        _ => Ok(()),
    }
}

fn copy(from: &Path, name: &str) -> Result<(), Failure> {
    let to = root().join("docs").join(name);
    let copied = fs::copy(from, &to);
    copied.map(drop).map_err(|e| Failure::Failed(format!("cannot write {}: {e}", to.display())))
}
