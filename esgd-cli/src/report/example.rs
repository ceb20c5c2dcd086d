//! Logs for tests.

use super::run::Run;
use crate::run::log;

/// A line of a log with these individuals, which are a list in JSON.
pub(super) fn line(generation: usize, seconds: f64, individuals: &str) -> String {
    let phase = if generation == 0 { "start" } else { "generation" };
    format!(
        "{{\"seconds\":{seconds},\"phase\":\"{phase}\",\"generation\":{generation},\"best\":0.5,\"elite_mean\":0.5,\"elite\":[0.5,0.5],\"elite_offspring\":0,\"m\":2,\"individuals\":{individuals},\"effort\":{{\"epochs\":{generation},\"backed_off\":0,\"offspring\":{generation}}}}}\n"
    )
}

/// An individual as a line has it; without an optimizer it is not trained.
pub(super) fn individual(
    id: &str,
    parents: &[&str],
    fitness: f64,
    optimizer: Option<&str>,
) -> String {
    let parents = parents.iter().map(|p| format!("{p:?}")).collect::<Vec<_>>().join(",");
    let hyper = optimizer.map_or("null".into(), |kind| {
        format!("{{\"kind\":\"{kind}\",\"values\":{{\"lr\":0.01}}}}")
    });
    format!("{{\"id\":\"{id}\",\"parents\":[{parents}],\"fitness\":{fitness},\"hyper\":{hyper}}}")
}

/// A run that is not complete, with one line a list of individuals.
pub(super) fn run(lines: &[&[String]]) -> Run {
    let of = |(k, all): (usize, &&[String])| line(k, k as f64, &format!("[{}]", all.join(",")));
    let text: String = lines.iter().enumerate().map(of).collect();
    let lines = log::parse(text.as_bytes()).unwrap().lines;
    Run { name: "run".into(), lines, cut: false, result: None, samples: None }
}
