//! Which of PyTorch's forms in place is the fastest here: the one to compare with.

use super::{shape::Shape, threads::thread_counts};
use crate::{
    Result,
    contest::{
        contestant::Contestant,
        rounds::{Entry, alternate, median},
        table::{Table, count, significant},
    },
};

/// The forms of `peers/offspring_torch.py`, and what they do.
const FORMS: [(&str, &str); 6] = [
    ("add-noise", "sum, `mul_`, noise into a buffer, `add_`"),
    ("noise-first", "noise into the offspring, `add_` of each parent"),
    ("product", "noise into all offspring, `addmm_` with the parents"),
    ("noise-first-side-by-side", "noise first, a Python thread and a generator a core"),
    ("product-side-by-side", "product, a Python thread and a generator a core"),
    ("compiled", "`torch.compile`"),
];

/// Rounds of the choice; the forms differ by more than the machine's moods.
const ROUNDS: usize = 3;

/// The fastest form for each number of threads.
pub(super) struct Fastest(Vec<(usize, &'static str)>);

impl Fastest {
    pub(super) fn form(&self, threads: usize) -> &'static str {
        self.0.iter().find(|(n, _)| *n == threads).map_or(FORMS[0].0, |(_, form)| form)
    }
}

/// Measures the forms at `shape`, which `what` describes, prints them as a table and chooses.
pub(super) fn print(torch: &mut Contestant, shape: &Shape, what: &str) -> Result<Fastest> {
    eprintln!("PyTorch's forms, {what}");
    torch.shape(shape);
    let counts = thread_counts();
    let pairs = FORMS.iter().flat_map(|form| counts.iter().map(move |threads| (form, threads)));
    let entries: Vec<_> =
        pairs.map(|((form, does), threads)| Entry::new(does, 0, form, *threads)).collect();
    let seconds = alternate(std::slice::from_mut(torch), &entries, ROUNDS);
    let mut columns = vec!["form".to_string()];
    columns.extend(counts.iter().map(|n| format!("{n} thread{}", if *n == 1 { "" } else { "s" })));
    let mut table = Table::new(&columns.iter().map(String::as_str).collect::<Vec<_>>());
    for ((form, does), seconds) in FORMS.iter().zip(seconds.chunks(counts.len())) {
        let mut row = vec![format!("{form}: {does}")];
        row.extend(seconds.iter().map(|seconds| match seconds {
            Ok(seconds) => significant(shape.made() / median(seconds) / 1e9),
            Err(why) => format!("skipped: {why}"),
        }));
        table.row(&row);
    }
    table.print(&format!(
        "PyTorch's forms in place, G parameters/s, {} offspring of {} parameters ({what}), {ROUNDS} rounds:",
        shape.offspring,
        count(shape.parameters())
    ));
    let fastest = counts.iter().map(|&threads| {
        let own = entries.iter().zip(&seconds).filter(|(entry, _)| entry.threads == threads);
        let timed = own.filter_map(|(entry, s)| Some((entry, median(s.as_ref().ok()?))));
        let best = timed.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(entry, _)| entry.form.clone());
        let known = FORMS.iter().find(|(form, _)| best.as_deref() == Some(form));
        (threads, known.map_or(FORMS[0].0, |(form, _)| form))
    });
    Ok(Fastest(fastest.collect()))
}
