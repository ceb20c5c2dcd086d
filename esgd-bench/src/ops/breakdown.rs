//! Where the time goes, on one thread: the parts of making offspring, each alone.

use std::{hint::black_box, time::Instant};

use super::{options::Options, shape::Shape};
use crate::{
    Result,
    contest::{
        contestant::Contestant,
        rounds::{Entry, alternate, median},
        table::{Table, count, significant},
    },
};

const PARTS: [(&str, &str); 6] = [
    ("uniforms", "Philox alone (uniform numbers into 16 KiB)"),
    ("normals", "noise alone (normal numbers into 16 KiB)"),
    ("recombination", "recombination alone (σ = 0)"),
    ("cached-offspring", "offspring of 16 KiB, in the cache"),
    ("offspring", "offspring"),
    ("copy-parents", "memory copy, from the parents in turn"),
];

/// Measures and prints the table.
///
/// # Errors
/// If this program cannot be started as a contestant.
pub fn print(options: &Options) -> Result<()> {
    eprintln!("breakdown");
    let parameters = if options.quick { 1 << 16 } else { 1 << 22 };
    let shape = Shape { parents: 16, offspring: 64, rho: 2, lengths: vec![parameters] };
    let mut ours = Contestant::ours(None)?;
    ours.shape(&shape);
    let entries = PARTS.map(|(form, what)| Entry::new(what, 0, form, 1));
    let seconds = alternate(std::slice::from_mut(&mut ours), &entries, options.rounds);
    let hertz = clock();
    let mut columns = vec!["part", "ns a parameter"];
    if hertz.is_some() {
        columns.push("cycles a parameter");
    }
    let mut table = Table::new(&columns);
    for (entry, seconds) in entries.iter().zip(&seconds) {
        match seconds {
            Ok(seconds) => {
                let each = median(seconds) / shape.made();
                let mut row = vec![entry.label.clone(), significant(each * 1e9)];
                row.extend(hertz.map(|hertz| significant(each * hertz)));
                table.row(&row);
            }
            Err(why) => table.skipped(&entry.label, why, columns.len()),
        }
    }
    let clock = hertz.map_or_else(String::new, |hertz| {
        format!(", clock about {} GHz by a chain of multiplications", significant(hertz / 1e9))
    });
    table.print(&format!(
        "Where the time goes, {}, 1 thread, λ = 64 offspring of {} parameters, ρ = 2, σ = 0.01, {} \
         rounds{clock}:",
        ours.name().unwrap_or("?"),
        count(parameters),
        options.rounds
    ));
    Ok(())
}

/// The clock's frequency, from a chain of multiplications that each wait for the last: three
/// cycles on x86-64 processors since 2008 and AMD's since Zen. Elsewhere it is not known.
fn clock() -> Option<f64> {
    const STEPS: u32 = 20_000_000;
    const CYCLES: f64 = 3.0;
    let seconds = |_| {
        let mut x = black_box(3_u64);
        let start = Instant::now();
        for _ in 0..STEPS {
            x = x.wrapping_mul(x);
        }
        black_box(x);
        start.elapsed().as_secs_f64()
    };
    let fastest = (0..10).map(seconds).fold(f64::INFINITY, f64::min);
    cfg!(target_arch = "x86_64").then(|| CYCLES * f64::from(STEPS) / fastest)
}
