//! The evolution step's kernel: how many parameters a second become an offspring's, next to what
//! copying them takes.

use std::{hint::black_box, time::Duration};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use esgd_bench::task::perceptron;
use esgd_core::{
    Mutation, Problem, Scale,
    rng::{Key, Purpose},
};
use esgd_models::{Supervised, data};

fn evolution(c: &mut Criterion) {
    // Offspring are made without looking at data, so any will do.
    let data = data::digits(data::Sizes { validation: Some(300), ..Default::default() }).unwrap();
    let mlp = perceptron(&[784, 256, 128, 10]);
    let problem = Supervised::new(mlp, data.train, data.validation).unwrap();
    let key = Key::new(1, Purpose::Init);
    let parents = [1, 2].map(|j| problem.init(key.individual(j)).unwrap());
    let [a, b] = &parents;

    let mut group = c.benchmark_group("evolution");
    group.throughput(Throughput::Elements(a.len() as u64));
    group.warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(4));
    for sigma in [0.01, 0.0] {
        let mutation = Mutation { sigma, scale: Scale::Absolute };
        let key = Key::new(1, Purpose::Mutation);
        group.bench_function(format!("recombine, rho 2, sigma {sigma}"), |bench| {
            bench.iter(|| problem.recombine(&[black_box(a), b], mutation, key).unwrap());
        });
    }
    group.bench_function("fork", |bench| bench.iter(|| problem.fork(black_box(a)).unwrap()));
    let (from, mut to) = (vec![1.0f32; a.len()], vec![0.0f32; a.len()]);
    group.bench_function("memory copy", |bench| {
        bench.iter(|| black_box(&mut to).copy_from_slice(black_box(&from)));
    });
    group.finish();
}

criterion_group!(benches, evolution);
criterion_main!(benches);
