//! The engine against candle: the same network, the same values, the same batches.

use candle_core::{Device, Tensor};
use candle_nn::loss::cross_entropy;
use esgd_core::{Hyperparameters, Problem, rng::Purpose};

use super::*;
use crate::{
    Activation, Pass, Supervised, Task, evaluation,
    networks::{self, Layer},
};

const CLASSES: usize = 7;

/// A small network of every kind of layer.
fn networks() -> Vec<Network> {
    let conv = |name: &str, outputs, kernel, stride, norm: Option<&str>, relu| Layer::Conv {
        name: name.into(),
        outputs,
        kernel,
        stride,
        norm: norm.map(str::to_owned),
        relu,
    };
    let linear = || Layer::Linear {
        name: "linear".into(),
        outputs: CLASSES,
        activation: None,
        dropout: false,
    };
    let residual = |body, projection: Option<&str>| Layer::Residual {
        body,
        projection: projection.map(str::to_owned),
    };
    let norm = |name: &str, dropout| Layer::Norm { name: name.into(), dropout };
    // Square: candle 0.11 has no gradient of a strided convolution on other images.
    let image = Size::image(3, 9, 9);
    vec![
        networks::mlp(12, &[20, 9], CLASSES, Activation::Relu).unwrap(),
        networks::mlp(12, &[20], CLASSES, Activation::Sigmoid).unwrap(),
        networks::mlp(12, &[20], CLASSES, Activation::Tanh).unwrap(),
        networks::convnet(Size::image(3, 8, 8), CLASSES).unwrap(),
        Network::new(
            "residual",
            image,
            vec![
                conv("conv", 5, 3, 1, Some("bn"), true),
                residual(vec![conv("a.conv", 5, 3, 1, Some("a.bn"), true)], None),
                residual(
                    vec![
                        conv("b.conv1", 8, 3, 2, Some("b.bn1"), true),
                        conv("b.conv2", 8, 3, 1, Some("b.bn2"), true),
                    ],
                    None,
                ),
                Layer::MeanPool,
                linear(),
            ],
        )
        .unwrap(),
        Network::new(
            "pre-activation",
            image,
            vec![
                conv("conv", 4, 5, 1, None, false),
                norm("a.bn1", false),
                residual(
                    vec![
                        conv("a.conv1", 6, 3, 2, None, false),
                        norm("a.bn2", true),
                        conv("a.conv2", 6, 3, 1, None, false),
                    ],
                    Some("a.shortcut"),
                ),
                residual(vec![norm("b.bn", false), conv("b.conv", 6, 3, 1, None, false)], None),
                norm("bn", false),
                Layer::MeanPool,
                linear(),
            ],
        )
        .unwrap(),
    ]
}

fn data(network: &Network, n: usize) -> Dataset {
    let Size { channels, height, width } = network.input();
    let x: Vec<f32> = (0..n * network.input().len())
        .map(|i| ((i * 7919 + 13) % 1009) as f32 / 500.0 - 1.0)
        .collect();
    let y: Vec<u32> = (0..n as u32).map(|i| i * 5 % CLASSES as u32).collect();
    let x = Tensor::from_vec(x, (n, channels, height, width), &Device::Cpu).unwrap();
    Dataset::new("test", x, Tensor::from_vec(y, n, &Device::Cpu).unwrap()).unwrap()
}

fn assert_close(found: &[f32], expected: &[f32], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let size = expected.iter().fold(1e-3, |max: f32, x| max.max(x.abs()));
    for (i, (f, e)) in found.iter().zip(expected).enumerate() {
        assert!((f - e).abs() < 3e-4 * size, "{what}[{i}]: {f}, expected {e} (size {size})");
    }
}

/// Networks whose last layer needs its output once more in the backward pass.
fn active_at_the_end() -> Vec<Network> {
    let conv = |norm: Option<&str>, relu| Layer::Conv {
        name: "conv".into(),
        outputs: CLASSES,
        kernel: 3,
        stride: 1,
        norm: norm.map(str::to_owned),
        relu,
    };
    let last = |name: &str, layers| Network::new(name, Size::image(3, 4, 4), layers).unwrap();
    let active = |activation| Layer::Linear {
        name: "linear".into(),
        outputs: CLASSES,
        activation: Some(activation),
        dropout: false,
    };
    let pool = || Layer::MaxPool { size: 4 };
    vec![
        last("sigmoid", vec![active(Activation::Sigmoid)]),
        last("tanh", vec![active(Activation::Tanh)]),
        last("max(0, ·)", vec![active(Activation::Relu)]),
        last("pooling", vec![conv(None, false), pool()]),
        last("pooling after a norm", vec![conv(Some("bn"), true), pool()]),
    ]
}

#[test]
fn gradients_and_statistics_are_candles() {
    for network in networks().into_iter().chain(active_at_the_end()) {
        assert_candles(&network, &data(&network, 10));
    }
}

/// The same image everywhere: every square that is pooled has several maxima, of which the first gets the
/// gradient.
#[test]
fn of_several_maxima_one_gets_the_gradient() {
    let convnet = networks::convnet(Size::image(1, 12, 12), CLASSES).unwrap();
    let (_, y) = data(&convnet, 10).gather(&(0..10).collect::<Vec<_>>()).unwrap();
    let x = Tensor::zeros((10, 1, 12, 12), candle_core::DType::F32, &Device::Cpu).unwrap();
    assert_candles(&convnet, &Dataset::new("blank", (x + 0.5).unwrap(), y).unwrap());
}

/// A normalisation that sees one value a channel, in a batch of one sample.
#[test]
fn one_value_has_a_variance_of_zero() {
    let linear = |name: &str, outputs| Layer::Linear {
        name: name.into(),
        outputs,
        activation: None,
        dropout: false,
    };
    let norm = Layer::Norm { name: "norm".into(), dropout: false };
    let layers = vec![linear("first", 5), norm, linear("last", CLASSES)];
    let network = Network::new("normalised", Size::vector(4), layers).unwrap();
    let data = data(&network, 1);
    let problem = Supervised::new(network.clone(), data.clone(), data.clone()).unwrap();
    let theta = problem.init(Key::new(1, Purpose::Init)).unwrap();
    let mut engine = Engine::new(&network, &theta, 1).unwrap();
    engine.load(&theta).unwrap();
    engine.gather(&data, &[0], None).unwrap();
    let key = Key::new(5, Purpose::Train);
    let (loss, _) = engine.forward(1, 0.0, key);
    let model = network.build(theta.var_builder()).unwrap();
    let (x, y) = data.gather(&[0]).unwrap();
    let output = network.forward(&model, &x, &Pass::training(0.0, key)).unwrap();
    let expected = f64::from(cross_entropy(&output, &y).unwrap().to_scalar::<f32>().unwrap());
    // A value is multiplied by 1/√ε, and so is its rounding.
    assert!((loss - expected).abs() < 1e-3, "{loss} {expected}");
    for (parameter, values) in theta.parameters().iter().zip(&engine.values) {
        parameter.read(|expected| assert_close(values, expected, &parameter.name)).unwrap();
    }
}

/// Gradients and running statistics of one batch, some times over.
fn assert_candles(network: &Network, data: &Dataset) {
    let n = data.len();
    let problem = Supervised::new(network.clone(), data.clone(), data.clone()).unwrap();
    let theta = problem.init(Key::new(1, Purpose::Init)).unwrap();
    let mut engine = Engine::new(network, &theta, 16).unwrap();
    let order: Vec<u32> = (0..n as u32).collect();
    for (round, dropout) in [0.0, 0.0, 0.3].into_iter().enumerate() {
        let key = Key::new(5, Purpose::Train).derive(round as u64);
        engine.load(&theta).unwrap();
        engine.gather(data, &order, None).unwrap();
        let (loss, gradient) = engine.forward(n, dropout, key);
        engine.backward(n, gradient, Backward::Keep);

        // candle's model works in θ's own memory, so its running statistics move with it.
        let model = network.build(theta.var_builder()).unwrap();
        let (x, y) = data.gather(&order).unwrap();
        let output = network.forward(&model, &x, &Pass::training(dropout, key)).unwrap();
        let expected = cross_entropy(&output, &y).unwrap();
        let gradients = expected.backward().unwrap();
        let expected = f64::from(expected.to_scalar::<f32>().unwrap());
        assert!((loss - expected).abs() < 1e-5, "{}: {loss}, {expected}", network.name());
        for (i, parameter) in theta.parameters().iter().enumerate() {
            let what = format!("{} {} in round {round}", network.name(), parameter.name);
            match parameter.role {
                Role::Weight => {
                    let gradient = gradients.get(parameter.tensor()).expect(&what);
                    let expected = gradient.flatten_all().unwrap().to_vec1::<f32>().unwrap();
                    assert_close(&engine.gradients[i], &expected, &what);
                }
                Role::Statistic => {
                    parameter
                        .read(|expected| assert_close(&engine.values[i], expected, &what))
                        .unwrap();
                }
            }
        }
    }
}

#[test]
fn evaluation_is_candles() {
    for network in networks() {
        let data = data(&network, 300);
        let problem = Supervised::new(network.clone(), data.clone(), data.clone()).unwrap();
        let theta = problem.init(Key::new(2, Purpose::Init)).unwrap();
        let found = problem.evaluate(&theta, &data).unwrap();
        let expected = evaluation::evaluate(&network, &theta, &data).unwrap();
        assert!((found.loss - expected.loss).abs() < 1e-5, "{found:?}, {expected:?}");
        assert_eq!(found.error, expected.error);
    }
}

#[test]
fn every_network_overfits_one_batch() {
    for network in networks() {
        let data = data(&network, 14);
        let problem = Supervised::new(network.clone(), data.clone(), data.clone()).unwrap();
        let mut theta = problem.init(Key::new(3, Purpose::Init)).unwrap();
        let hyper = adam();
        let mut state = problem.state(&theta, &hyper).unwrap();
        for epoch in 0..400 {
            let key = Key::new(4, Purpose::Train).derive(epoch);
            problem.epoch(&mut theta, &mut state, &hyper, key).unwrap();
        }
        let after = problem.evaluate(&theta, &data).unwrap();
        assert!(after.loss < 0.1 && after.error == Some(0.0), "{}: {after:?}", network.name());
    }
}

#[test]
fn data_that_do_not_fit_are_refused_in_one_sentence() {
    let all = networks();
    let (mlp, convnet) = (&all[0], &all[3]);
    let problem = Supervised::new(mlp.clone(), data(mlp, 4), data(mlp, 4)).unwrap();
    let theta = problem.init(Key::new(1, Purpose::Init)).unwrap();
    let message = problem.evaluate(&theta, &data(convnet, 4)).unwrap_err().to_string();
    assert!(message.contains("samples of 192 values"), "{message}");
}

fn adam() -> Hyperparameters {
    Hyperparameters { kind: "adam".into(), values: [("lr".into(), 0.01)].into() }
}

/// One epoch with this batch, on any engine that is idle, and the fitness after it.
fn bits(problem: &Supervised<Network>, seed: u64, batch: f64) -> (Vec<u32>, u64) {
    let mut theta = problem.init(Key::new(seed, Purpose::Init)).unwrap();
    let mut hyper = adam();
    hyper.values.insert("batch".into(), batch);
    let mut state = problem.state(&theta, &hyper).unwrap();
    problem.epoch(&mut theta, &mut state, &hyper, Key::new(seed, Purpose::Train)).unwrap();
    let values = theta.parameters().iter().flat_map(|parameter| {
        parameter.read(|v| v.iter().map(|x| x.to_bits()).collect::<Vec<_>>()).unwrap()
    });
    (values.collect(), problem.fitness(&theta).unwrap().to_bits())
}

#[test]
fn an_engine_forgets_who_used_it() {
    for network in networks() {
        let data = data(&network, 301);
        let fresh = || Supervised::new(network.clone(), data.clone(), data.clone()).unwrap();
        let shared = fresh();
        // The last batch of 300 has one sample; the engine grows at 300 and stays for 3.
        for (seed, batch) in [(1, 3.0), (2, 300.0), (1, 3.0), (2, 7.0), (3, 1e6), (2, 300.0)] {
            let expected = bits(&fresh(), seed, batch);
            assert_eq!(bits(&shared, seed, batch), expected, "{} {seed} {batch}", network.name());
        }
    }
}

#[test]
fn weights_of_another_network_are_refused() {
    let mlp = |hidden: &[usize]| networks::mlp(12, hidden, CLASSES, Activation::Relu).unwrap();
    let problem = |network: &Network| {
        Supervised::new(network.clone(), data(network, 4), data(network, 4)).unwrap()
    };
    let theta = |network: &Network| problem(network).init(Key::new(1, Purpose::Init)).unwrap();
    let network = mlp(&[20]);
    let used = problem(&network);
    used.fitness(&theta(&network)).unwrap();
    for other in [mlp(&[]), mlp(&[20, 20]), mlp(&[19])] {
        let theirs = theta(&other);
        assert!(problem(&network).fitness(&theirs).is_err());
        assert!(used.fitness(&theirs).is_err());
        let mut state = used.state(&theirs, &adam()).unwrap();
        let mut ours = theta(&network);
        let key = Key::new(1, Purpose::Train);
        let message = used.epoch(&mut ours, &mut state, &adam(), key).unwrap_err().to_string();
        assert!(message.contains("another network"), "{message}");
    }
}

#[test]
fn the_memory_is_what_was_forecast() {
    for network in networks() {
        let data = data(&network, 300);
        let problem = Supervised::new(network.clone(), data.clone(), data.clone()).unwrap();
        let theta = problem.init(Key::new(1, Purpose::Init)).unwrap();
        for batch in [1, 100, 300] {
            let mut engine = Engine::new(&network, &theta, batch).unwrap();
            let mut state = problem.state(&theta, &adam()).unwrap();
            for clip in [None, Some(1.0)] {
                let training = Training { batch, clip, ..Training::of(&adam(), 0).unwrap() };
                engine.epoch(&data, &training, &mut state, Key::new(1, Purpose::Train)).unwrap();
                engine.evaluate(&data).unwrap();
                let forecast = Engine::forecast(&network, batch, clip.is_some()).unwrap();
                assert_eq!(engine.bytes(), forecast, "{} {batch} {clip:?}", network.name());
            }
        }
    }
}

/// Networks that no machine has room for are as quickly forecast as any, and for the largest.
#[test]
fn a_forecast_makes_nothing() {
    let begin = std::time::Instant::now();
    let image = Size::image(1, 46_000, 46_000);
    let blocks = |n: usize| networks::resnet(20, Size::image(3, n, n), CLASSES).unwrap();
    let large = networks::mlp(1 << 31, &[1 << 16], CLASSES, Activation::Relu).unwrap();
    for network in [networks::convnet(Size::image(8, 6000, 6000), CLASSES).unwrap(), blocks(5000)] {
        let forecast = |batch| Engine::forecast(&network, batch, true).unwrap();
        assert!(forecast(1000) > 1 << 40, "{}", network.name());
        // Memory grows by as much with each sample.
        assert_eq!(forecast(1000) - forecast(900), forecast(900) - forecast(800));
        assert_eq!(forecast(usize::MAX), u64::MAX);
    }
    assert!(networks::convnet(image, CLASSES).is_err());
    assert!(Engine::forecast(&large, 1, false).unwrap() > 1 << 49);
    assert!(begin.elapsed().as_secs() < 5, "{:?}", begin.elapsed());
}

/// A limit that no gradient reaches goes the other way to the same bits.
#[test]
fn steps_at_once_are_steps_at_the_end() {
    for network in networks() {
        let data = data(&network, 40);
        let problem = Supervised::new(network.clone(), data.clone(), data.clone()).unwrap();
        let bits = |clip: Option<f64>| {
            let mut hyper = adam();
            hyper.values.insert("batch".into(), 16.0);
            hyper.values.extend(clip.map(|clip| ("clip".into(), clip)));
            let mut theta = problem.init(Key::new(1, Purpose::Init)).unwrap();
            let mut state = problem.state(&theta, &hyper).unwrap();
            for epoch in 0..3 {
                let key = Key::new(1, Purpose::Train).derive(epoch);
                problem.epoch(&mut theta, &mut state, &hyper, key).unwrap();
            }
            theta.values().unwrap().into_iter().map(f32::to_bits).collect::<Vec<_>>()
        };
        let at_once = bits(None);
        assert_eq!(at_once, bits(Some(1e9)), "{}", network.name());
        assert_ne!(at_once, bits(Some(1e-3)), "{}", network.name());
    }
}
