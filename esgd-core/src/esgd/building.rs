//! Building what a strategy plans: finding its sources, checking that it said it would use the operation, and
//! making networks of networks made before.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    Error, Executor, Fitness, Memory, Plan, Problem, Scored, Source,
    guarantee::{Evaluator, Network, ScoredPlan},
    plan::OperationKind,
    strategy::{Make, Memo, Networks},
    work,
};

/// What plans are built of: the population and the memory as they were when the step began.
pub(super) struct Builder<'a, P: Problem> {
    evaluator: &'a Evaluator<'a, P>,
    parents: &'a [&'a Scored<P::Genome>],
    memory: &'a Memory<P::Genome>,
    /// The operations that the strategy has said it uses.
    operations: &'a [OperationKind],
}

/// Networks that were built in the step.
pub(super) struct Built<G> {
    /// Offspring that are needed, by their numbers.
    pub(super) offspring: BTreeMap<usize, Scored<G>>,
    /// What was made after them.
    pub(super) made: Vec<Made<G>>,
}

/// A network that was made after the offspring. It is scored once all are made.
pub(super) enum Made<G> {
    Scored(Scored<G>),
    Plain(Arc<G>),
}

impl<G> Made<G> {
    /// With its fitness, if it has one.
    pub(super) fn scored(&self) -> Option<&Scored<G>> {
        match self {
            Self::Scored(scored) => Some(scored),
            Self::Plain(_) => None,
        }
    }

    fn network(&self) -> Network<'_, G> {
        match self {
            Self::Scored(scored) => Network::Scored(scored),
            Self::Plain(theta) => Network::Plain(theta),
        }
    }

    /// θ, shared.
    pub(super) fn shared(&self) -> Arc<G> {
        match self {
            Self::Scored(scored) => scored.shared(),
            Self::Plain(theta) => Arc::clone(theta),
        }
    }
}

impl<G> Built<G> {
    /// What was made after the offspring and has a fitness, by its number.
    pub(super) fn scored(&self) -> impl Iterator<Item = (usize, &Scored<G>)> {
        self.made.iter().enumerate().filter_map(|(i, made)| Some((i, made.scored()?)))
    }
}

impl<G> Default for Built<G> {
    fn default() -> Self {
        Self { offspring: BTreeMap::new(), made: vec![] }
    }
}

impl<'a, P: Problem> Builder<'a, P> {
    pub(super) fn new(
        evaluator: &'a Evaluator<'a, P>,
        parents: &'a [&'a Scored<P::Genome>],
        memory: &'a Memory<P::Genome>,
        operations: &'a [OperationKind],
    ) -> Self {
        Self { evaluator, parents, memory, operations }
    }

    /// Builds an offspring, measures it and lets it go.
    pub(super) fn measure(&self, plan: &Plan) -> Result<Fitness, Error<P::Error>> {
        let nothing = Built::default();
        self.evaluator.measure_plan(plan, &self.sources(plan, &nothing)?)
    }

    /// Builds an offspring again, with the fitness that it was measured to have.
    pub(super) fn build_scored(
        &self,
        one: &ScoredPlan,
    ) -> Result<Scored<P::Genome>, Error<P::Error>> {
        let nothing = Built::default();
        self.evaluator.build_scored(one, &self.sources(one.plan(), &nothing)?)
    }

    /// Makes networks in order, those together that are made of nothing among them; none has a fitness yet.
    pub(super) fn make(
        &self,
        executor: &dyn Executor,
        makes: &[Make],
        built: &mut Built<P::Genome>,
    ) -> Result<(), Error<P::Error>> {
        while built.made.len() < makes.len() {
            let first = built.made.len();
            let waits = |make: &Make| {
                let made = make.plan.sources.iter().filter_map(Source::made);
                made.into_iter().any(|i| i >= first)
            };
            let ready = makes[first..].iter().take_while(|make| !waits(make)).count();
            if ready == 0 {
                let what = format!("makes network {first} of itself, or of one made later");
                return Err(self.misled(what));
            }
            let done = work::try_map(
                executor,
                makes[first..first + ready].iter().collect(),
                |_, make| {
                    let sources = self.sources(&make.plan, built)?;
                    let theta = self.evaluator.build(&make.plan, &sources)?;
                    Ok::<_, Error<P::Error>>(Made::Plain(Arc::new(theta)))
                },
            )?;
            built.made.extend(done);
        }
        Ok(())
    }

    /// The memory that a memo says, of what was built.
    pub(super) fn remember(
        &self,
        memo: Memo,
        built: &Built<P::Genome>,
    ) -> Result<Memory<P::Genome>, Error<P::Error>> {
        let odd = memo.numbers.iter().find(|(_, list)| list.iter().any(|x| !x.is_finite()));
        if let Some((name, _)) = odd {
            return Err(self.misled(format!("remembers a number `{name}` that is not finite")));
        }
        let mut networks = BTreeMap::new();
        for (slot, source) in memo.remember {
            networks.insert(slot, self.shared(&source, built)?);
        }
        let strategy = self.memory.strategy.clone();
        Ok(Memory { strategy, numbers: memo.numbers, networks })
    }

    /// A network to remember.
    fn shared(
        &self,
        source: &Source,
        built: &Built<P::Genome>,
    ) -> Result<Arc<P::Genome>, Error<P::Error>> {
        let found = match source {
            Source::Parent(rank) => self.parents.get(*rank).map(|one| one.shared()),
            Source::Offspring(i) => built.offspring.get(i).map(Scored::shared),
            Source::Made(i) => built.made.get(*i).map(Made::shared),
            Source::Memory(slot) => self.memory.networks.get(slot).cloned(),
        };
        found.ok_or_else(|| self.missing(source))
    }

    /// The sources of a plan, which may be built.
    fn sources<'b>(
        &'b self,
        plan: &Plan,
        built: &'b Built<P::Genome>,
    ) -> Result<Vec<Network<'b, P::Genome>>, Error<P::Error>> {
        let kind = plan.operation.kind();
        if !self.operations.contains(&kind) {
            return Err(self.misled(format!("uses the operation {kind}, which it did not name")));
        }
        if let Some(fault) = plan.operation.fault(plan.sources.len()) {
            return Err(self.misled(format!("plans what cannot be: {fault}")));
        }
        let find = |source: &Source| self.find(source, built).ok_or_else(|| self.missing(source));
        plan.sources.iter().map(find).collect()
    }

    fn find<'b>(
        &'b self,
        source: &Source,
        built: &'b Built<P::Genome>,
    ) -> Option<Network<'b, P::Genome>> {
        match source {
            Source::Parent(rank) => self.parents.get(*rank).map(|&one| Network::Scored(one)),
            Source::Offspring(i) => built.offspring.get(i).map(Network::Scored),
            Source::Made(i) => built.made.get(*i).map(Made::network),
            Source::Memory(slot) => {
                self.memory.networks.get(slot).map(|one| Network::Plain(&**one))
            }
        }
    }

    fn missing(&self, source: &Source) -> Error<P::Error> {
        self.misled(format!(
            "names {source}, which is not there: expected a rank below mu = {}, an offspring once all are \
             scored, what was made before or what is remembered",
            self.parents.len()
        ))
    }

    fn misled(&self, what: String) -> Error<P::Error> {
        Error::Strategy { name: self.memory.strategy.clone(), what }
    }
}

impl<P: Problem> Networks for Builder<'_, P> {
    fn dimension(&self) -> Option<usize> {
        self.evaluator.problem().dimension(self.parents.first()?.theta())
    }

    fn norm(&self, of: &Source) -> Option<f64> {
        let nothing = Built::default();
        self.evaluator.problem().norm(self.find(of, &nothing)?.theta())
    }

    fn values(&self, of: &Source) -> Option<Vec<f64>> {
        let nothing = Built::default();
        self.evaluator.problem().values(self.find(of, &nothing)?.theta())
    }
}
