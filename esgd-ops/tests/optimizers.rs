//! The optimizers against PyTorch.
//!
//! `golden/optimizers.json` comes from the script beside it, which says how to run it.

use esgd_ops::{
    norm::squared_norm,
    optimizer::{Optimizer, clip_scale},
};
use serde_json::Value;

#[test]
fn optimizers_are_pytorchs() {
    let file: Value = serde_json::from_str(include_str!("golden/optimizers.json")).unwrap();
    let tensors: Vec<usize> =
        file["tensors"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as usize).collect();
    let grads: Vec<Vec<f32>> = file["grads"].as_array().unwrap().iter().map(floats).collect();
    let mut failures = vec![];
    for case in file["cases"].as_array().unwrap() {
        let (optimizer, max_norm) = (optimizer(case), case["max_norm"].as_f64());
        let (mut worst, mut compared, mut clipped) = (0f64, 0, 0);
        let mut theta = floats(&file["theta0"]);
        let mut slots: Vec<Vec<Vec<f32>>> =
            tensors.iter().map(|&n| vec![vec![0.0; n]; optimizer.slots()]).collect();
        for (t, grad) in (1u64..).zip(&grads) {
            let norm = cut(&tensors).map(|part| squared_norm(&grad[part])).sum::<f64>().sqrt();
            let scale = max_norm.map_or(1.0, |max_norm| clip_scale(norm, max_norm));
            clipped += u64::from(scale < 1.0);
            for (part, slots) in cut(&tensors).zip(&mut slots) {
                optimizer.step(t, scale, &mut theta[part.clone()], &grad[part], slots);
            }
            let Some(expected) = case["theta"].get(t.to_string()) else { continue };
            compared += 1;
            for (&x, y) in theta.iter().zip(floats(expected)) {
                let (x, y) = (f64::from(x), f64::from(y));
                worst = worst.max((x - y).abs() / y.abs().max(1e-3));
            }
        }
        assert_eq!(compared, case["theta"].as_object().unwrap().len(), "{case}");
        assert_eq!(clipped, case["steps_clipped"].as_u64().unwrap_or(0), "{case}");
        println!("{}: {worst:.1e}", case["name"]);
        if worst > 1e-6 {
            failures.push(format!("{} deviates by {worst:.1e}", case["name"]));
        }
    }
    assert!(failures.is_empty(), "{failures:?}");
}

/// Where each tensor lies in θ.
fn cut(tensors: &[usize]) -> impl Iterator<Item = std::ops::Range<usize>> {
    tensors.iter().scan(0, |at, n| {
        let from = *at;
        *at += n;
        Some(from..*at)
    })
}

/// The optimizer of a case. What the case does not name is off, as in PyTorch.
fn optimizer(case: &Value) -> Optimizer {
    let options = &case["options"];
    let or_zero = |field: &str| options[field].as_f64().unwrap_or(0.0);
    let (lr, weight_decay, momentum) =
        (or_zero("lr"), or_zero("weight_decay"), or_zero("momentum"));
    let [beta1, beta2] = [0, 1].map(|i| options["betas"][i].as_f64().unwrap_or(f64::NAN));
    let eps = options["eps"].as_f64().unwrap_or(f64::NAN);
    match case["torch"].as_str().unwrap() {
        "SGD" => {
            let nesterov = options["nesterov"].as_bool().unwrap_or(false);
            Optimizer::Sgd { lr, momentum, nesterov, weight_decay }
        }
        "Adam" => Optimizer::Adam { lr, beta1, beta2, eps, weight_decay },
        "AdamW" => Optimizer::AdamW { lr, beta1, beta2, eps, weight_decay },
        "RMSprop" => {
            let alpha = number(&options["alpha"]);
            Optimizer::RmsProp { lr, alpha, eps, momentum, weight_decay }
        }
        other => panic!("no optimizer {other}"),
    }
}

fn floats(values: &Value) -> Vec<f32> {
    values.as_array().unwrap().iter().map(|value| number(value) as f32).collect()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is not a number"))
}
