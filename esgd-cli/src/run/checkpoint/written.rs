//! Which networks in memory were written, and under which names: one that several share, or that is still there
//! since the last checkpoint, is not made bytes and hashed again.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Weak},
};

/// The name of each network's file, by where the network is in memory.
#[derive(Debug)]
pub(super) struct Written<G> {
    /// As long as a weak pointer is kept, no other network comes to its place.
    names: HashMap<usize, (Weak<G>, String)>,
}

impl<G> Written<G> {
    pub(super) fn new() -> Self {
        Self { names: HashMap::new() }
    }

    /// The name under which a network was written.
    pub(super) fn name(&self, theta: &Arc<G>) -> Option<&str> {
        self.names.get(&place(theta)).map(|(_, name)| &**name)
    }

    /// Keeps that a network was written under this name.
    pub(super) fn add(&mut self, theta: &Arc<G>, name: &str) {
        self.names.insert(place(theta), (Arc::downgrade(theta), name.to_owned()));
    }

    /// Forgets all but these names, and networks that are gone.
    pub(super) fn retain(&mut self, wanted: &HashSet<&String>) {
        self.names.retain(|_, (theta, name)| theta.strong_count() > 0 && wanted.contains(&&*name));
    }
}

fn place<G>(theta: &Arc<G>) -> usize {
    Arc::as_ptr(theta).addr()
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, PoisonError};

    use esgd_core::{
        BuildError, Function, Hyperparameters, Objective, Operation, OperationKind, Portable,
        Problem, Settings, TestFunction,
        rng::Key,
        settings::Way,
        strategy::{Nested, NestedSuccession},
    };

    use super::*;
    use crate::Session;

    /// A problem that keeps what was made of its networks.
    struct Kept {
        problem: TestFunction,
        written: Mutex<Vec<Vec<u8>>>,
    }

    type Theta = <TestFunction as Problem>::Genome;
    type State = <TestFunction as Problem>::State;

    impl Problem for Kept {
        type Genome = Theta;
        type State = State;
        type Error = BuildError;

        fn objective(&self) -> Objective {
            self.problem.objective()
        }

        fn init(&self, key: Key) -> Result<Theta, BuildError> {
            self.problem.init(key)
        }

        fn fork(&self, theta: &Theta) -> Result<Theta, BuildError> {
            self.problem.fork(theta)
        }

        fn state(&self, theta: &Theta, hyper: &Hyperparameters) -> Result<State, BuildError> {
            self.problem.state(theta, hyper)
        }

        fn epoch(
            &self,
            theta: &mut Theta,
            state: &mut State,
            hyper: &Hyperparameters,
            key: Key,
        ) -> Result<(), BuildError> {
            self.problem.epoch(theta, state, hyper, key)
        }

        fn fitness(&self, theta: &Theta) -> Result<f64, BuildError> {
            self.problem.fitness(theta)
        }

        fn build(
            &self,
            operation: &Operation,
            sources: &[&Theta],
            key: Key,
        ) -> Result<Theta, BuildError> {
            self.problem.build(operation, sources, key)
        }

        fn builds(&self, kind: &OperationKind) -> bool {
            self.problem.builds(kind)
        }
    }

    impl Portable for Kept {
        fn write_genome(&self, theta: &Theta) -> Result<Vec<u8>, BuildError> {
            let bytes = self.problem.write_genome(theta)?;
            self.written.lock().unwrap_or_else(PoisonError::into_inner).push(bytes.clone());
            Ok(bytes)
        }

        fn read_genome(&self, bytes: &[u8]) -> Result<Theta, BuildError> {
            self.problem.read_genome(bytes)
        }

        fn write_state(&self, theta: &Theta, state: &State) -> Result<Vec<u8>, BuildError> {
            self.problem.write_state(theta, state)
        }

        fn read_state(&self, theta: &Theta, bytes: &[u8]) -> Result<State, BuildError> {
            self.problem.read_state(theta, bytes)
        }
    }

    #[test]
    fn a_remembered_network_is_made_bytes_once() {
        let problem = TestFunction::new(Function::Rosenbrock, 4);
        let problem = Kept { problem, written: Mutex::default() };
        let mut settings = Settings {
            mu: 5,
            m: 3,
            rho: 2,
            generations: 30,
            epochs: 2,
            optimizers: TestFunction::optimizers(),
            ..Settings::paper()
        };
        settings.guarantee.way = Way::Archive;
        let strategy = Nested { succession: NestedSuccession::Elitist, trail: vec![20] };
        let dir = tempfile::tempdir().unwrap();
        let session = Session::new(&problem, &settings, dir.path()).strategy(&strategy);
        let run = session.checkpoint_share(1.0).run().unwrap();
        assert_eq!(run.population.memory().unwrap().networks.len(), 20);
        let written = problem.written.into_inner().unwrap();
        let once: HashSet<&Vec<u8>> = written.iter().collect();
        assert_eq!(written.len(), once.len());
        assert!(once.len() > 60, "{}", once.len());
    }

    #[test]
    fn no_network_has_the_name_of_one_that_is_gone() {
        let (name, other) = ("a".to_owned(), "b".to_owned());
        let mut written = Written::new();
        for i in 0..1000 {
            let theta = Arc::new(i);
            assert_eq!(written.name(&theta), None);
            written.add(&theta, &name);
            assert_eq!(written.name(&theta), Some("a"));
        }
        let (kept, dropped) = (Arc::new(1), Arc::new(2));
        written.add(&kept, &name);
        written.add(&dropped, &other);
        written.retain(&HashSet::from([&name]));
        assert_eq!((written.name(&kept), written.name(&dropped)), (Some("a"), None));
        assert_eq!(written.names.len(), 1);
    }
}
