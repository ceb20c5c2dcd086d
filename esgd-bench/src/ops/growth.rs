//! How the time of one offspring parameter grows with d, ρ and λ.

use super::{options::Options, shape::Shape, threads::thread_counts};
use crate::{
    Result,
    contest::{
        contestant::Contestant,
        rounds::{Entry, Seconds, alternate, median},
        table::{Table, count, significant},
    },
};

/// Time against one of the sizes.
pub struct Panel {
    /// What grows.
    pub axis: &'static str,
    /// What stays as it is.
    pub fixed: String,
    /// Its values, each with the ns a parameter of each of [`SERIES`] that could be measured.
    pub points: Vec<(usize, Vec<Option<f64>>)>,
}

/// The columns of the tables and the lines of the drawing.
pub const SERIES: [&str; 5] = [
    "esgd-ops, 1 thread",
    "esgd-ops, all cores",
    "memory copy, all cores",
    "PyTorch in place, all cores",
    "PyTorch as written, all cores",
];

/// The forms of PyTorch that are the fastest at some size; the fastest at each counts.
const IN_PLACE: [&str; 4] =
    ["noise-first", "product", "noise-first-side-by-side", "product-side-by-side"];

/// Measures, prints a table for each size that grows, and returns what to draw.
///
/// # Errors
/// If this program cannot be started as a contestant, or memory is short.
pub fn print(options: &Options) -> Result<Vec<Panel>> {
    let mut contestants = [Contestant::ours(None)?, Contestant::peer("offspring_torch.py")];
    let mut panels = vec![];
    for (axis, fixed, shapes) in sweeps(options.quick) {
        let mut points = vec![];
        for (x, shape) in shapes {
            eprintln!("growth, {axis} = {}", count(x));
            for contestant in &mut contestants {
                contestant.shape(&shape);
            }
            let entries = entries();
            let seconds = alternate(&mut contestants, &entries, options.rounds);
            points.push((x, nanoseconds(&seconds, shape.made())));
        }
        let panel = Panel { axis, fixed, points };
        print_panel(&panel, options.rounds);
        panels.push(panel);
    }
    Ok(panels)
}

/// What grows, what is fixed, and the shapes.
#[allow(clippy::type_complexity)]
fn sweeps(quick: bool) -> Vec<(&'static str, String, Vec<(usize, Shape)>)> {
    let d = if quick { 10_000 } else { 1_000_000 };
    let shape = |parents, offspring, rho, d| Shape { parents, offspring, rho, lengths: vec![d] };
    // The largest networks get fewer individuals, to stay below 8 GB with PyTorch's copy.
    let by_d = |d: usize| match d {
        100_000_000.. => shape(2, 4, 2, d),
        10_000_000.. => shape(4, 8, 2, d),
        _ => shape(16, 64, 2, d),
    };
    let most = if quick { 6 } else { 9 };
    let d_values: Vec<usize> = (3..most).map(|power| 10_usize.pow(power)).collect();
    let fixed = if quick {
        "μ = 16, λ = 64, ρ = 2"
    } else {
        "μ = 16, λ = 64, ρ = 2; at 10 M μ = 4, λ = 8; at 100 M μ = 2, λ = 4"
    };
    vec![
        ("d", fixed.into(), d_values.into_iter().map(|d| (d, by_d(d))).collect()),
        (
            "ρ",
            format!("d = {}, μ = 16, λ = 64", count(d)),
            [1, 2, 3, 4, 8, 16].map(|rho| (rho, shape(16, 64, rho, d))).to_vec(),
        ),
        (
            "λ",
            format!("d = {}, μ = 16, ρ = 2", count(d)),
            [1, 4, 16, 64, 256].map(|lambda| (lambda, shape(16, lambda, 2, d))).to_vec(),
        ),
    ]
}

/// In the order of [`SERIES`], PyTorch's forms in place last.
fn entries() -> Vec<Entry> {
    let all = thread_counts()[0];
    let mut entries = vec![
        Entry::new(SERIES[0], 0, "offspring", 1),
        Entry::new(SERIES[1], 0, "offspring", all),
        Entry::new(SERIES[2], 0, "copy-parents", all),
        Entry::new(SERIES[4], 1, "plain", all),
    ];
    entries.extend(IN_PLACE.map(|form| Entry::new(SERIES[3], 1, form, all)));
    entries
}

fn nanoseconds(seconds: &[Seconds], made: f64) -> Vec<Option<f64>> {
    let each = |seconds: &Seconds| Some(median(seconds.as_ref().ok()?) * 1e9 / made);
    let in_place = seconds[4..].iter().filter_map(each).min_by(f64::total_cmp);
    let [ours, all, copy, plain] = [0, 1, 2, 3].map(|i| each(&seconds[i]));
    vec![ours, all, copy, in_place, plain]
}

fn print_panel(panel: &Panel, rounds: usize) {
    let mut columns = vec![panel.axis];
    columns.extend(SERIES);
    let mut table = Table::new(&columns);
    for (x, values) in &panel.points {
        let mut row = vec![count(*x)];
        row.extend(values.iter().map(|value| value.map_or("skipped".into(), significant)));
        table.row(&row);
    }
    table.print(&format!(
        "ns a parameter as {} grows ({}; median of {rounds} rounds):",
        panel.axis, panel.fixed
    ));
}
