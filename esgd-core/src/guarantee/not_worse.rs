//! Back-off: "if the fitness degrades, the individual backs off to the previous step"
//! (Algorithm 1), and the witness that it did.

use super::Scored;

/// A witness that an individual's recorded fitness did not get worse: made by back-off alone.
#[derive(Debug)]
pub struct NotWorse<G>(Scored<G>);

impl<G> NotWorse<G> {
    /// An individual that nothing was done to.
    pub(super) fn unchanged(scored: Scored<G>) -> Self {
        Self(scored)
    }

    /// Keeps `candidate` if it is at least as good, else backs off. Returns whether it backed off.
    ///
    /// Scores of different objectives do not compare, so such a candidate is not kept.
    pub(crate) fn back_off(self, candidate: Scored<G>) -> (Self, bool) {
        let comparable = self.0.objective() == candidate.objective();
        if comparable && candidate.fitness() <= self.0.fitness() {
            (Self(candidate), false)
        } else {
            (self, true)
        }
    }

    /// The individual as it stands.
    #[must_use]
    pub fn scored(&self) -> &Scored<G> {
        &self.0
    }
}

/// Permission to let an individual get worse. Only a population whose guarantee rests on
/// something else, an anchor or an archive, gives it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MayWorsen(());

impl MayWorsen {
    pub(super) fn given() -> Self {
        Self(())
    }
}

/// How an individual comes back from the SGD step.
#[derive(Debug)]
pub(crate) enum AfterTraining<G> {
    /// With back-off's witness.
    NotWorse(NotWorse<G>),
    /// Wherever SGD took it.
    Permitted(Scored<G>, MayWorsen),
}

impl<G> AfterTraining<G> {
    /// The individual as it stands.
    pub(crate) fn scored(&self) -> &Scored<G> {
        match self {
            Self::NotWorse(held) => held.scored(),
            Self::Permitted(scored, _) => scored,
        }
    }

    /// Goes on to `candidate`: under a may_worsen wherever that is, unless it diverged; else only if
    /// it is not worse. Returns whether it backed off.
    pub(crate) fn advance(
        self,
        candidate: Scored<G>,
        may_worsen: Option<MayWorsen>,
    ) -> (Self, bool) {
        // No training leads back from NaN.
        let diverged = !candidate.fitness().is_finite() && self.scored().fitness().is_finite();
        match (self, may_worsen) {
            (trained, _) if diverged => (trained, true),
            (Self::NotWorse(held), None) => {
                let (held, backed_off) = held.back_off(candidate);
                (Self::NotWorse(held), backed_off)
            }
            (Self::NotWorse(_), Some(may_worsen)) | (Self::Permitted(_, may_worsen), _) => {
                (Self::Permitted(candidate, may_worsen), false)
            }
        }
    }

    pub(super) fn into_scored(self) -> Scored<G> {
        match self {
            Self::NotWorse(NotWorse(scored)) | Self::Permitted(scored, MayWorsen(())) => scored,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Function, TestFunction,
        guarantee::{Evaluator, Unscored},
    };

    #[test]
    fn only_a_worse_candidate_is_sent_back() {
        let problem = TestFunction::new(Function::Sphere, 1);
        let evaluator = Evaluator::new(&problem);
        let at = |x: f32| evaluator.score(Unscored::new(vec![x])).unwrap();
        let f = |x: &NotWorse<Vec<f32>>| x.scored().fitness().get();

        let (x, backed_off) = NotWorse::unchanged(at(2.0)).back_off(at(1.0));
        assert_eq!((f(&x), backed_off), (1.0, false));
        let (x, backed_off) = x.back_off(at(-1.0));
        assert_eq!((x.scored().theta()[0], backed_off), (-1.0, false), "equal is not worse");
        let (x, backed_off) = x.back_off(at(1.5));
        assert_eq!((f(&x), backed_off), (1.0, true));
        let (x, backed_off) = x.back_off(at(f32::NAN));
        assert_eq!((f(&x), backed_off), (1.0, true));
    }
}
