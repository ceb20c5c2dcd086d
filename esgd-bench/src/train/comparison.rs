//! Each network, all contestants: two models side by side, one thread each.

use super::networks::batch;
use crate::{
    Result,
    contest::{
        contestant::Contestant,
        rounds::{Entry, Extremes, Seconds, alternate, median, paired_ratio},
        table::{Table, significant},
    },
};

const OURS: usize = 0;
const TORCH: usize = 1;

/// What is trained, and PyTorch's ways of doing so.
const TRAINING: [(&str, &[&str]); 5] = [
    ("mlp-64", &["", ":compiled"]),
    ("mlp-784", &["", ":compiled"]),
    ("bn50", &["", ":compiled"]),
    ("convnet", &["", ":channels-last", ":compiled", ":channels-last:compiled"]),
    ("resnet20", &["", ":channels-last", ":compiled", ":channels-last:compiled"]),
];

/// Models side by side: one for each core of the machine that the figures are for.
const MODELS: usize = 2;

/// Measures and prints the tables. `only` is the network to measure; none is all.
///
/// # Errors
/// If this program cannot be started as a contestant.
pub fn print(rounds: usize, only: Option<&str>) -> Result<()> {
    let mut contestants = [Contestant::ours(None)?, Contestant::peer("training_torch.py")];
    for (what, forward) in [("Training", ""), ("Forward pass alone", ":forward")] {
        let columns = ["", "samples/s", "slowest–fastest round", "ours / this"];
        let mut table = Table::new(&columns);
        for (name, ways) in TRAINING {
            if only.is_some_and(|only| only != name) || (!forward.is_empty() && name != "resnet20")
            {
                continue;
            }
            eprintln!("{what}, {name}");
            let entries = entries(name, forward, ways, &contestants);
            let seconds = alternate(&mut contestants, &entries, rounds);
            add(&mut table, name, &entries, &seconds);
        }
        table.print(&format!("{what}, {MODELS} models side by side, {rounds} rounds:"));
    }
    Ok(())
}

fn entries(name: &str, forward: &str, ways: &[&str], contestants: &[Contestant]) -> Vec<Entry> {
    let torch = contestants[TORCH].name().unwrap_or("PyTorch").to_string();
    let ours = |way: &str| format!("{name}{forward}{way}");
    let mut entries = vec![
        Entry::new(&format!("{name}, esgd"), OURS, &ours(""), MODELS),
        Entry::new(&format!("{name}, candle's layers"), OURS, &ours(":candle"), MODELS),
    ];
    for way in ways {
        let label = format!("{name}, {torch}{}", way.replace(':', ", "));
        entries.push(Entry::new(&label, TORCH, &ours(way), MODELS));
    }
    entries
}

fn add(table: &mut Table, name: &str, entries: &[Entry], seconds: &[Seconds]) {
    let samples = (MODELS * batch(name).unwrap_or(1)) as f64;
    let ours = seconds.first().and_then(|seconds| seconds.as_ref().ok());
    for (entry, seconds) in entries.iter().zip(seconds) {
        match seconds {
            Ok(seconds) => {
                let Extremes { low, high } = Extremes::of(seconds);
                let ratio = ours.map_or(f64::NAN, |ours| paired_ratio(seconds, ours));
                table.row(&[
                    entry.label.clone(),
                    significant(samples / median(seconds)),
                    format!("{} – {}", significant(samples / high), significant(samples / low)),
                    format!("{}×", significant(ratio)),
                ]);
            }
            Err(why) => table.skipped(&entry.label, why, 4),
        }
    }
}
