//! Every setting there is, given values that are none for it: a sentence in plain words, or a config that
//! survives a file.

use std::fs;

use super::*;

/// As somebody may write them after `KEY=`.
const ODD: [&str; 36] = [
    "-0.0",
    "0",
    "0.0",
    "1",
    "-1",
    "2.5",
    "1e3",
    "1e300",
    "-1e300",
    "1e400",
    "-1e400",
    "5e-324",
    "nan",
    "inf",
    "-inf",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "-9223372036854775808",
    "4294967296",
    "16777216",
    "true",
    "false",
    "''",
    "word",
    "cosine",
    "step",
    "1/k",
    "[]",
    "[0.1]",
    "[[[1]]]",
    "{}",
    "{ a = 1 }",
    "{ fixed = nan }",
    "{ choice = [1.5, 2] }",
    "{ step = { at = [0], factor = 10.0 } }",
];

/// Words of Rust and of its libraries.
const RUST: [&str; 16] = [
    "struct", "usize", "u64", "u32", "i64", "f64", "variant", "untagged", "Some(", "None", "enum",
    "tuple", "newtype", "::", "map,", "sequence",
];

/// The paths of all values in a table, as `--set` takes them, those of tables and lists too.
fn paths(value: &Value, path: &str, all: &mut Vec<String>) {
    if !path.is_empty() {
        all.push(path.to_owned());
    }
    let dot = if path.is_empty() { "" } else { "." };
    match value {
        Value::Table(table) => {
            table.iter().for_each(|(name, one)| paths(one, &format!("{path}{dot}{name}"), all));
        }
        Value::Array(list) => {
            list.iter()
                .enumerate()
                .for_each(|(i, one)| paths(one, &format!("{path}{dot}{i}"), all));
        }
        _ => {}
    }
}

fn settings() -> Vec<String> {
    let mut all = vec![];
    paths(&Value::Table(parse(presets::text("default").unwrap(), "").unwrap()), "", &mut all);
    let more = [
        "start.warm.sigma",
        "selection.truncation.best",
        "optimizers.0.clip",
        "optimizers.0.lr_decay",
        "optimizers.0.weight_decay",
        "optimizers.1.beta1",
        "optimizers.1.beta2",
        "optimizers.1.eps",
        "fine_tune.lr.fixed",
        "mutation.anneal.cosine.to",
        "optimizers.0.kind",
    ];
    all.extend(more.map(String::from));
    all
}

#[test]
fn odd_values_are_refused_in_plain_words_or_survive_a_file() {
    let settings = settings();
    assert!(settings.len() > 90, "{settings:?}");
    let (mut refused, mut taken, mut faults) = (0, 0, vec![]);
    for path in &settings {
        for odd in ODD {
            let set = format!("{path}={odd}");
            // Numbers of a schedule can be set where there is one.
            let schedule = path.starts_with("mutation.anneal.");
            let before = if schedule { "mutation.anneal=cosine" } else { "mu=20" };
            let sets = [before, "data.dir=x", &set].map(String::from);
            match Config::with_changes("", "a test", &sets) {
                Err(failure) => {
                    refused += 1;
                    let message = failure.to_string();
                    let rust = RUST.iter().any(|word| message.contains(word));
                    if rust || message.contains('\n') || message.len() > 400 {
                        faults.push(format!("{set}: {message}"));
                    }
                }
                Ok(config) => {
                    taken += 1;
                    let text = config.to_toml().unwrap();
                    match Config::with_changes(&text, "a test", &[]) {
                        Ok(back) if back == config => {}
                        other => faults.push(format!("{set}: read again as {other:?}")),
                    }
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(refused > 1500 && taken > 300, "{refused} refused, {taken} taken");
}

#[test]
fn words_stand_for_what_they_are_about() {
    let with = |sets: &[&str]| {
        let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
        Config::with_changes("", "a test", &sets).unwrap().to_toml().unwrap()
    };
    for (word, spelt) in [
        ("start=shared", "start={ shared = { epochs = 5, candidates = 20, halvings = 3 } }"),
        ("start=warm", "start={ warm = { sigma = 0.01 } }"),
        ("start.warm.sigma=0.5", "start={ warm = { sigma = 0.5 } }"),
        ("selection=truncation", "selection={ truncation = { best = 0.2 } }"),
        ("selection.truncation=0.5", "selection={ truncation = { best = 0.5 } }"),
        ("start.warm=0.5", "start={ warm = { sigma = 0.5 } }"),
        ("selection.truncation.best=0.5", "selection={ truncation = { best = 0.5 } }"),
        ("network=convnet", "network.kind=convnet"),
        ("guarantee=archive", "guarantee.way=archive"),
        ("guarantee=back-off", "guarantee.way=back-off"),
        ("mutation=0.5", "mutation.sigma=0.5"),
        ("mutation=relative", "mutation.scale=relative"),
        ("mutation.anneal=cosine", "mutation.anneal={ cosine = { to = 0.01 } }"),
        ("recipes=inherit", "recipes.policy=inherit"),
        ("fine_tune=3", "fine_tune.epochs=3"),
        ("data=digits", "data.name=digits"),
        ("network={ kind = \"convnet\" }", "network.kind=convnet"),
        ("optimizers={ kind = \"sgd\", lr = 0.1 }", "optimizers=[{ kind = \"sgd\", lr = 0.1 }]"),
    ] {
        assert_eq!(with(&[word]), with(&[spelt]), "{word}");
    }
    // What was there stays: the numbers of a shared start, the optimizers of a kind.
    let shared =
        ["start={ shared = { epochs = 1, candidates = 2, halvings = 0 } }", "start=shared"];
    assert_eq!(with(&shared), with(&shared[..1]));
    for kind in ["sgd", "adam", "adamw", "rmsprop"] {
        let text = with(&[&format!("optimizers={kind}"), "optimizers.0.lr=0.25"]);
        assert_eq!(text.matches("[[optimizers]]").count(), 1, "{text}");
        assert!(
            text.contains(&format!("kind = \"{kind}\"")) && text.contains("lr = 0.25"),
            "{text}"
        );
    }
    let in_a_file =
        Config::with_changes("start = 'shared'\nnetwork = 'convnet'", "x", &[]).unwrap();
    assert_eq!(in_a_file.to_toml().unwrap(), with(&["network=convnet"]));
}

#[test]
fn what_a_word_cannot_say_is_a_sentence_with_an_example() {
    let refused = |set: &str| {
        let failure = Config::with_changes("", "a test", &[set.to_owned()]).unwrap_err();
        failure.to_string()
    };
    for (set, expected) in [
        (
            "mutation=lots",
            "--set: `mutation` holds several settings: set one of them, such as mutation.sigma=0.01",
        ),
        ("run=fast", "run.threads=2"),
        ("start.shared=3", "`start.shared`: expected it in another form, such as start=shared or"),
        ("mutation.scale=3", "such as mutation.scale=absolute"),
        ("compare=all", "compare.rates=[0.01, 0.1]"),
        ("guarantee=2", "guarantee.way=archive"),
        (
            "mutation.anneal=step",
            "`mutation.anneal`: a step needs its generations and a factor, such as {",
        ),
        ("optimizers=adagrad", "no optimizer `adagrad` to draw from: expected one of sgd, adam"),
        (
            "start=cold",
            "`start`: there is no `cold`, expected one of `independent`, `shared`, `warm`",
        ),
        ("network=resnett", "`network.kind`: there is no `resnett`, expected one of `mlp`"),
        (
            "optimizers.0.lr=true",
            "`optimizers[0].lr`: expected a number or a range, and only nesterov",
        ),
        ("fine_tune.lr=false", "`fine_tune.lr`: expected a number or a range"),
        ("compare.single.lr=true", "`compare.single.lr`: expected a number or a range"),
        ("optimizers.0.batch=2.5", "optimizers[0].batch = 2.5: expected whole numbers"),
        ("optimizers.0.batch={ uniform = [16, 64] }", "{ choice = [32, 64] }"),
        ("seed=9223372036854775808", "seed"),
    ] {
        let message = refused(set);
        assert!(message.contains(expected) && !message.contains('\n'), "{set}: {message}");
    }
}

#[test]
fn huge_and_deep_configs_are_one_sentence() {
    let one = "[[optimizers]]\nkind = 'sgd'\nlr = 0.1\n";
    let deep = format!("mutation = {}1{}", "[".repeat(10_000), "]".repeat(10_000));
    let tables = format!("mutation.{} = 1", vec!["a"; 10_000].join("."));
    let choice = format!("[fine_tune]\nlr = {{ choice = [{}] }}", "0.1,".repeat(1001));
    let rates: Vec<String> = (1..=1001).map(|i| format!("{i}.0")).collect();
    let rates = format!("[compare]\nrates = [{}]", rates.join(","));
    for (text, expected) in [
        (one.repeat(1001), "has 1001 of them: expected at most 1000"),
        (deep, "nested too deeply"),
        (tables, ""),
        (choice, "`choice` needs at most 1000 numbers"),
        (rates, "has 1001 learning rates: expected at most 1000"),
        (
            format!("network.hidden = [{}]", "8,".repeat(1001)),
            "has 1001 layers: expected at most 1000",
        ),
    ] {
        let message = Config::with_changes(&text, "x", &[]).unwrap_err().to_string();
        assert!(message.contains(expected) && message.len() < 500, "{message}");
        assert!(!message.contains('\n'), "{message}");
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.toml");
    fs::write(&path, "# \n".repeat(400_000)).unwrap();
    for failure in [
        Config::of_run(&path).unwrap_err(),
        Config::of(&Sources { file: Some(path.clone()), ..Sources::default() }, 0).unwrap_err(),
    ] {
        assert!(failure.to_string().contains("expected at most 1000000"), "{failure}");
    }
}

#[test]
fn a_seed_that_no_file_holds_is_refused() {
    let of = |seed| Config::of(&Sources { seed: Some(seed), ..Sources::default() }, 0);
    assert!(of(i64::MAX as u64).is_ok());
    let message = of(1 << 63).unwrap_err().to_string();
    assert_eq!(message, "seed = 9223372036854775808: expected at most 9223372036854775807");
}
