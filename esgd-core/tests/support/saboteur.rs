//! A problem on three numbers that sabotages a run: it lies about fitness, ruins what it trains,
//! breaks down, or changes its objective. It also keeps a list of every score it told.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use esgd_core::{
    Hyperparameters, Objective, Operation, OperationKind, Population, Portable, Problem, Settings,
    build,
    rng::{Key, Philox, Purpose},
    strategy::Exit,
};
use proptest::prelude::*;
use thiserror::Error;

/// How fitness is told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Told {
    /// The sum of squares.
    Honestly,
    /// Any number, whatever θ is: it depends on how often it was asked.
    AtRandom,
    /// Worse each time it is asked.
    Rising,
    /// Better each time it is asked.
    Sinking,
    /// Now and then NaN, ±∞ or a number close to overflow.
    Wildly,
    /// The first so many scores honestly, all later ones worse than any of them.
    WorseAfter(usize),
}

/// What an epoch does to θ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Trained {
    /// A step towards zero.
    Well,
    /// Nothing.
    Not,
    /// θ is replaced by large random numbers.
    ToPieces,
    /// NaN is written into θ.
    ToNan,
    /// One of these, as the key has it.
    Somehow,
}

/// A method of a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Init,
    Fork,
    State,
    Epoch,
    Fitness,
    Build,
}

impl Method {
    pub(crate) const ALL: [Self; 6] =
        [Self::Init, Self::Fork, Self::State, Self::Epoch, Self::Fitness, Self::Build];
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum Fault {
    #[error("call {1} of {0:?} breaks down")]
    Broken(Method, usize),
    #[error("an optimizer's state was handed in with a network that it does not belong to")]
    StateAstray,
}

#[derive(Debug)]
pub(crate) struct Saboteur {
    told: Told,
    trained: Trained,
    /// Which call of which method fails.
    pub(crate) breaks: Option<(Method, usize)>,
    /// How many scores it gives before its objective moves.
    pub(crate) objective_changes_after: usize,
    /// Whether individuals may go on with the state of another network, as where all go on from the best.
    states_may_stray: bool,
    calls: [AtomicUsize; 6],
    told_scores: Mutex<HashMap<Vec<u32>, HashSet<u64>>>,
    keys: Mutex<Vec<Key>>,
}

impl Saboteur {
    pub(crate) fn new(told: Told, trained: Trained) -> Self {
        Self {
            told,
            trained,
            breaks: None,
            objective_changes_after: usize::MAX,
            states_may_stray: false,
            calls: Default::default(),
            told_scores: Mutex::default(),
            keys: Mutex::default(),
        }
    }

    /// As if it had been asked for a score.
    /// One for a run under these settings.
    pub(crate) fn under(settings: &Settings, told: Told, trained: Trained) -> Self {
        let strategy = esgd_core::strategy::make(&settings.strategy).unwrap();
        let states_may_stray = strategy.needs(settings).exit == Exit::Free;
        Self { states_may_stray, ..Self::new(told, trained) }
    }

    pub(crate) fn objective_has_changed(&self) {
        self.calls[Method::Fitness as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Every key that it was handed, in order.
    pub(crate) fn keys(&self) -> Vec<Key> {
        self.keys.lock().unwrap().clone()
    }

    /// Whether every individual bears a score that was told for its very θ.
    pub(crate) fn told_all(&self, population: &Population<Vec<f32>, Vec<f32>>) -> bool {
        let told_scores = self.told_scores.lock().unwrap();
        population.individuals().iter().all(|one| {
            let told = told_scores.get(&bits(one.scored().theta()));
            told.is_some_and(|told| told.contains(&one.fitness().get().to_bits()))
        })
    }

    fn enter(&self, method: Method) -> Result<usize, Fault> {
        let n = self.calls[method as usize].fetch_add(1, Ordering::Relaxed) + 1;
        if self.breaks == Some((method, n)) { Err(Fault::Broken(method, n)) } else { Ok(n) }
    }

    fn note(&self, key: Key) -> Philox {
        self.keys.lock().unwrap().push(key);
        key.stream()
    }

    fn loss(&self, theta: &[f32], n: usize) -> f64 {
        let honest: f64 = theta.iter().map(|&x| f64::from(x).powi(2)).sum();
        let mut rng = Key::new(n as u64, Purpose::Derived).stream();
        match self.told {
            Told::Honestly => honest,
            Told::AtRandom => 10.0 * rng.unit() - 5.0,
            Told::Rising => honest + n as f64,
            Told::Sinking => honest - n as f64,
            Told::Wildly => {
                let odd = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -f64::NAN, f64::MAX];
                odd.get(rng.below(12)).copied().unwrap_or(honest)
            }
            Told::WorseAfter(first) => honest + if n > first { 1e9 } else { 0.0 },
        }
    }
}

impl Problem for Saboteur {
    type Genome = Vec<f32>;
    /// θ as the last epoch left it, so that a state can tell whether it is with its network.
    type State = Vec<f32>;
    type Error = Fault;

    fn objective(&self) -> Objective {
        let asked = self.calls[Method::Fitness as usize].load(Ordering::Relaxed);
        Objective::new(if asked > self.objective_changes_after { "metres" } else { "feet" })
    }

    fn init(&self, key: Key) -> Result<Vec<f32>, Fault> {
        self.enter(Method::Init)?;
        let mut rng = self.note(key);
        Ok((0..3).map(|_| (4.0 * rng.unit() - 2.0) as f32).collect())
    }

    fn fork(&self, theta: &Vec<f32>) -> Result<Vec<f32>, Fault> {
        self.enter(Method::Fork)?;
        Ok(theta.clone())
    }

    fn state(&self, theta: &Vec<f32>, _: &Hyperparameters) -> Result<Vec<f32>, Fault> {
        self.enter(Method::State)?;
        Ok(theta.clone())
    }

    fn epoch(
        &self,
        theta: &mut Vec<f32>,
        state: &mut Vec<f32>,
        _: &Hyperparameters,
        key: Key,
    ) -> Result<(), Fault> {
        self.enter(Method::Epoch)?;
        if !self.states_may_stray && bits(theta) != bits(state) {
            return Err(Fault::StateAstray);
        }
        let mut rng = self.note(key);
        let somehow = [Trained::Well, Trained::Not, Trained::ToPieces, Trained::ToNan];
        let trained = match self.trained {
            Trained::Somehow => somehow[rng.below(4)],
            trained => trained,
        };
        match trained {
            Trained::Well => theta.iter_mut().for_each(|x| *x *= 0.9),
            Trained::ToPieces => theta.fill_with(|| (100.0 + 100.0 * rng.unit()) as f32),
            Trained::ToNan => theta[0] = f32::NAN,
            Trained::Not | Trained::Somehow => {}
        }
        state.clone_from(theta);
        Ok(())
    }

    fn fitness(&self, theta: &Vec<f32>) -> Result<f64, Fault> {
        let loss = self.loss(theta, self.enter(Method::Fitness)?);
        // Said again here: what is not a number is the worst there is.
        let told = if loss.is_finite() { loss + 0.0 } else { f64::INFINITY }.to_bits();
        self.told_scores.lock().unwrap().entry(bits(theta)).or_default().insert(told);
        Ok(loss)
    }

    fn build(
        &self,
        operation: &Operation,
        sources: &[&Vec<f32>],
        key: Key,
    ) -> Result<Vec<f32>, Fault> {
        self.enter(Method::Build)?;
        self.note(key);
        let sources: Vec<_> = sources.iter().map(|source| &source[..]).collect();
        Ok(build(operation, &sources, key).expect("what core asks for can be built"))
    }

    fn builds(&self, kind: &OperationKind) -> bool {
        !matches!(kind, OperationKind::Custom(_))
    }
}

/// Values as little-endian bytes.
impl Portable for Saboteur {
    fn write_genome(&self, theta: &Vec<f32>) -> Result<Vec<u8>, Fault> {
        Ok(theta.iter().flat_map(|x| x.to_le_bytes()).collect())
    }

    fn read_genome(&self, bytes: &[u8]) -> Result<Vec<f32>, Fault> {
        Ok(bytes.as_chunks().0.iter().map(|x| f32::from_le_bytes(*x)).collect())
    }

    fn write_state(&self, _: &Vec<f32>, state: &Vec<f32>) -> Result<Vec<u8>, Fault> {
        self.write_genome(state)
    }

    fn read_state(&self, _: &Vec<f32>, bytes: &[u8]) -> Result<Vec<f32>, Fault> {
        self.read_genome(bytes)
    }
}

pub(crate) fn bits(theta: &[f32]) -> Vec<u32> {
    theta.iter().map(|x| x.to_bits()).collect()
}

/// Every way of telling fitness with every way of training.
pub(crate) fn every_kind() -> impl Iterator<Item = (Told, Trained)> {
    use Told::*;
    use Trained::*;
    [Honestly, AtRandom, Rising, Sinking, Wildly, WorseAfter(6)]
        .into_iter()
        .flat_map(|told| [Well, Not, ToPieces, ToNan, Somehow].map(|trained| (told, trained)))
}

pub(crate) fn any_kind() -> impl Strategy<Value = (Told, Trained)> {
    proptest::sample::select(every_kind().collect::<Vec<_>>())
}
