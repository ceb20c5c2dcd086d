//! One size, all contestants on the GPU, in pairs in one run: ours, a copy, PyTorch, and cuRAND with
//! cuBLAS.

use crate::{
    Result,
    contest::{
        contestant::Contestant,
        rounds::{Entry, Extremes, alternate, median, paired_ratio},
        table::{Table, count, significant, time},
    },
    ops::shape::Shape,
};

const OURS: usize = 0;
const PEER: usize = 1;

/// Forms of the peer's script, and what they are called.
const FORMS: [(&str, &str); 4] = [
    ("plain", "PyTorch, as people write it: randn + index + mean"),
    ("in-place", "PyTorch, in place"),
    ("compiled", "PyTorch, compiled"),
    ("curand-cublas", "cuRAND + cuBLAS"),
];

/// Measures and prints the table of one size.
///
/// # Errors
/// If this program cannot be started as a contestant.
pub fn print(shape: &Shape, rounds: usize) -> Result<()> {
    let mut contestants = [Contestant::ours(None)?, Contestant::peer("offspring_gpu.py")];
    for contestant in &mut contestants {
        contestant.shape(shape);
    }
    let mut entries = vec![
        Entry::new("esgd-ops", OURS, "offspring", 1),
        Entry::new("esgd-ops, without noise", OURS, "recombination", 1),
        Entry::new("copy, device to device", OURS, "copy", 1),
    ];
    let of_peer = FORMS.iter().map(|(form, label)| Entry::new(label, PEER, form, 1));
    entries.extend(of_peer);
    let seconds = alternate(&mut contestants, &entries, rounds);

    let d = 4.0 * shape.parameters() as f64;
    let (parents, children) = (shape.parents as f64, shape.offspring as f64);
    // A copy reads and writes half of the offspring's bytes.
    let bytes = |form: &str| if form == "copy" { children * d } else { (parents + children) * d };
    let columns = ["", "time", "G parameters/s", "GB/s", "fastest–slowest round", "time / ours"];
    let mut table = Table::new(&columns);
    let ours = seconds[0].as_ref().ok();
    for (entry, seconds) in entries.iter().zip(&seconds) {
        let seconds = match seconds {
            Ok(seconds) => seconds,
            Err(why) => {
                table.skipped(&entry.label, why, columns.len());
                continue;
            }
        };
        let Extremes { low, high } = Extremes::of(seconds);
        let made = if entry.form == "copy" { shape.made() / 2.0 } else { shape.made() };
        let ratio = ours.map_or(f64::NAN, |ours| paired_ratio(seconds, ours));
        table.row(&[
            entry.label.clone(),
            time(median(seconds)),
            significant(made / median(seconds) / 1e9),
            significant(bytes(&entry.form) / median(seconds) / 1e9),
            format!("{} – {}", time(low), time(high)),
            format!("{}×", significant(ratio)),
        ]);
    }
    table.print(&format!(
        "Offspring of {} parameters, μ = {}, λ = {}, ρ = {}, σ = 0.01, {rounds} rounds; GB/s counts \
         each parent read once and each offspring written once:",
        count(shape.parameters()),
        shape.parents,
        shape.offspring,
        shape.rho,
    ));
    if let (Ok(ours), Ok(copy)) = (&seconds[0], &seconds[2]) {
        let rate = bytes("offspring") / bytes("copy");
        println!(
            "Ours reaches {:.0} % of the copy's rate.\n",
            100.0 * rate * paired_ratio(copy, ours)
        );
    }
    Ok(())
}
