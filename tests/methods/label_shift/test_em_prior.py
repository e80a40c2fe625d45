"""EM on the shares of the classes."""

import pytest
import torch

from regraft.backbones import vectors
from regraft.methods.baselines.source_only import SourceOnly
from regraft.methods.label_shift.em_prior import EMPrior
from regraft.problem import Problem
from regraft.training import Training


@pytest.mark.parametrize("learner", ["probe", "ridge", "kernel"])
def test_finds_the_shares_and_gains_by_them(heaps, right, learner):
    target = heaps(400, 0.9, 1)
    problem = Problem(source=heaps(400, 0.5, 2), target=target.unlabelled())
    model, alone = (recipe(learner=learner).fit(problem, vectors()) for recipe in (EMPrior, SourceOnly))
    assert abs(model.provenance["priors"]["b"] - 0.9) < 0.07
    assert right(model, target) > right(alone, target) + 0.02


def test_the_answer_is_bayes_rule_with_the_new_shares(heaps):
    """P_t(c | x) ∝ P_s(c | x) π_t,c / π_s,c, and its mean over the target is π_t (Saerens et al. 2002)."""
    source, target = heaps(300, 0.4, 3), heaps(300, 0.8, 4)
    recipe = EMPrior(more=0.0)
    both = recipe.fit_both(Problem(source=source, target=target.unlabelled()), vectors(), Training())
    share = float((source.y == 1).sum() + 1) / 302
    new = both.target.provenance["priors"]["b"]
    p = both.source.probabilities(target) * torch.tensor([(1 - new) / (1 - share), new / share])
    p = p / p.sum(1, keepdim=True)
    torch.testing.assert_close(both.target.probabilities(target), p)
    assert abs(float(p[:, 1].mean()) - new) < 1e-4


def test_is_calibrated_by_what_was_held_out(heaps):
    """The source's side is the source's own classifier, at another temperature."""
    problem = Problem(source=heaps(300, 0.4, 3), target=heaps(300, 0.8, 4).unlabelled())
    own = EMPrior().fit_both(problem, vectors(), Training()).source.logits(problem.target)
    ratio = SourceOnly(learner="probe").fit(problem, vectors()).logits(problem.target) / own
    torch.testing.assert_close(ratio, torch.full_like(ratio, float(ratio[0, 0])), rtol=1e-6, atol=0)


def test_a_class_that_the_target_lacks_nearly_goes(heaps):
    target = heaps(200, 0.0, 1)
    model = EMPrior().fit(Problem(source=heaps(300, 0.5, 2), target=target.unlabelled()), vectors())
    assert 0 < model.provenance["priors"]["b"] < 0.05
