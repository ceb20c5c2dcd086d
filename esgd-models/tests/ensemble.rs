//! Several networks as one, through the public interface.

use candle_core::Tensor;
use candle_nn::VarBuilder;
use esgd_core::{
    Hyperparameters, Problem,
    rng::{Key, Purpose},
};
use esgd_models::{
    Genome, Network, Parameter, Pass, Predictions, Role, Supervised, Task,
    data::{self, Sizes, Splits},
    networks::{self, Size},
};

fn digits() -> Splits {
    let sizes = Sizes { train: Some(256), validation: Some(100), test: Some(50) };
    data::digits(sizes).unwrap()
}

fn convnet() -> (Supervised<Network>, Splits) {
    let splits = digits();
    let network = networks::resnet(20, Size::image(1, 8, 8), 10).unwrap();
    (Supervised::new(network, splits.train.clone(), splits.validation.clone()).unwrap(), splits)
}

fn init(problem: &Supervised<Network>, seed: u64) -> Genome {
    problem.init(Key::new(seed, Purpose::Init)).unwrap()
}

fn trained(problem: &Supervised<Network>, theta: &Genome, lr: f64, batch: f64) -> Genome {
    let values = [("lr".to_owned(), lr), ("batch".to_owned(), batch)].into();
    let hyper = Hyperparameters { kind: "sgd".into(), values };
    let mut copy = problem.fork(theta).unwrap();
    let mut state = problem.state(theta, &hyper).unwrap();
    problem.epoch(&mut copy, &mut state, &hyper, Key::new(1, Purpose::Train)).unwrap();
    copy
}

#[test]
fn predictions_have_the_loss_and_error_of_their_network() {
    let (problem, splits) = convnet();
    let theta = trained(&problem, &init(&problem, 1), 0.05, 32.0);
    for data in [&splits.train, &splits.validation, &splits.test] {
        let direct = problem.evaluate(&theta, data).unwrap();
        let predictions = problem.predict(&theta, data).unwrap();
        let through = predictions.evaluate(data).unwrap();
        assert_eq!((direct.error, direct.samples), (through.error, through.samples));
        assert!((direct.loss - through.loss).abs() < 1e-5, "{} {}", direct.loss, through.loss);
    }
    let predictions = problem.predict(&theta, &splits.test).unwrap();
    let message = predictions.evaluate(&splits.train).unwrap_err().to_string();
    assert!(message.contains("expected those"), "{message}");
}

/// Jensen: −ln of a mean is at most the mean of −ln.
#[test]
fn an_ensemble_has_at_most_the_mean_loss_of_its_members() {
    let (problem, splits) = convnet();
    let members: Vec<_> =
        (1..4).map(|seed| trained(&problem, &init(&problem, seed), 0.05, 32.0)).collect();
    let predict = |theta| problem.predict(theta, &splits.validation).unwrap();
    let all: Vec<_> = members.iter().map(predict).collect();
    let mean = all.iter().map(|p| p.evaluate(&splits.validation).unwrap().loss).sum::<f64>() / 3.0;
    let together = Predictions::mean(&all.iter().collect::<Vec<_>>()).unwrap();
    let loss = together.evaluate(&splits.validation).unwrap().loss;
    assert!(loss < mean, "{loss} {mean}");
    let alone = Predictions::mean(&[&all[0], &all[0]]).unwrap();
    assert_eq!(alone, all[0]);
    let others = problem.predict(&members[0], &splits.test).unwrap();
    assert!(Predictions::mean(&[&all[0], &others]).is_none());
}

#[test]
fn the_average_of_networks_averages_weights_and_statistics() {
    let (problem, _) = convnet();
    let members = [init(&problem, 1), init(&problem, 2)];
    let mean = problem.average(&[&members[0], &members[1]]).unwrap();
    let values = |theta: &Genome| theta.values().unwrap();
    let expected =
        values(&members[0]).into_iter().zip(values(&members[1])).map(|(a, b)| (a + b) / 2.0);
    assert!(values(&mean).into_iter().eq(expected));
    assert!(problem.average(&[]).is_err());
}

/// A step of size 0 in one batch moves the running statistics a tenth of the way to the batch's, and
/// nothing else; the statistics estimated anew are the batch's.
#[test]
fn statistics_that_are_estimated_anew_are_those_of_the_batches() {
    let (problem, splits) = convnet();
    let theta = trained(&problem, &init(&problem, 1), 0.05, 32.0);
    let one_batch = Supervised::new(
        problem.task().clone(),
        splits.validation.clone(),
        splits.validation.clone(),
    )
    .unwrap();
    let moved = trained(&one_batch, &theta, 0.0, 100.0);
    let anew = one_batch.reestimated(&theta, 100).unwrap().unwrap();
    let all = theta.parameters().iter().zip(moved.parameters()).zip(anew.parameters());
    for ((old, moved), anew) in all {
        let role = old.role;
        let [old, moved, anew] = [old, moved, anew]
            .map(|parameter| parameter.tensor().flatten_all().unwrap().to_vec1::<f32>().unwrap());
        if role == Role::Weight {
            assert!(old == moved && old == anew);
            continue;
        }
        assert_ne!(old, anew);
        for ((old, moved), anew) in old.into_iter().zip(moved).zip(anew) {
            let expected = 0.9 * old + 0.1 * anew;
            assert!((moved - expected).abs() <= 1e-5 * (1.0 + anew.abs()), "{moved} {expected}");
        }
    }
}

/// The same network as a task that the engine does not know.
struct OnCandle(Network);

impl Task for OnCandle {
    type Model = <Network as Task>::Model;

    fn build(&self, vb: VarBuilder<'_>) -> candle_core::Result<Self::Model> {
        self.0.build(vb)
    }

    fn forward(&self, model: &Self::Model, x: &Tensor, pass: &Pass) -> candle_core::Result<Tensor> {
        self.0.forward(model, x, pass)
    }
}

#[test]
fn candle_estimates_statistics_as_the_engine_does() {
    let (problem, splits) = convnet();
    let theta = trained(&problem, &init(&problem, 1), 0.05, 32.0);
    let task = OnCandle(problem.task().clone());
    let on_candle = Supervised::new(task, splits.train.clone(), splits.validation.clone()).unwrap();
    // Less than a batch, and two with a rest that does not count.
    for samples in [50, 256, 200] {
        let by_engine = problem.reestimated(&theta, samples).unwrap().unwrap();
        let by_candle = on_candle.reestimated(&theta, samples).unwrap().unwrap();
        for (a, b) in by_engine.parameters().iter().zip(by_candle.parameters()) {
            let values =
                |p: &Parameter| p.tensor().flatten_all().unwrap().to_vec1::<f32>().unwrap();
            for (a, b) in values(a).into_iter().zip(values(b)) {
                assert!((a - b).abs() <= 2e-4 * (1.0 + a.abs()), "{samples}: {a} {b}");
            }
        }
        let loss = |theta| problem.fitness(theta).unwrap();
        assert_ne!(loss(&by_candle), loss(&theta));
        assert!((loss(&by_candle) - loss(&by_engine)).abs() < 1e-3);
    }
}

#[test]
fn a_network_without_statistics_has_none_to_estimate() {
    let splits = digits();
    let mlp = networks::mlp(64, &[8], 10, esgd_models::Activation::Relu).unwrap();
    let problem = Supervised::new(mlp, splits.train.clone(), splits.validation.clone()).unwrap();
    assert!(problem.reestimated(&init(&problem, 1), 100).unwrap().is_none());
}
