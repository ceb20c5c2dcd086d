//! Rounds in which all contestants run in turn, and what is said about their seconds.

use super::contestant::Contestant;

/// Something to time: a form of a contestant, on a number of threads.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// The row's headline.
    pub(crate) label: String,
    /// Which contestant.
    pub(crate) contestant: usize,
    pub(crate) form: String,
    pub(crate) threads: usize,
}

impl Entry {
    pub(crate) fn new(label: &str, contestant: usize, form: &str, threads: usize) -> Self {
        Self { label: label.into(), contestant, form: form.into(), threads }
    }
}

/// Seconds of one run in each round, or why there are none.
pub(crate) type Seconds = Result<Vec<f64>, String>;

/// A timed run is repeated until it takes this long.
const FLOOR: f64 = 0.02;

/// From so many seconds on one run is enough to warm up.
const LONG: f64 = 5.0;

/// Runs all entries to warm up, then in `rounds` rounds, every other one in reverse order.
pub(crate) fn alternate(
    contestants: &mut [Contestant],
    entries: &[Entry],
    rounds: usize,
) -> Vec<Seconds> {
    let mut seconds: Vec<Seconds> = vec![];
    let mut repeats = vec![];
    for entry in entries {
        let mut run = |n| contestants[entry.contestant].run(&entry.form, entry.threads, n);
        // The first run of all also starts threads and touches new memory, which is little of a long one.
        let warm = run(1).and_then(|first| if first < LONG { run(1) } else { Ok(first) });
        repeats.push(warm.as_ref().map_or(1, |s| (FLOOR / s.max(1e-9)).ceil() as usize).max(1));
        seconds.push(warm.map(|_| vec![]));
    }
    for round in 0..rounds {
        eprint!("\r  round {} of {rounds} ", round + 1);
        let forwards = 0..entries.len();
        let order: Vec<usize> =
            if round % 2 == 0 { forwards.collect() } else { forwards.rev().collect() };
        for i in order {
            let (entry, n) = (&entries[i], repeats[i]);
            let Ok(measured) = &mut seconds[i] else { continue };
            match contestants[entry.contestant].run(&entry.form, entry.threads, n) {
                Ok(total) => measured.push(total / n as f64),
                Err(why) => seconds[i] = Err(why),
            }
        }
    }
    eprintln!();
    seconds
}

/// The middle one, or the mean of the two in the middle.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => sorted[half],
        _ => f64::midpoint(sorted[half - 1], sorted[half]),
    }
}

/// The least and the greatest of several numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Extremes {
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Extremes {
    /// Of no numbers `low` is +∞ and `high` −∞.
    pub(crate) fn of(values: &[f64]) -> Self {
        let none = Self { low: f64::INFINITY, high: f64::NEG_INFINITY };
        values
            .iter()
            .fold(none, |Self { low, high }, &x| Self { low: low.min(x), high: high.max(x) })
    }
}

/// The median over rounds of a's seconds over b's in the same round.
pub(crate) fn paired_ratio(a: &[f64], b: &[f64]) -> f64 {
    median(&a.iter().zip(b).map(|(a, b)| a / b).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_ratios_known_by_hand() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(&[]).is_nan());
        assert_eq!(Extremes::of(&[3.0, 1.0, 2.0]), Extremes { low: 1.0, high: 3.0 });
        // A round in which the machine was busy slows both, and leaves the ratio alone.
        assert_eq!(paired_ratio(&[2.0, 20.0, 2.0], &[1.0, 10.0, 1.0]), 2.0);
    }
}
