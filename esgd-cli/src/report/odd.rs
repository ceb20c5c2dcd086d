//! Pages of odd logs: whatever is in one, a page has no places that are no numbers, and it is small.

use esgd_core::laws::corrupted;
use proptest::prelude::*;
use resvg::usvg;
use serde_json::{Value, json};

use super::{Subject, comparison::Compared, csv, example, page_with, run::Run, small_page, texts};
use crate::{
    draw::detail::{LARGEST, LEVELS},
    run::log::{self, Log},
};

/// A run of such a log, as it is read from a folder.
fn run(log: &[u8], result: Option<Value>) -> Option<Run> {
    let Log { mut lines, cut, .. } = log::parse(log).ok()?;
    let cut = !cut.is_empty();
    texts::tidy(&mut lines);
    let samples = result.as_ref().and_then(|r| r["best"]["train"]["samples"].as_f64());
    (!lines.is_empty()).then(|| Run { name: "run".into(), lines, cut, result, samples })
}

/// The attributes of an SVG that are places, not texts.
fn places(svg: &str) -> impl Iterator<Item = &str> {
    let texts = [" data-name=", " data-values=", " aria-label=", " data-x=", " data-y="];
    svg.match_indices("=\"").filter_map(move |(at, _)| {
        let value = svg[at + 2..].split('"').next()?;
        let named = texts.iter().any(|name| svg[..=at].ends_with(name));
        (!named && !value.starts_with("http")).then_some(value)
    })
}

fn check(subject: Subject) {
    let subjects = [subject];
    for detail in [LEVELS[0], LEVELS[5]] {
        let (page, sections) = page_with(&subjects, detail);
        assert!(page.len() <= LARGEST, "{}", page.len());
        for figure in sections.iter().flat_map(|section| &section.figures) {
            for place in places(&figure.svg) {
                let odd = ["NaN", "inf", "Inf", "∞"].iter().find(|odd| place.contains(**odd));
                assert!(odd.is_none(), "{}: {place}", figure.name);
            }
            usvg::roxmltree::Document::parse(&figure.svg)
                .unwrap_or_else(|e| panic!("{e}: {}", figure.svg));
        }
    }
}

/// Numbers at their ends, as JSON has them; `null` is what diverged.
fn number() -> impl Strategy<Value = Value> {
    let ends = [0.0, -0.0, 0.5, 1e308, -1e308, f64::MAX, 5e-324, -5e-324, 1e-300, 1e300, -3.0];
    prop_oneof![
        2 => prop::sample::select(ends.to_vec()).prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        1 => Just(Value::Null),
        2 => (0.01..1.0).prop_map(Value::from),
    ]
}

fn count() -> impl Strategy<Value = usize> {
    prop_oneof![Just(0), Just(1), 0..5usize, Just(usize::MAX), Just(1 << 53)]
}

fn individual() -> impl Strategy<Value = Value> {
    let name = prop_oneof![Just("sgd".to_owned()), Just("adam".into()), any::<String>()];
    let hyper = (name, number()).prop_map(|(kind, lr)| match lr {
        Value::Null => Value::Null,
        lr => json!({ "kind": kind, "values": { "lr": lr } }),
    });
    let id = || (count(), 0..3usize).prop_map(|(k, i)| format!("g{k}.1#{i}"));
    (id(), prop::collection::vec(id(), 0..3), number(), hyper).prop_map(
        |(id, parents, fitness, hyper)| json!({ "id": id, "parents": parents, "fitness": fitness, "hyper": hyper }),
    )
}

/// A strategy's numbers, which are never none.
fn remembered() -> impl Strategy<Value = Value> {
    let name = prop_oneof![2 => "[a-c]", 1 => any::<String>()];
    let list = prop::collection::vec(number(), 0..20);
    prop::collection::btree_map(name, list, 0..4).prop_map(|all| {
        let all = all.into_iter().map(|(name, mut list)| {
            list.retain(|value| !value.is_null());
            (name, Value::from(list))
        });
        all.collect::<serde_json::Map<_, _>>().into()
    })
}

fn line() -> impl Strategy<Value = Value> {
    let individuals = prop::collection::vec(individual(), 0..5);
    let numbers = (number(), number(), number(), prop::collection::vec(number(), 0..4));
    (individuals, numbers, [count(), count(), count(), count(), count()], remembered()).prop_map(
        |(
            individuals,
            (best, mean, diversity, elite),
            [m, born, epochs, back, offspring],
            remembered,
        )| {
            json!({
                "best": best, "elite_mean": mean, "elite": elite, "elite_offspring": born, "m": m,
                "individuals": individuals, "diversity": diversity, "numbers": remembered,
                "effort": { "epochs": epochs, "backed_off": back, "offspring": offspring },
            })
        },
    )
}

/// A log that goes forward, with anything else in its lines.
fn odd_log() -> impl Strategy<Value = String> {
    let last = prop_oneof![
        Just(("generation", usize::MAX - 1)),
        Just(("fine-tune", usize::MAX)),
        Just(("generation", 50))
    ];
    (prop::collection::vec(line(), 1..8), last, prop_oneof![Just(1e308), Just(2.0)]).prop_map(
        |(mut lines, (phase, generation), seconds)| {
            let n = lines.len();
            for (k, line) in lines.iter_mut().enumerate() {
                let is_last = k + 1 == n;
                line["phase"] = if is_last && k > 0 { phase } else { "generation" }.into();
                line["generation"] = if is_last { generation } else { k }.into();
                line["seconds"] = if is_last { seconds } else { k as f64 * 1e-9 }.into();
            }
            lines.iter().map(|line| format!("{line}\n")).collect()
        },
    )
}

fn result() -> impl Strategy<Value = Option<Value>> {
    let scores = || {
        let samples = prop_oneof![number(), Just(json!(u64::MAX))];
        (number(), number(), samples).prop_map(
            |(loss, error, samples)| json!({ "loss": loss, "error": error, "samples": samples }),
        )
    };
    let elite = (prop_oneof![Just(json!(u64::MAX)), Just(json!(3))], number(), number());
    let whole = (scores(), scores(), elite, number()).prop_map(|(train, test, (n, low, high), fitness)| {
        let part = json!({ "individuals": n, "lr": [low, high] });
        json!({
            "fitness": fitness, "best": { "id": "g0.1#0", "recipe": "sgd", "train": train, "test": test },
            "elite": { "sgd": part, "adam": part },
        })
    });
    prop::option::of(whole)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 64 } else { 256 }))]

    #[test]
    fn odd_numbers_have_no_place_on_a_page(log in odd_log(), result in result()) {
        let run = run(log.as_bytes(), result).expect("the log goes forward");
        let csv = csv::of(&run.lines);
        prop_assert!(!csv.contains("NaN") && !csv.contains("inf,"), "{}", csv);
        check(Subject::Run(run));
    }

    #[test]
    fn no_damage_to_a_log_has_a_place_on_a_page(bytes in {
        let line = |k| example::line(k, k as f64, &format!("[{}]", [
            example::individual(&format!("g{k}.1#0"), &["g0.1#0"], 0.5, Some("sgd")),
            example::individual(&format!("g{k}.1#1"), &[], 0.7, Some("adam")),
        ].join(",")));
        corrupted((0..4).map(line).collect::<String>().as_bytes())
    }) {
        if let Some(run) = run(&bytes, None) {
            check(Subject::Run(run));
        }
    }

    #[test]
    fn odd_comparisons_have_no_place_on_a_page(
        rows in prop::collection::vec((prop::collection::vec(number(), 0..3), any::<f64>(), any::<f64>(), count()), 1..6),
        text in any::<String>(),
        sizes in [count(), count(), count(), count()],
    ) {
        let methods = ["esgd", "pbt", "swa", "long", "tuned", "single"];
        let row = |(method, (fitness, a, b, n)): (&str, &(Vec<Value>, f64, f64, usize))| {
            let [a, b] = [a, b].map(|v| if v.is_finite() { *v } else { 1e308 });
            json!({
                "method": method, "part": "best", "title": text, "apart": false, "fitness": fitness,
                "test_loss": fitness, "test_error": [a], "networks": a, "members": b, "top": null,
                "spent": { "gradient_samples": n, "evaluation_samples": n }, "share": a, "flops": b,
                "seconds": a, "each": [],
                "against": { "loss": { "interval": { "mean": a, "half": b }, "p": b, "lower": n, "higher": n }, "error": null },
            })
        };
        let [macs, train, fitness, budget] = sizes;
        let comparison = json!({
            "network": text, "macs": macs, "data": text, "train": train, "fitness": fitness, "test": 0,
            "budget": budget, "seeds": [1], "rows": methods.into_iter().zip(&rows).map(row).collect::<Vec<_>>(),
            "verdict": [text], "runs": [],
        });
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("comparison.json"), comparison.to_string()).unwrap();
        check(Subject::Comparison(Box::new(Compared::read(dir.path()).unwrap())));
    }
}

/// A hundred thousand generations, ten thousand individuals, a megabyte in each name.
#[test]
fn long_and_wide_logs_make_small_pages() {
    let long: String = (0..100_000)
        .map(|k| {
            let one =
                example::individual(&format!("g{k}.1#0"), &[], 1.0 / (k + 1) as f64, Some("sgd"));
            example::line(k, k as f64, &format!("[{one}]"))
        })
        .collect();
    let wide: String = (0..3)
        .map(|k| {
            let of = |i| example::individual(&format!("g0.0#{i}"), &[], f64::from(i), Some("sgd"));
            let all: Vec<String> = (0..10_000).map(of).collect();
            example::line(k, k as f64, &format!("[{}]", all.join(",")))
        })
        .collect();
    let names: String = (0..20)
        .map(|k| {
            let kind = format!("{k}").repeat(1 << 20);
            let one = example::individual(&format!("g{k}.1#0"), &[], 0.5, Some(&kind));
            example::line(k, k as f64, &format!("[{one}]"))
        })
        .collect();
    // As many numbers as a strategy may report, under names as long.
    let remembered: String = (0..60)
        .map(|k| {
            let lists = (0..100).map(|i| (format!("{i}").repeat(1000), vec![f64::from(k); 16]));
            let mut line: Value =
                serde_json::from_str(&example::line(k as usize, 0.0, "[]")).unwrap();
            line["numbers"] = json!(lists.collect::<esgd_core::Numbers>());
            format!("{line}\n")
        })
        .collect();
    for log in [long, wide, names, remembered] {
        let subjects = [Subject::Run(run(log.as_bytes(), None).unwrap())];
        let (page, _) = small_page(&subjects);
        assert!(page.len() < LARGEST, "{}", page.len());
    }
}
