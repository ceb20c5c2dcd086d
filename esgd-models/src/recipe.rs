//! What the numbers of a recipe mean here: the optimizers, batch size, dropout, clipping.

use esgd_core::{Distribution, Domain, Hyperparameters, OptimizerPool, Schedule, Settings};
use esgd_ops::optimizer::Optimizer;

use crate::{Error, Result, names::nearest};

/// What every recipe may have beside its optimizer's own numbers.
const COMMON: [&str; 6] = ["lr", "lr_decay", "batch", "dropout", "clip", "weight_decay"];

/// The optimizers: kind, and its own hyper-parameters.
const KINDS: [(&str, &[&str]); 4] = [
    ("sgd", &["momentum", "nesterov"]),
    ("adam", &["beta1", "beta2", "eps"]),
    ("adamw", &["beta1", "beta2", "eps"]),
    ("rmsprop", &["alpha", "eps", "momentum"]),
];

/// A recipe in one generation, understood.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Training {
    /// The optimizer; its learning rate before `lr_decay`.
    pub optimizer: Optimizer,
    /// Samples a batch.
    pub batch: usize,
    /// The dropout rate, from 0 to below 1.
    pub dropout: f32,
    /// The largest norm of the gradient, if it is clipped.
    pub clip: Option<f64>,
    /// What the learning rate is multiplied by after each epoch of the same recipe.
    pub lr_decay: f64,
}

impl Training {
    /// Reads a recipe. Numbers it does not name take PyTorch's defaults: momentum 0, β 0.9 and
    /// 0.999, α 0.99, ε 1e-8, weight decay 0 (0.01 for AdamW); batch 64.
    ///
    /// # Errors
    /// If the kind is unknown, or has no hyper-parameter of a name, or a value is none for it.
    pub fn of(hyper: &Hyperparameters, epochs_before: u32) -> Result<Self> {
        let own = own(&hyper.kind).map_err(Error::Recipe)?;
        for (name, value) in &hyper.values {
            let fault = fault(&hyper.kind, own, name, &Domain::fixed(*value));
            fault.map_or(Ok(()), |fault| Err(Error::Recipe(format!("{name}{fault}"))))?;
        }
        let get = |name: &str, default: f64| hyper.get(name).unwrap_or(default);
        let lr_decay = get("lr_decay", 1.0);
        let lr = get("lr", 1e-3) * lr_decay.powi(epochs_before as i32);
        let eps = get("eps", 1e-8);
        let (beta1, beta2) = (get("beta1", 0.9), get("beta2", 0.999));
        let weight_decay = get("weight_decay", if hyper.kind == "adamw" { 0.01 } else { 0.0 });
        let momentum = get("momentum", 0.0);
        let optimizer = match hyper.kind.as_str() {
            "sgd" => {
                Optimizer::Sgd { lr, momentum, nesterov: get("nesterov", 0.0) > 0.0, weight_decay }
            }
            "adam" => Optimizer::Adam { lr, beta1, beta2, eps, weight_decay },
            "adamw" => Optimizer::AdamW { lr, beta1, beta2, eps, weight_decay },
            _ => Optimizer::RmsProp { lr, alpha: get("alpha", 0.99), eps, momentum, weight_decay },
        };
        Ok(Self {
            optimizer,
            batch: get("batch", 64.0) as usize,
            dropout: get("dropout", 0.0) as f32,
            clip: hyper.get("clip"),
            lr_decay,
        })
    }
}

/// Checks that every optimizer of the pool is known and every range makes sense, the learning rate
/// of fine-tuning too.
///
/// # Errors
/// One sentence about the first that does not, with the nearest name where one was mistyped.
pub fn check(settings: &Settings) -> Result<()> {
    let lr = &settings.fine_tune.lr;
    if let Some(fault) = unsuitable("lr", lr) {
        return Err(Error::Recipe(format!("fine_tune.lr{fault}")));
    }
    check_pool(&settings.optimizers)
}

/// The same of a pool alone.
///
/// # Errors
/// One sentence about the first mistake, with the nearest name where one was mistyped.
pub fn check_pool(pool: &OptimizerPool) -> Result<()> {
    for (i, spec) in pool.0.iter().enumerate() {
        let own =
            own(&spec.kind).map_err(|fault| Error::Recipe(format!("optimizers[{i}]: {fault}")))?;
        for (name, range) in &spec.domains {
            if let Some(fault) = fault(&spec.kind, own, name, range) {
                return Err(Error::Recipe(format!("optimizers[{i}].{name}{fault}")));
            }
        }
        if !spec.domains.contains_key("lr") {
            return Err(Error::Recipe(format!(
                "optimizers[{i}] has no learning rate: add `lr`, such as lr = {{ log-uniform = [1e-3, 1e-1] }}"
            )));
        }
    }
    pool.check().map_err(|e| Error::Recipe(e.to_string()))
}

/// What is wrong with a hyper-parameter, in words that follow its name.
fn fault(kind: &str, own: &[&str], name: &str, range: &Domain) -> Option<String> {
    let known = || COMMON.iter().chain(own).copied();
    if !known().any(|k| k == name) {
        return Some(format!(
            ": `{kind}` has no such hyper-parameter: expected {}",
            one_of(name, known())
        ));
    }
    unsuitable(name, range)
}

/// What a range should have been, if it is something else.
fn unsuitable(name: &str, range: &Domain) -> Option<String> {
    let (low, high) = range.bounds();
    // As the networks' f32: what is not above 0 there divides by 0.
    let (low_f32, high_f32) = (low as f32, high as f32);
    let numbers = low_f32.is_finite() && high_f32.is_finite();
    let fine = match name {
        "batch" => low >= 1.0 && high <= f64::from(u32::MAX) && all(range, |v| v.fract() == 0.0),
        "nesterov" => all(range, |v| v == 0.0 || v == 1.0),
        "dropout" | "momentum" | "alpha" | "beta1" | "beta2" => low >= 0.0 && high_f32 < 1.0,
        "clip" | "eps" | "lr_decay" => low_f32 > 0.0,
        _ => low >= 0.0,
    };
    // Other values decide what is allocated, or leave their range when they are scaled.
    let annealed = range.anneal != Schedule::Constant && !["lr", "weight_decay"].contains(&name);
    if fine && numbers && !annealed {
        return None;
    }
    let expected = match name {
        _ if annealed => "no `anneal` here: only lr and weight_decay can be annealed",
        "batch" => {
            "whole numbers of at least 1, such as 64 or { choice = [32, 64] }; no other range has only whole ones"
        }
        "nesterov" => "true, false or { choice = [0, 1] }",
        "dropout" | "momentum" | "alpha" | "beta1" | "beta2" => "at least 0 and below 1",
        "clip" | "eps" | "lr_decay" => "above 0, and below 3.4e38",
        _ => "at least 0, and below 3.4e38",
    };
    Some(match low == high {
        true => format!(" = {low:?}: expected {expected}"),
        false => format!(" domains from {low:?} to {high:?}: expected {expected}"),
    })
}

/// Whether a range has a few values and all are like that.
fn all(range: &Domain, like: impl Fn(f64) -> bool) -> bool {
    match &range.law {
        Distribution::Fixed(value) => like(*value),
        Distribution::Choice(values) => values.iter().all(|value| like(*value)),
        Distribution::Uniform(..) | Distribution::LogUniform(..) => false,
    }
}

/// The hyper-parameters that only a kind of optimizer has, or that there is no such kind.
fn own(kind: &str) -> std::result::Result<&'static [&'static str], String> {
    let found = KINDS.iter().find(|(known, _)| *known == kind);
    found.map(|(_, own)| *own).ok_or_else(|| unknown_kind(kind))
}

fn unknown_kind(kind: &str) -> String {
    let kinds = KINDS.iter().map(|(name, _)| *name);
    format!("there is no optimizer `{kind}`: expected {}", one_of(kind, kinds))
}

/// The names to choose from, and the one most like what was typed.
fn one_of<'a>(typed: &str, names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<_> = names.collect();
    let hint = nearest(typed, names.iter().copied());
    let hint = hint.map_or_else(String::new, |name| format!(" (did you mean `{name}`?)"));
    format!("one of {}{hint}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use esgd_core::OptimizerSpec;

    use super::*;

    fn pool(kind: &str, domains: &[(&str, f64)]) -> OptimizerPool {
        let domains = domains.iter().map(|&(name, value)| (name.to_owned(), Domain::fixed(value)));
        OptimizerPool(vec![OptimizerSpec {
            kind: kind.into(),
            weight: 1.0,
            domains: domains.collect(),
        }])
    }

    #[test]
    fn mistakes_are_one_sentence_with_the_nearest_name() {
        assert!(check_pool(&pool("sgd", &[("lr", 0.1), ("nesterov", 1.0)])).is_ok());
        for (kind, domains, expected) in [
            (
                "adm",
                &[("lr", 0.1)][..],
                "no optimizer `adm`: expected one of sgd, adam, adamw, rmsprop (did you mean `adam`?)",
            ),
            ("sgd", &[("lr", 0.1), ("momentun", 0.9)], "(did you mean `momentum`?)"),
            (
                "adam",
                &[("lr", 0.1), ("nesterov", 1.0)],
                "optimizers[0].nesterov: `adam` has no such",
            ),
            ("sgd", &[], "no learning rate"),
            (
                "sgd",
                &[("lr", 0.1), ("batch", 0.0)],
                "batch = 0.0: expected whole numbers of at least 1",
            ),
            ("sgd", &[("lr", 0.1), ("batch", 2.5)], "batch = 2.5: expected whole numbers"),
            ("sgd", &[("lr", 0.1), ("batch", 1e300)], "expected whole numbers"),
            ("sgd", &[("lr", 0.1), ("nesterov", 0.5)], "expected true, false or"),
            ("sgd", &[("lr", 0.1), ("dropout", 1.0)], "below 1"),
            ("adam", &[("lr", 0.1), ("beta2", 1.0 - 1e-9)], "below 1"),
            ("adam", &[("lr", 0.1), ("eps", 1e-300)], "above 0"),
            ("sgd", &[("lr", -0.1)], "lr = -0.1: expected at least 0"),
            ("sgd", &[("lr", f64::NAN)], "expected at least 0"),
            ("sgd", &[("lr", f64::INFINITY)], "below 3.4e38"),
        ] {
            let message = check_pool(&pool(kind, domains)).unwrap_err().to_string();
            assert!(message.contains(expected) && !message.contains('\n'), "{message}");
            // A recipe that was not drawn from a pool that was checked gets the same sentence.
            let values = domains.iter().map(|&(name, value)| (name.to_owned(), value)).collect();
            let hyper = Hyperparameters { kind: kind.into(), values };
            match Training::of(&hyper, 0) {
                Ok(_) => assert!(domains.is_empty(), "{hyper}"),
                Err(e) => assert!(message.ends_with(&e.to_string()), "{message}: {e}"),
            }
        }
        let mut odd = pool("sgd", &[("lr", 0.1)]);
        odd.0[0].domains.insert("batch".into(), Distribution::Uniform(16.0, 64.0).into());
        let message = check_pool(&odd).unwrap_err().to_string();
        assert!(
            message.contains("batch domains from 16.0 to 64.0") && message.contains("choice"),
            "{message}"
        );
        odd.0[0].domains.insert("batch".into(), Distribution::Choice(vec![16.0, 64.0]).into());
        assert!(check_pool(&odd).is_ok());
    }

    #[test]
    fn a_run_refuses_what_it_does_not_understand_before_it_begins() {
        let splits =
            crate::data::digits(crate::data::Sizes { train: Some(8), ..Default::default() })
                .unwrap();
        let network = crate::networks::mlp(64, &[2], 10, crate::Activation::Relu).unwrap();
        let problem = crate::Supervised::new(network, splits.train.clone(), splits.train).unwrap();
        for (optimizers, expected) in [
            (pool("banana", &[("lr", 0.1)]), "optimizers[0]: there is no optimizer `banana`"),
            (
                pool("sgd", &[("lr", 0.1), ("learning_rate", 0.1)]),
                "optimizers[0].learning_rate: `sgd` has no such hyper-parameter",
            ),
        ] {
            let settings = Settings { optimizers, ..Settings::paper() };
            let failure = esgd_core::Esgd::new(&problem, &settings).run().err();
            let message = failure.map_or_else(String::new, |failure| failure.error.to_string());
            assert!(message.starts_with(expected), "{message}");
            assert_eq!(message, check(&settings).unwrap_err().to_string());
        }
    }

    #[test]
    fn a_learning_rate_decays_with_the_epochs_of_its_recipe() {
        let values = [("lr", 0.5), ("lr_decay", 0.5)].map(|(n, v)| (n.to_owned(), v)).into();
        let hyper = Hyperparameters { kind: "sgd".into(), values };
        let lr = |epochs| match Training::of(&hyper, epochs).unwrap().optimizer {
            Optimizer::Sgd { lr, .. } => lr,
            other => panic!("{other:?}"),
        };
        assert_eq!((lr(0), lr(2)), (0.5, 0.125));
    }
}
