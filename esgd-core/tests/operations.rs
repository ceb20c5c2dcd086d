//! What the operations compute, against NumPy.
//!
//! The files in `golden/` come from the scripts beside them, which say how to run them.

use esgd_core::{
    Noise, NoiseTerm, Operation, Real, Scale, Weights, build,
    plan::definition::{mean, mutate},
    rng::{Key, Purpose},
};
use serde_json::Value;

const ADDRESS: Key =
    Key::new(0x1234_5678_9ABC_DEF0, Purpose::Mutation).generation(3).step(1).individual(5);
const WEIGHTS: [f64; 4] = [0.5, 0.25, -0.125, 1.0];

/// Value `i` of parent `j`, as the scripts have it.
fn parent(i: usize, j: usize) -> f32 {
    (((37 * i + 101 * j) % 257) as f32 - 128.0) / 100.0
}

fn floats(values: &Value) -> Vec<f64> {
    values.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
}

/// The operations of the script by their names, and which of its networks each takes: a row of `parent`, or
/// the squares of row 2.
fn operations() -> Vec<(&'static str, Operation, &'static [usize])> {
    const SQUARES: usize = 4;
    let isotropic = |sigma, scale| Noise::Isotropic { sigma, scale };
    let combine = |weights, noise| Operation::Combine { weights, noise };
    let weighted = |noise| combine(Weights::Each(WEIGHTS.to_vec()), noise);
    let term = |(j, &weight)| NoiseTerm { key: ADDRESS.individual(j), weight };
    let terms: Vec<_> = WEIGHTS.iter().enumerate().map(term).collect();
    let trial = Operation::Trial { weights: WEIGHTS[..3].to_vec(), cr: 0.4 };
    let noise = isotropic(0.1, Scale::Absolute);
    vec![
        ("mean", combine(Weights::Equal, Noise::None), &[0, 1, 2, 3]),
        ("weighted", weighted(noise.clone()), &[0, 1, 2, 3]),
        ("mirrored", weighted(isotropic(-0.1, Scale::Absolute)), &[0, 1, 2, 3]),
        ("relative", weighted(isotropic(0.1, Scale::Relative)), &[0, 1, 2, 3]),
        ("diagonal", combine(Weights::Equal, Noise::Diagonal { sigma: 0.1 }), &[0, 1, SQUARES]),
        ("ball", combine(Weights::Equal, Noise::Ball), &[0, 1, 2, 3]),
        ("crossover", Operation::Crossover { noise: Noise::None }, &[0, 1, 2, 3]),
        ("mutated_crossover", Operation::Crossover { noise }, &[0, 1, 2, 3]),
        ("trial", trial, &[0, 1, 2, 3]),
        ("velocity", Operation::Velocity { inertia: 0.7, own: 1.4, social: 1.6 }, &[0, 1, 2, 3]),
        ("weighted_noise", Operation::WeightedNoise { terms: terms.clone() }, &[0]),
        ("squared_noise", Operation::SquaredNoise { terms }, &[0]),
        ("product", Operation::Product, &[0, 1]),
        ("exponential", Operation::Exponential { rate: -3.0 }, &[0, 1]),
        ("adaptive_step", Operation::AdaptiveStep { rate: -0.3, epsilon: 0.01 }, &[0, 1, SQUARES]),
        ("rescaled", Operation::Rescale { length: 2.5, at_most: false }, &[0]),
        ("clipped", Operation::Rescale { length: 250.0, at_most: true }, &[0]),
        ("values", Operation::Values((0..61).map(|i| f64::from(parent(i, 1))).collect()), &[0]),
    ]
}

/// That every operation gives NumPy's values, within `tolerance` of the largest.
fn are_numpys<V: Real>(name: &str, tolerance: f64) {
    let file: Value = serde_json::from_str(include_str!("golden/operations.json")).unwrap();
    let expected = file[name].as_object().unwrap();
    let n = floats(&expected["mean"]).len();
    let row = |j: usize| (0..n).map(move |i| V::of(f64::from(parent(i, j))));
    let mut networks: Vec<Vec<V>> = (0..4).map(|j| row(j).collect()).collect();
    networks.push(row(2).map(|x| x * x).collect());
    let operations = operations();
    assert_eq!(operations.len(), expected.len());
    for (what, operation, sources) in operations {
        let sources: Vec<_> = sources.iter().map(|&j| &networks[j][..]).collect();
        let ours = build(&operation, &sources, ADDRESS).unwrap();
        let theirs = floats(&expected[what]);
        let size = theirs.iter().fold(1.0f64, |size, x| size.max(x.abs()));
        assert_eq!(ours.len(), theirs.len(), "{what}");
        for (i, (x, y)) in ours.iter().zip(theirs).enumerate() {
            let x = x.to_f64();
            assert!((x - y).abs() <= tolerance * size, "{what} {i}: {x}, NumPy's is {y}");
        }
    }
}

#[test]
fn operations_in_f32_are_numpys() {
    are_numpys::<f32>("f32", 1e-6);
}

#[test]
fn operations_in_f64_are_numpys() {
    are_numpys::<f64>("f64", 1e-14);
}

/// From any place of a key on.
#[test]
fn offspring_are_numpys() {
    let file: Value = serde_json::from_str(include_str!("golden/recombine.json")).unwrap();
    for case in file["cases"].as_array().unwrap() {
        let at = |field: &str| case[field].as_u64().unwrap() as usize;
        let key = Key::new(case["seed"].as_u64().unwrap(), Purpose::Mutation)
            .generation(at("generation"))
            .step(at("step"))
            .individual(at("individual"));
        let sigma = case["sigma"].as_f64().unwrap() as f32;
        let expected = floats(&case["theta"]);
        assert_eq!(at("n"), expected.len());
        for (i, &y) in expected.iter().enumerate() {
            let parents: Vec<f32> = (0..at("rho")).map(|j| parent(i, j)).collect();
            let (x, y) = (mutate(mean(&parents), sigma, key, (at("offset") + i) as u64), y as f32);
            let close = if sigma == 0.0 {
                x.to_bits() == y.to_bits()
            } else {
                (x - y).abs() <= 1e-6 * y.abs().max(1.0)
            };
            assert!(close, "value {i} is {x}, NumPy's is {y}: {case}");
        }
    }
}
