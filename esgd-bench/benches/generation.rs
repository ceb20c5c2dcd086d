//! A whole generation on the digits, and how it scales with workers. Throughput is epochs of
//! individuals a second.

use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use esgd_bench::{
    methods::single,
    task::{self, Task},
};
use esgd_core::{Esgd, Settings};
use esgd_models::Workers;

/// Measures the second generation of `settings` on `n` workers; the first is set up outside.
fn generation(c: &mut Criterion, group: &str, task: &Task, settings: &Settings, n: usize) {
    let workers = Workers::new(n).unwrap();
    let until = |generations| Settings { generations, ..settings.clone() };
    let (first, second) = (until(1), until(2));
    let mut group = c.benchmark_group(group);
    group.throughput(Throughput::Elements((settings.mu * settings.epochs) as u64));
    group.sample_size(20).warm_up_time(Duration::from_secs(1));
    group.measurement_time(Duration::from_secs(5));
    group.bench_function(format!("mu {}, workers {n}", settings.mu), |bench| {
        bench.iter_batched(
            || {
                Esgd::new(&task.problem, &first)
                    .executor(&workers)
                    .run()
                    .map_err(|f| f.error)
                    .unwrap()
                    .population
            },
            |psi| {
                Esgd::new(&task.problem, &second)
                    .executor(&workers)
                    .resume(psi)
                    .map_err(|f| f.error)
                    .unwrap()
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

fn generations(c: &mut Criterion) {
    let task = task::digits().unwrap();
    let one = single(2, 3, 0.1);
    let evolved = Settings { mu: 8, lambda: 32, rho: 2, m: 5, evolution_steps: 1, ..one.clone() };
    for workers in [1, 2] {
        generation(c, "generation", &task, &evolved, workers);
    }
    // Without evolution, which is what 1 individual could not do: throughput should nearly double.
    for n in [1, 2] {
        let settings = Settings { mu: n, ..one.clone() };
        generation(c, "scaling", &task, &settings, n);
    }
}

criterion_group!(benches, generations);
criterion_main!(benches);
