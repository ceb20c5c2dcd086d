//! One size, all contestants: on all cores and on one, then each set of vector instructions.

use esgd_ops::Isa;

use super::{
    options::Options,
    shape::{Shape, resnet18},
    threads::thread_counts,
    torch_forms::{self, Fastest},
};
use crate::{
    Result,
    contest::{
        contestant::Contestant,
        rounds::{Entry, Extremes, Seconds, alternate, median, paired_ratio},
        table::{Table, count, significant, time},
    },
};

const OURS: usize = 0;
const TORCH: usize = 1;
const NUMPY: usize = 2;

/// Measures and prints the tables.
///
/// # Errors
/// If this program cannot be started as a contestant.
pub fn print(options: &Options) -> Result<()> {
    let (parameters, width) = if options.quick { (1 << 16, 4) } else { (1 << 22, 40) };
    let one = |lengths| Shape { parents: 16, offspring: 64, rho: 2, lengths };
    let peers = [Contestant::peer("offspring_torch.py"), Contestant::peer("offspring_numpy.py")];
    let [torch, numpy] = peers;
    let mut contestants = [Contestant::ours(None)?, torch, numpy];
    for (what, lengths) in
        [("one tensor", vec![parameters]), ("the 62 tensors of a ResNet-18", resnet18(width))]
    {
        let shape = one(lengths);
        let fastest = torch_forms::print(&mut contestants[TORCH], &few(&shape), what)?;
        eprintln!("comparison, {what}");
        for contestant in &mut contestants {
            contestant.shape(&shape);
        }
        let entries = entries(&contestants, &fastest);
        let seconds = alternate(&mut contestants, &entries, options.rounds);
        for threads in thread_counts() {
            let headline = format!(
                "Offspring of {} parameters ({what}), μ = {}, λ = {}, ρ = {}, σ = 0.01, on \
                 {threads} thread{}, {} rounds:",
                count(shape.parameters()),
                shape.parents,
                shape.offspring,
                shape.rho,
                if threads == 1 { "" } else { "s" },
                options.rounds
            );
            table(&entries, &seconds, threads, shape.made()).print(&headline);
        }
    }
    drop(contestants);
    instructions(options, &few(&one(vec![parameters])))
}

/// Fewer offspring, for contestants that may be slow; speeds are per parameter.
fn few(shape: &Shape) -> Shape {
    Shape { offspring: 8, ..shape.clone() }
}

/// What is timed; ours comes first for each number of threads.
fn entries(contestants: &[Contestant], fastest: &Fastest) -> Vec<Entry> {
    let name = |i: usize, otherwise: &str| {
        contestants[i].name().map_or_else(|_| otherwise.to_string(), String::from)
    };
    let ours = format!("esgd-ops, {}", name(OURS, "?"));
    let (torch, numpy) = (name(TORCH, "PyTorch"), name(NUMPY, "NumPy"));
    let mut entries = vec![];
    for threads in thread_counts() {
        let form = fastest.form(threads);
        let mut add = |label: &str, contestant, form: &str| {
            entries.push(Entry::new(label, contestant, form, threads));
        };
        add(&ours, OURS, "offspring");
        add("memory copy, from as much memory", OURS, "copy");
        add("memory copy, from the parents in turn", OURS, "copy-parents");
        add(&format!("{torch}, in place ({form})"), TORCH, form);
        add(&format!("{torch}, as people write it"), TORCH, "plain");
        add(&format!("{numpy}, in place"), NUMPY, "in-place");
        if threads == 1 {
            // It uses one thread whatever it is offered.
            add(&format!("{numpy}, as people write it"), NUMPY, "plain");
        }
    }
    entries
}

fn table(entries: &[Entry], seconds: &[Seconds], threads: usize, made: f64) -> Table {
    let columns = ["", "time", "G parameters/s", "fastest–slowest round", "time / ours"];
    let mut table = Table::new(&columns);
    let rows = || entries.iter().zip(seconds).filter(|(entry, _)| entry.threads == threads);
    let ours = rows().next().and_then(|(_, seconds)| seconds.as_ref().ok());
    for (entry, seconds) in rows() {
        match seconds {
            Ok(seconds) => {
                let Extremes { low, high } = Extremes::of(seconds);
                let ratio = ours.map_or(f64::NAN, |ours| paired_ratio(seconds, ours));
                table.row(&[
                    entry.label.clone(),
                    time(median(seconds)),
                    significant(made / median(seconds) / 1e9),
                    format!("{} – {}", time(low), time(high)),
                    format!("{}×", significant(ratio)),
                ]);
            }
            Err(why) => table.skipped(&entry.label, why, columns.len()),
        }
    }
    table
}

/// Ours with each set of vector instructions, as a process that `ESGD_ISA` holds to it.
fn instructions(options: &Options, shape: &Shape) -> Result<()> {
    eprintln!("instruction sets");
    let names: Vec<&str> = Isa::available().into_iter().map(Isa::name).collect();
    let mut contestants = vec![];
    let mut entries = vec![];
    for (i, name) in names.iter().enumerate() {
        let mut contestant = Contestant::ours(Some(name))?;
        contestant.shape(shape);
        contestants.push(contestant);
        for threads in thread_counts() {
            entries.push(Entry::new(name, i, "offspring", threads));
        }
        entries.push(Entry::new(name, i, "normals", 1));
    }
    let seconds = alternate(&mut contestants, &entries, options.rounds);
    let counts = thread_counts();
    let mut columns = vec!["instructions".to_string()];
    let threads = |n: &usize| format!("offspring, {n} thread{}", if *n == 1 { "" } else { "s" });
    columns.extend(counts.iter().map(threads));
    columns.push("normals alone, 1 thread".into());
    let mut table = Table::new(&columns.iter().map(String::as_str).collect::<Vec<_>>());
    for (name, seconds) in names.iter().zip(seconds.chunks(counts.len() + 1)) {
        let mut row = vec![(*name).to_string()];
        row.extend(seconds.iter().map(|seconds| match seconds {
            Ok(seconds) => significant(shape.made() / median(seconds) / 1e9),
            Err(why) => format!("skipped: {why}"),
        }));
        table.row(&row);
    }
    table.print(&format!(
        "By vector instructions, G parameters/s, λ = {} offspring of {} parameters, {} rounds:",
        shape.offspring,
        count(shape.parameters()),
        options.rounds
    ));
    Ok(())
}
