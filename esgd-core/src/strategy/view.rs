//! What a strategy sees of a run when it is asked and told.

use crate::{
    Fitness, Id, Numbers, Settings, Source,
    rng::{Key, Purpose},
};

/// A member of the population, as a strategy sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parent {
    /// Who it is.
    pub id: Id,
    /// Its fitness.
    pub fitness: Fitness,
}

/// A problem's answers about networks, where it has any.
pub(crate) trait Networks {
    fn dimension(&self) -> Option<usize>;
    fn norm(&self, of: &Source) -> Option<f64>;
    fn values(&self, of: &Source) -> Option<Vec<f64>>;
}

/// No problem is there to ask.
impl Networks for () {
    fn dimension(&self) -> Option<usize> {
        None
    }

    fn norm(&self, _: &Source) -> Option<f64> {
        None
    }

    fn values(&self, _: &Source) -> Option<Vec<f64>> {
        None
    }
}

/// Where in a run an evolution step stands, and what it stands on.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The run's settings.
    pub settings: &'a Settings,
    /// The generation k = 1 … K.
    pub k: usize,
    /// The evolution step v = 1 … K_v.
    pub v: usize,
    /// The population, best first.
    pub parents: &'a [Parent],
    /// The numbers that the strategy remembers.
    pub numbers: &'a Numbers,
    networks: &'a dyn Networks,
}

impl<'a> View<'a> {
    /// A view without a problem, to try a strategy by itself.
    #[must_use]
    pub fn new(
        settings: &'a Settings,
        k: usize,
        v: usize,
        parents: &'a [Parent],
        numbers: &'a Numbers,
    ) -> Self {
        Self { settings, k, v, parents, numbers, networks: &() }
    }

    /// The same with a problem that answers for networks.
    pub(crate) fn with_networks(self, networks: &'a dyn Networks) -> Self {
        Self { networks, ..self }
    }

    /// The key of `purpose` for offspring `i` of this step.
    #[must_use]
    pub fn key(&self, purpose: Purpose, i: usize) -> Key {
        Key::new(self.settings.seed, purpose).generation(self.k).step(self.v).individual(i)
    }

    /// The number that is remembered as `name`, if one is.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<f64> {
        self.numbers.get(name)?.first().copied()
    }

    /// How many values a network has, if the problem says so.
    #[must_use]
    pub fn dimension(&self) -> Option<usize> {
        self.networks.dimension()
    }

    /// The length of a parent or a remembered network, if the problem says so.
    #[must_use]
    pub fn norm(&self, of: &Source) -> Option<f64> {
        self.networks.norm(of)
    }

    /// The values of a parent or a remembered network, if the problem gives them.
    #[must_use]
    pub fn values(&self, of: &Source) -> Option<Vec<f64>> {
        self.networks.values(of)
    }
}
