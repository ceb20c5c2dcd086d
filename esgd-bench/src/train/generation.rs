//! A whole generation next to the same in PyTorch, and how its time and memory grow.

use super::whole_generation::{FITNESS, TRAIN};
use crate::{
    Result,
    contest::{
        contestant::Contestant,
        rounds::{Entry, Extremes, alternate, median, paired_ratio},
        table::{Table, significant, time},
    },
};

/// Workers: one for each core of the machine that the figures are for.
const THREADS: usize = 2;

const COMPARED: &str = "generation:resnet20:8:32";

/// Networks, μ and λ, one of which grows at a time.
const GROWTH: [(&str, usize, usize); 9] = [
    ("resnet20", 4, 16),
    ("resnet20", 8, 16),
    ("resnet20", 16, 16),
    ("resnet20", 8, 8),
    ("resnet20", 8, 64),
    ("mlp-784", 8, 32),
    ("convnet", 8, 32),
    ("bn50", 8, 32),
    ("resnet56", 8, 32),
];

/// Measures and prints both tables.
///
/// # Errors
/// If this program cannot be started as a contestant.
pub fn print(rounds: usize) -> Result<()> {
    compare(rounds)?;
    grow()
}

fn compare(rounds: usize) -> Result<()> {
    // Each in a process of its own, as each has its own peak.
    let peer = || Contestant::peer("generation_torch.py");
    let mut contestants = [Contestant::ours(None)?, peer(), peer(), peer(), peer(), peer()];
    let forms = [
        ("esgd", ""),
        ("PyTorch, one network after another on all threads", ""),
        ("PyTorch, the same, channels-last", ":channels-last"),
        ("PyTorch, a network a thread", ":threads"),
        ("PyTorch, the same, channels-last", ":threads:channels-last"),
        ("PyTorch, a network a process, channels-last", ":processes:channels-last"),
    ];
    let entry = |(who, (label, options)): (usize, &(&str, &str))| {
        Entry::new(label, who, &format!("{COMPARED}{options}"), THREADS)
    };
    let entries: Vec<Entry> = forms.iter().enumerate().map(entry).collect();
    eprintln!("a generation");
    let seconds = alternate(&mut contestants, &entries, rounds);
    let columns = ["", "time", "fastest–slowest round", "time / ours", "peak memory"];
    let mut table = Table::new(&columns);
    let ours = seconds[0].as_ref().ok().cloned();
    for (i, (entry, seconds)) in entries.iter().zip(&seconds).enumerate() {
        match seconds {
            Ok(seconds) => {
                let Extremes { low, high } = Extremes::of(seconds);
                let ratio = ours.as_ref().map_or(f64::NAN, |ours| paired_ratio(seconds, ours));
                table.row(&[
                    entry.label.clone(),
                    time(median(seconds)),
                    format!("{} – {}", time(low), time(high)),
                    format!("{}×", significant(ratio)),
                    peak(&mut contestants[i]),
                ]);
            }
            Err(why) => table.skipped(&entry.label, why, columns.len()),
        }
    }
    table.print(&format!(
        "A generation of ResNet-20 on images of CIFAR-10's size, μ = 8, λ = 32, {TRAIN} training \
         and {FITNESS} fitness samples, {THREADS} threads, {rounds} rounds:"
    ));
    Ok(())
}

fn grow() -> Result<()> {
    let mut table = Table::new(&["network", "μ", "λ", "time", "peak memory"]);
    for (network, mu, lambda) in GROWTH {
        eprintln!("growth: {network}, μ = {mu}, λ = {lambda}");
        let mut ours = Contestant::ours(None)?;
        let form = format!("generation:{network}:{mu}:{lambda}");
        let mut seconds = vec![];
        for _ in 0..3 {
            seconds.push(ours.run(&form, THREADS, 1)?);
        }
        table.row(&[
            network.into(),
            mu.to_string(),
            lambda.to_string(),
            time(median(&seconds)),
            peak(&mut ours),
        ]);
    }
    table.print(&format!(
        "How a generation grows, {TRAIN} training and {FITNESS} fitness samples, {THREADS} threads, \
         medians of 3:"
    ));
    Ok(())
}

fn peak(contestant: &mut Contestant) -> String {
    match contestant.run("peak-memory", 1, 1) {
        Ok(bytes) => format!("{} MB", significant(bytes / 1e6)),
        Err(why) => why,
    }
}
