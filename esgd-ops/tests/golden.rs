//! The kernels against independent implementations: NumPy for eq. 12, PyTorch for the optimizers.
//!
//! The files in `golden/` come from the scripts beside them, which say how to run them.

use esgd_core::rng::{Key, Purpose};
use esgd_ops::{
    evolution::{Differential, Swarm, antithetic, particle, trial, weighted_noise},
    norm::squared_norm,
    optimizer::{Optimizer, clip_scale},
    recombine::{Blend, tensor},
};
use serde_json::Value;

#[test]
fn offspring_are_numpys() {
    let file: Value = serde_json::from_str(include_str!("golden/recombine.json")).unwrap();
    for case in file["cases"].as_array().unwrap() {
        let at = |field: &str| case[field].as_u64().unwrap() as usize;
        let key = Key::new(case["seed"].as_u64().unwrap(), Purpose::Mutation)
            .generation(at("generation"))
            .step(at("step"))
            .individual(at("individual"));
        let parents: Vec<Vec<f32>> =
            (0..at("rho")).map(|j| (0..at("n")).map(|i| parent(i, j)).collect()).collect();
        let parents: Vec<&[f32]> = parents.iter().map(Vec::as_slice).collect();
        let sigma = number(&case["sigma"]) as f32;
        let mut child = vec![f32::NAN; at("n")];
        tensor(&parents, Blend::Mean, sigma, key, at("offset") as u64, &mut child);

        let expected = floats(&case["theta"]);
        assert_eq!(child.len(), expected.len());
        for (i, (&x, &y)) in child.iter().zip(&expected).enumerate() {
            let close = if sigma == 0.0 {
                x.to_bits() == y.to_bits()
            } else {
                (x - y).abs() <= 1e-6 * y.abs().max(1.0)
            };
            assert!(close, "value {i} is {x}, NumPy's is {y}: {case}");
        }
    }
}

#[test]
fn other_strategies_are_numpys() {
    let file: Value = serde_json::from_str(include_str!("golden/evolution.json")).unwrap();
    let expected = |name: &str| floats(&file[name]);
    let n = expected("trial").len();
    let theta: Vec<Vec<f32>> = (0..4).map(|j| (0..n).map(|i| parent(i, j)).collect()).collect();
    let theta: Vec<&[f32]> = theta.iter().map(Vec::as_slice).collect();
    let w = [0.5, 0.25, -0.125, 1.0];
    let address = Key::new(0x1234_5678_9ABC_DEF0, Purpose::Mutation).generation(3).step(1);
    let (key, keys) = (address.individual(5), [0, 1, 2, 3].map(|j| address.individual(j)));
    let [x, a, b, c] = [0, 1, 2, 3].map(|j| vec![theta[j]]);

    let mut out = vec![f32::NAN; n];
    tensor(&theta, Blend::Weighted(&w), 0.1, keys[3], 0, &mut out);
    close("weighted", &out, &expected("weighted"));
    tensor(&theta, Blend::Crossover, 0.0, key, 0, &mut out);
    close("crossover", &out, &expected("crossover"));
    weighted_noise(&keys, &w, &mut vec![&mut out]);
    close("weighted noise", &out, &expected("weighted_noise"));
    let how = Differential { f: 0.7, cr: 0.4, forced: 17 };
    trial(&x, [&a, &b, &c], how, key, &mut vec![&mut out]);
    close("trial", &out, &expected("trial"));

    let (mut plus, mut minus) = (vec![f32::NAN; n], vec![f32::NAN; n]);
    antithetic(&x, &[0.3], &keys[2..3], &mut [vec![&mut plus], vec![&mut minus]]);
    close("plus", &plus, &expected("plus"));
    close("minus", &minus, &expected("minus"));

    let (mut x, mut v) = (theta[0].to_vec(), theta[1].to_vec());
    let swarm = Swarm { inertia: 0.7, own: 1.4, social: 1.6 };
    particle(&mut [vec![&mut x], vec![&mut v]], &b, &c, swarm, key);
    close("x", &x, &expected("particle_x"));
    close("v", &v, &expected("particle_v"));
}

/// That values computed in `f32` are those computed in `f64`.
fn close(what: &str, ours: &[f32], theirs: &[f32]) {
    for (i, (x, y)) in ours.iter().zip(theirs).enumerate() {
        assert!((x - y).abs() <= 2e-6 * y.abs().max(1.0), "{what} {i}: {x}, NumPy's is {y}");
    }
    assert_eq!(ours.len(), theirs.len(), "{what}");
}

/// Value `i` of parent `j`, as the script has it.
fn parent(i: usize, j: usize) -> f32 {
    (((37 * i + 101 * j) % 257) as f32 - 128.0) / 100.0
}

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
