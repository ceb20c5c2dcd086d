//! Train and score: a network is made or copied, trained for some epochs and scored. The SGD step, a shared
//! start and successive halving all train this way.

use crate::{
    Error, Hyperparameters, Problem, Scored,
    guarantee::{Evaluator, Unscored},
    rng::Key,
};

/// What a training begins with.
pub(crate) enum Begin<'a, G> {
    /// A new network, drawn with this key.
    New(Key),
    /// A copy of this one, which stays as it is.
    From(&'a G),
}

/// What a training makes: a scored network, and the optimizer's state after it.
pub(crate) type Trained<P> = (Scored<<P as Problem>::Genome>, <P as Problem>::State);

/// An epoch for each key, with this state of the optimizer or a fresh one; then the score of what came out.
pub(crate) fn train<P: Problem>(
    evaluator: &Evaluator<'_, P>,
    begin: Begin<'_, P::Genome>,
    state: Option<P::State>,
    hyper: &Hyperparameters,
    epochs: impl Iterator<Item = Key>,
) -> Result<Trained<P>, Error<P::Error>> {
    let problem = evaluator.problem();
    let train = || {
        let theta = match begin {
            Begin::New(key) => problem.init(key)?,
            Begin::From(theta) => problem.fork(theta)?,
        };
        let mut state = match state {
            Some(state) => state,
            None => problem.state(&theta, hyper)?,
        };
        let mut unscored = Unscored::new(theta);
        for key in epochs {
            problem.epoch(unscored.theta_mut(), &mut state, hyper, key)?;
        }
        Ok((unscored, state))
    };
    let (unscored, state) = train().map_err(Error::Problem)?;
    Ok((evaluator.score(unscored)?, state))
}
