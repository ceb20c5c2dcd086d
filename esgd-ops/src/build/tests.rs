//! That operations on tables of tensors are core's on their values, and what becomes of statistics.

use esgd_core::{NoiseTerm, rng::Purpose};
use proptest::prelude::*;

use super::*;
use crate::tensors::tests::Network;

const KEY: Key = Key::new(5, Purpose::Mutation).generation(2).individual(3);

fn isotropic(sigma: f64, scale: Scale) -> Noise {
    Noise::Isotropic { sigma, scale }
}

fn combine(weights: Weights, noise: Noise) -> Operation {
    Operation::Combine { weights, noise }
}

/// Every operation on four networks, the last of numbers above 0, with which of them it takes. Those that
/// need the length of a network come last, from `LENGTHS` on.
fn operations(values: usize) -> Vec<(Operation, &'static [usize])> {
    let each = |weights: &[f64]| Weights::Each(weights.to_vec());
    let term = |(j, weight)| NoiseTerm { key: KEY.individual(j), weight };
    let terms = [(7, 0.5), (8, -1.5), (9, 3.0)].map(term).to_vec();
    let absolute = |sigma| isotropic(sigma, Scale::Absolute);
    vec![
        (combine(Weights::Equal, Noise::None), &[0, 1, 2]),
        (combine(Weights::Equal, absolute(0.1)), &[0, 1]),
        (combine(each(&[0.5, -1.0, 1.5]), absolute(-0.1)), &[0, 1, 2]),
        (combine(each(&[0.25, 0.75]), Noise::Diagonal { sigma: 0.3 }), &[0, 1, 3]),
        (Operation::Crossover { noise: absolute(0.1) }, &[0, 1, 2]),
        (Operation::Crossover { noise: Noise::Diagonal { sigma: 0.1 } }, &[0, 1, 3]),
        (Operation::Trial { weights: vec![1.0, 0.7, -0.7], cr: 0.4 }, &[3, 0, 1, 2]),
        (Operation::Trial { weights: vec![1.0], cr: 0.0 }, &[3, 0]),
        (Operation::Velocity { inertia: 0.7, own: 1.4, social: 1.6 }, &[0, 1, 2, 3]),
        (Operation::WeightedNoise { terms: terms.clone() }, &[1]),
        (Operation::SquaredNoise { terms }, &[1]),
        (Operation::Product, &[0, 1]),
        (Operation::Exponential { rate: 0.3 }, &[0, 1]),
        (Operation::AdaptiveStep { rate: -0.1, epsilon: 1e-3 }, &[0, 1, 3]),
        (Operation::Values((0..values).map(|i| i as f64 / 3.0).collect()), &[0]),
        (combine(Weights::Equal, isotropic(0.1, Scale::Relative)), &[0, 1]),
        (combine(Weights::Equal, Noise::Ball), &[0, 1, 2]),
        (Operation::Rescale { length: 2.0, at_most: false }, &[0]),
        (Operation::Rescale { length: 1e9, at_most: true }, &[0]),
    ]
}

const LENGTHS: usize = 15;

fn built(
    operation: &Operation,
    sources: &[&Network],
    statistics: &[bool],
) -> Result<Network, BuildError> {
    let tables: Vec<_> = sources.iter().map(|network| network.tensors()).collect();
    let mut out = sources[0].map(|_| f32::NAN);
    build(operation, &tables, statistics, KEY, &mut out.tensors_mut())?;
    Ok(out)
}

/// The four networks, the last of numbers above 0.
fn networks() -> impl Strategy<Value = [Network; 4]> {
    Network::several().prop_map(|[a, b, c, d]| [a, b, c, d.map(f32::abs)])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn networks_of_tensors_are_cores(networks in networks()) {
        let (tensors, values) = (networks[0].0.len(), networks[0].values().len());
        let of_one_tensor = networks.each_ref().map(|network| Network(vec![network.values()]));
        for (k, (operation, which)) in operations(values).into_iter().enumerate() {
            let sources: Vec<_> = which.iter().map(|&j| &of_one_tensor[j]).collect();
            let slices: Vec<_> = sources.iter().map(|source| &source.0[0][..]).collect();
            let expected = esgd_core::build(&operation, &slices, KEY).unwrap();
            let whole = built(&operation, &sources, &[false]).unwrap().values();
            let sources: Vec<_> = which.iter().map(|&j| &networks[j]).collect();
            let cut = built(&operation, &sources, &vec![false; tensors]).unwrap().values();
            for (i, x) in expected.iter().enumerate() {
                prop_assert_eq!(whole[i].to_bits(), x.to_bits(), "{} {:?}", i, operation);
                if k < LENGTHS {
                    prop_assert_eq!(cut[i].to_bits(), x.to_bits(), "{} {:?}", i, operation);
                }
            }
        }
    }

    #[test]
    fn lengths_are_of_the_weights_alone(networks in networks(), statistic in any::<prop::sample::Index>()) {
        let tensors = networks[0].0.len();
        let statistic = statistic.index(tensors);
        let statistics: Vec<_> = (0..tensors).map(|t| t == statistic).collect();
        let weights = |network: &Network| {
            let tensors = network.0.iter().zip(&statistics);
            let weights = tensors.filter(|(_, statistic)| !**statistic);
            weights.flat_map(|(tensor, _)| tensor.clone()).collect::<Vec<f32>>()
        };
        let length = |values: &[f32]| {
            values.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt()
        };
        let [a, b, ..] = &networks;
        let rescale = Operation::Rescale { length: 2.0, at_most: false };
        let rescaled = weights(&built(&rescale, &[a], &statistics).unwrap());
        prop_assert!(length(&weights(a)) == 0.0 || (length(&rescaled) - 2.0).abs() < 1e-5);
        let ball = combine(Weights::Equal, Noise::Ball);
        let point = weights(&built(&ball, &[a, b], &statistics).unwrap());
        let apart = |x: &[f32]| {
            length(&x.iter().zip(weights(a)).map(|(x, y)| x - y).collect::<Vec<_>>())
        };
        let expected = definition::share_of_radius(KEY) * apart(&weights(b));
        prop_assert!((apart(&point) - expected).abs() <= 1e-5 * (1.0 + expected));
    }

    #[test]
    fn statistics_are_averaged_chosen_or_copied(networks in networks()) {
        let tensors = networks[0].0.len();
        let mut statistics = vec![false; tensors];
        statistics[0] = true;
        let weights = networks[0].0[1..].iter().map(Vec::len).sum();
        for (operation, which) in operations(weights) {
            let sources: Vec<_> = which.iter().map(|&j| &networks[j]).collect();
            let plain = built(&operation, &sources, &vec![false; tensors]);
            let built = built(&operation, &sources, &statistics).unwrap();
            let first: Vec<_> = sources.iter().map(|source| &source.0[0][..]).collect();
            let averaged = match &operation {
                Operation::Combine { weights, noise } if weights.are_convex() => Some((
                    combine(weights.clone(), Noise::None),
                    noise.sources(),
                )),
                Operation::Crossover { noise } => {
                    Some((Operation::Crossover { noise: Noise::None }, noise.sources()))
                }
                _ => None,
            };
            let expected = match averaged {
                Some((operation, rest)) => {
                    esgd_core::build(&operation, &first[..first.len() - rest], KEY).unwrap()
                }
                None => first[0].to_vec(),
            };
            prop_assert_eq!(&built.0[0], &expected, "{:?}", operation);
            let needs_length = matches!(
                operation,
                Operation::Rescale { .. } | Operation::Combine { noise: Noise::Ball, .. }
            );
            let takes_one = matches!(operation, Operation::Trial { .. });
            if let (Ok(plain), false) = (plain, needs_length || takes_one) {
                prop_assert_eq!(&built.0[1..], &plain.0[1..], "{:?}", operation);
            }
        }
    }
}

#[test]
fn a_trial_takes_a_weight_for_certain_and_no_statistic() {
    let x = Network(vec![vec![0.0; 40], vec![0.0; 3], vec![0.0; 40], vec![0.0; 2]]);
    let mutant = x.map(|_| 1.0);
    let operation = Operation::Trial { weights: vec![1.0], cr: 0.0 };
    let mut taken = vec![0; 85];
    for j in 0..200 {
        let mut out = x.zeros();
        let sources = [x.tensors(), mutant.tensors()];
        let statistics = [true, false, true, false];
        let key = KEY.individual(j);
        build(&operation, &sources, &statistics, key, &mut out.tensors_mut()).unwrap();
        let values = out.values();
        assert_eq!(values.iter().sum::<f32>(), 1.0);
        taken[values.iter().position(|x| *x == 1.0).unwrap()] += 1;
    }
    let expected = [40, 41, 42, 83, 84];
    assert!(expected.iter().all(|&i| taken[i] > 20), "{taken:?}");
    assert_eq!(expected.iter().map(|&i| taken[i]).sum::<usize>(), 200);
}

#[test]
fn what_cannot_be_built_is_said() {
    let (a, b) = (Network(vec![vec![1.0, 2.0]]), Network(vec![vec![1.0]]));
    let message = |operation: &Operation, sources: &[&Network], statistics: &[bool]| {
        built(operation, sources, statistics).unwrap_err().to_string()
    };
    let mean = combine(Weights::Equal, Noise::None);
    let other = message(&mean, &[&a, &b], &[false]);
    assert_eq!(
        other,
        "a network cannot be built: source 1 has tensors of [1] values: expected [2]"
    );
    assert!(message(&mean, &[&a], &[]).contains("0 of its 1 tensors"));
    assert!(message(&Operation::Product, &[&a], &[false]).contains("takes 2 sources"));
    assert!(
        message(&Operation::Values(vec![1.0]), &[&a], &[false]).contains("1 values were given")
    );
    let custom = Operation::Custom { name: "swap".into(), numbers: vec![] };
    assert!(message(&custom, &[&a], &[false]).contains("the problem's to build"));
    let all = operations(3);
    assert!(all.iter().all(|(operation, _)| builds(&operation.kind())));
    assert!(!builds(&custom.kind()) && !builds(&OperationKind::Init));
}
