//! What the numbers of a recipe mean here: the optimizers, batch size, dropout, clipping.

use esgd_core::{Hyper, OptimizerPool, Range, Schedule, Settings};
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
    /// If the kind is unknown.
    pub fn of(hyper: &Hyper, epochs_before: u32) -> Result<Self> {
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
            "rmsprop" => {
                Optimizer::RmsProp { lr, alpha: get("alpha", 0.99), eps, momentum, weight_decay }
            }
            other => return Err(Error::Recipe(unknown_kind(other))),
        };
        Ok(Self {
            optimizer,
            batch: get("batch", 64.0).round().max(1.0) as usize,
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
    if let Some(expected) = expected("lr", lr) {
        let (low, high) = lr.bounds();
        return Err(Error::Recipe(format!(
            "fine_tune.lr ranges from {low} to {high}: expected {expected}"
        )));
    }
    check_pool(&settings.optimizers)
}

/// The same of a pool alone.
///
/// # Errors
/// One sentence about the first mistake, with the nearest name where one was mistyped.
pub fn check_pool(pool: &OptimizerPool) -> Result<()> {
    for (i, spec) in pool.0.iter().enumerate() {
        let Some((kind, own)) = KINDS.iter().find(|(kind, _)| *kind == spec.kind) else {
            return Err(Error::Recipe(format!("optimizers[{i}]: {}", unknown_kind(&spec.kind))));
        };
        for (name, range) in &spec.ranges {
            let known = || COMMON.iter().chain(own.iter()).copied();
            if !known().any(|k| k == name) {
                return Err(Error::Recipe(format!(
                    "optimizers[{i}].{name}: `{kind}` has no such hyper-parameter: expected {}",
                    one_of(name, known())
                )));
            }
            if let Some(expected) = expected(name, range) {
                let (low, high) = range.bounds();
                return Err(Error::Recipe(format!(
                    "optimizers[{i}].{name} ranges from {low} to {high}: expected {expected}"
                )));
            }
        }
        if !spec.ranges.contains_key("lr") {
            return Err(Error::Recipe(format!(
                "optimizers[{i}] has no learning rate: add `lr`, such as lr = {{ log-uniform = [1e-3, 1e-1] }}"
            )));
        }
    }
    Ok(())
}

/// What a range should have been, if it is something else.
fn expected(name: &str, range: &Range) -> Option<&'static str> {
    let (low, high) = range.bounds();
    let fine = match name {
        "batch" => low >= 1.0,
        "dropout" | "momentum" | "alpha" | "beta1" | "beta2" => low >= 0.0 && high < 1.0,
        "clip" | "eps" | "lr_decay" => low > 0.0,
        _ => low >= 0.0,
    };
    // Other values decide what is allocated, or leave their range when they are scaled.
    let annealed = range.anneal != Schedule::Constant && !["lr", "weight_decay"].contains(&name);
    let sentence = match name {
        _ if annealed => "no `anneal` here: only lr and weight_decay can be annealed",
        "batch" => "at least 1",
        "dropout" | "momentum" | "alpha" | "beta1" | "beta2" => "at least 0 and below 1",
        "clip" | "eps" | "lr_decay" => "above 0",
        _ => "at least 0",
    };
    (!fine || annealed).then_some(sentence)
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

    fn pool(kind: &str, ranges: &[(&str, f64)]) -> OptimizerPool {
        let ranges = ranges.iter().map(|&(name, value)| (name.to_owned(), Range::fixed(value)));
        OptimizerPool(vec![OptimizerSpec {
            kind: kind.into(),
            weight: 1.0,
            ranges: ranges.collect(),
        }])
    }

    #[test]
    fn mistakes_are_one_sentence_with_the_nearest_name() {
        assert!(check_pool(&pool("sgd", &[("lr", 0.1), ("nesterov", 1.0)])).is_ok());
        for (kind, ranges, expected) in [
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
            ("sgd", &[("lr", 0.1), ("batch", 0.0)], "expected at least 1"),
            ("sgd", &[("lr", 0.1), ("dropout", 1.0)], "below 1"),
            ("sgd", &[("lr", -0.1)], "expected at least 0"),
        ] {
            let message = check_pool(&pool(kind, ranges)).unwrap_err().to_string();
            assert!(message.contains(expected) && !message.contains('\n'), "{message}");
        }
    }

    #[test]
    fn a_learning_rate_decays_with_the_epochs_of_its_recipe() {
        let values = [("lr", 0.5), ("lr_decay", 0.5)].map(|(n, v)| (n.to_owned(), v)).into();
        let hyper = Hyper { kind: "sgd".into(), values };
        let lr = |epochs| match Training::of(&hyper, epochs).unwrap().optimizer {
            Optimizer::Sgd { lr, .. } => lr,
            other => panic!("{other:?}"),
        };
        assert_eq!((lr(0), lr(2)), (0.5, 0.125));
    }
}
