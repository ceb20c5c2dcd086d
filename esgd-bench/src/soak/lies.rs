//! Data, results and logs that are not what they say: each must be named, and what has only moved must be
//! found again.

use std::{fs, path::Path};

use serde_json::Value;

use super::{
    chance::Chance,
    program::{Program, failed_in_order, succeed},
};
use crate::Result;

const IMAGES: u32 = 60;
const PIXELS: u32 = 16;

/// Changes the data, the result or the log of a run in `n` ways.
///
/// # Errors
/// If a change is not noticed, or noticed where there is none.
pub fn soak(program: &Program, n: usize) -> Result<String> {
    let dir = tempfile::tempdir()?;
    let (data, run) = (dir.path().join("data-0"), dir.path().join("run"));
    write_data(&data)?;
    let mut train = program.train(
        &run,
        &["data.train=0", "data.validation=20", "fine_tune.epochs=0", "generations=3"],
    );
    succeed({
        train.arg("--data").arg(&data);
        train
    })?;
    let result = fs::read_to_string(run.join("run.json"))?;
    let log = fs::read(run.join("metrics.jsonl"))?;
    let (mut named, mut moved) = ([0, 0, 0], 0);
    let mut at = data;
    for trial in 0..n {
        let mut chance = Chance::new(9, trial);
        let told = |what: &str| format!("trial {trial}: {what}");
        match chance.below(4) {
            0 => {
                let to = dir.path().join(format!("data-{}", trial + 1));
                fs::rename(&at, &to)?;
                at = to;
                verify(program, &run, &at, true).map_err(|e| told(&format!("moved data: {e}")))?;
                moved += 1;
            }
            1 => {
                let file = FILES[chance.below(FILES.len())];
                let path = at.join(file);
                let whole = fs::read(&path)?;
                let mut lies = whole.clone();
                let header = if file.contains("images") { 16 } else { 8 };
                let place = header + chance.below(lies.len() - header);
                lies[place] = if header == 8 { (lies[place] + 1) % 3 } else { !lies[place] };
                fs::write(&path, lies)?;
                let said =
                    verify(program, &run, &at, false).map_err(|e| told(&format!("{file}: {e}")))?;
                if !said.contains(file) {
                    return Err(told(&format!("{file} is not named: {said}")).into());
                }
                fs::write(&path, whole)?;
                named[0] += 1;
            }
            2 => {
                let mut lies: Value = serde_json::from_str(&result)?;
                let changed = change(&mut lies, &mut chance);
                fs::write(run.join("run.json"), serde_json::to_string_pretty(&lies)? + "\n")?;
                verify(program, &run, &at, false)
                    .map_err(|e| told(&format!("run.json {changed}: {e}")))?;
                fs::write(run.join("run.json"), &result)?;
                named[1] += 1;
            }
            _ => {
                let mut lies = log.clone();
                let place = chance.below(lies.len());
                lies[place] ^= 1 << chance.below(8);
                fs::write(run.join("metrics.jsonl"), lies)?;
                verify(program, &run, &at, false)
                    .map_err(|e| told(&format!("the log at {place}: {e}")))?;
                fs::write(run.join("metrics.jsonl"), &log)?;
                named[2] += 1;
            }
        }
    }
    verify(program, &run, &at, true)?;
    let [data, results, logs] = named;
    Ok(format!(
        "{data} changes of data, {results} of results and {logs} of logs: each was named; data moved {moved} times: found"
    ))
}

const FILES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

/// Whether `esgd verify` finds a folder as a run left it, which it is or is not; gives what it says.
fn verify(program: &Program, run: &Path, data: &Path, sound: bool) -> Result<String> {
    let output = std::process::Command::new(&program.0)
        .arg("verify")
        .arg(run)
        .arg("--data")
        .arg(data)
        .output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() != sound {
        return Err(format!("verify ends with {}: {said}", output.status).into());
    }
    if !sound {
        failed_in_order(&output)?;
    }
    Ok(said)
}

/// Changes one value of a document; gives its path.
fn change(value: &mut Value, chance: &mut Chance) -> String {
    match value {
        Value::Array(list) if !list.is_empty() => {
            let i = chance.below(list.len());
            format!("/{i}{}", change(&mut list[i], chance))
        }
        Value::Object(table) if !table.is_empty() => {
            let key = table.keys().nth(chance.below(table.len())).cloned().unwrap_or_default();
            let below = table.get_mut(&key).map_or_else(String::new, |value| change(value, chance));
            format!("/{key}{below}")
        }
        other => {
            *other = match &*other {
                Value::Number(n) => n.as_f64().map_or(Value::Null, |n| (n * 0.5 + 1.25).into()),
                Value::String(text) => format!("{text}x").into(),
                Value::Bool(is) => (!*is).into(),
                _ => 1.into(),
            };
            String::new()
        }
    }
}

/// A folder of small images in the official form.
fn write_data(dir: &Path) -> Result<()> {
    fs::create_dir(dir)?;
    for (part, n) in [("train", IMAGES), ("t10k", IMAGES / 2)] {
        let images: Vec<u8> = (0..n * PIXELS).map(|i| (i * 37 % 251) as u8).collect();
        let labels: Vec<u8> = (0..n).map(|i| (i % 3) as u8).collect();
        fs::write(dir.join(format!("{part}-images-idx3-ubyte")), idx(&[n, 4, 4], &images))?;
        fs::write(dir.join(format!("{part}-labels-idx1-ubyte")), idx(&[n], &labels))?;
    }
    Ok(())
}

fn idx(dims: &[u32], body: &[u8]) -> Vec<u8> {
    let mut bytes = (0x0800 + dims.len() as u32).to_be_bytes().to_vec();
    dims.iter().for_each(|d| bytes.extend(d.to_be_bytes()));
    bytes.extend(body);
    bytes
}
