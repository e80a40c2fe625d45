import pytest
import torch

from regraft.card import card
from regraft.domain import Domain
from regraft.errors import InputError
from regraft.methods.features.linear_probe import LinearProbe
from regraft.methods.features.old_head import OldHead
from regraft.methods.fine_tuning.fine_tune import FineTune
from regraft.methods.fine_tuning.tuned import features_of, probed
from regraft.pretrained_head import PretrainedHead
from regraft.problem import Problem
from regraft.training import Step, Training


def test_the_head_starts_as_the_linear_probe_and_can_be_trained(problem, network, fresh):
    head = probed(features_of(network, problem, Training()), network, Training())
    expected = LinearProbe().fit(problem, network).logits(fresh)
    torch.testing.assert_close(head(network.features(fresh.x)).double(), expected, atol=1e-4, rtol=1e-4)
    assert head.weight.dtype == torch.float32
    assert head.weight.requires_grad


QUICK = {"epochs": 1, "least_steps": 40, "held_out": 0.0, "stage_rate": 1e-2}


def test_the_average_lies_between_the_start_and_the_end(problem, network):
    ended, mixed, began = (FineTune(average=a, **QUICK).fit(problem, network) for a in (1.0, 0.3, 0.0))
    for one, other, start in zip(ended.parameters(), mixed.parameters(), began.parameters(), strict=True):
        torch.testing.assert_close(other, 0.7 * start + 0.3 * one)
    for start, borrowed in zip(began.backbone.parameters(), network.parameters(), strict=True):
        assert torch.equal(start, borrowed)


def step_of(problem):
    return Step(problem.mapped(lambda d: d.with_(x=d.x.float())), 0.5)


def test_smoothed_labels_are_those_of_torch(problem, network):
    recipe = FineTune(smoothing=0.2)
    built = recipe.start(problem, network.copied(), Training())
    terms = recipe.objective(built, step_of(problem))
    y = problem.target_labelled.y
    expected = torch.nn.functional.cross_entropy(
        built(problem.target_labelled.x.float()), y, label_smoothing=0.2
    )
    assert sum(terms.values()).item() == pytest.approx(expected.item(), rel=1e-5)


def test_mixup_tells_soft_labels(problem, network):
    recipe = FineTune(mixup=0.4, mixup_from=10)
    built = recipe.start(problem, network.copied(), Training()).eval()
    torch.manual_seed(5)
    found = recipe.objective(built, step_of(problem))["risk"].item()
    torch.manual_seed(5)
    share = torch.distributions.Beta(0.4, 0.4).sample()
    x, y = problem.target_labelled.x.float(), torch.nn.functional.one_hot(problem.target_labelled.y, 2)
    partner = torch.randperm(len(x))
    soft = share * y + (1 - share) * y[partner]
    scores = built(share * x + (1 - share) * x[partner])
    assert found == pytest.approx(torch.nn.functional.cross_entropy(scores, soft).item(), rel=1e-5)


def test_few_labels_are_not_mixed(problem, network):
    few, many = FineTune(mixup=0.4), FineTune(mixup=0.4, mixup_from=10)
    assert not few.start(problem, network.copied(), Training()).mixes
    assert many.start(problem, network.copied(), Training()).mixes


@pytest.fixture
def headed(network):
    torch.manual_seed(3)
    network.old_head = PretrainedHead(
        torch.randn(3, 8), torch.randn(3), ("outer", "moon", "inner"), "the sky"
    )
    return network


def test_a_head_that_starts_as_the_old_one_answers_as_that(problem, headed, fresh):
    begun = FineTune(head="old", average=0.0, **QUICK).fit(problem, headed)
    kept = OldHead().fit(problem, headed)
    torch.testing.assert_close(begun.probabilities(fresh), kept.probabilities(fresh), atol=1e-5, rtol=1e-4)
    assert begun.provenance["head"] == kept.provenance["head"]
    assert "of the sky: inner as its inner; outer as its outer" in card(begun)


def test_what_the_old_head_has_not_starts_as_the_probe(headed, fresh):
    names = ["inner" if y == 0 else "comet" for y in fresh.y[:40].tolist()]
    comets = Problem(target_labelled=Domain(fresh.x[:40], names))
    begun = FineTune(head="old").start(comets, headed.copied(), Training()).head
    probe = FineTune().start(comets, headed.copied(), Training()).head
    old, (comet, inner) = headed.old_head, (0, 1)
    assert torch.equal(begun.weight[comet], probe.weight[comet])
    assert torch.equal(begun.bias[comet], probe.bias[comet])
    centred = old.weight[2] - old.weight.mean(0)
    factor = (probe.weight[inner].norm() / centred.norm()).item()
    torch.testing.assert_close(begun.weight[inner], factor * centred)
    torch.testing.assert_close(begun.bias[inner], factor * (old.bias[2] - old.bias.mean()))


@pytest.mark.parametrize("knows", [True, False])
def test_the_better_start_is_the_old_head_only_where_that_knows_more(headed, problem, knows):
    """An old head that says what the probe says, surer, and one that takes every class for another."""
    probe = LinearProbe().fit(problem, headed).head
    names = problem.output.names if knows else (*problem.output.names[1:], problem.output.names[0])
    headed.old_head = PretrainedHead(2 * probe.weight.float(), 2 * probe.bias.float(), names, "the sky")
    starts = {
        head: FineTune(head=head).start(problem, headed.copied(), Training()).head.weight
        for head in ("probe", "old", "better")
    }
    assert not torch.equal(starts["old"], starts["probe"])
    assert torch.equal(starts["better"], starts["old" if knows else "probe"])


def test_of_a_head_that_has_none_of_the_classes_nothing_is_taken(headed, fresh):
    comets = Problem(target_labelled=Domain(fresh.x[:40], ["comet", "dust"] * 20))
    begun, probe = (
        FineTune(head=h).start(comets, headed.copied(), Training()).head for h in ("old", "probe")
    )
    assert torch.equal(begun.weight, probe.weight)


def test_a_start_that_there_is_not_is_refused(problem, network):
    with pytest.raises(InputError, match="head is 'new', and a head starts as one of probe, old, better"):
        FineTune(head="new").fit(problem, network)
    with pytest.raises(InputError, match="rings carries no head with named classes"):
        FineTune(head="old").fit(problem, network)


def test_where_nothing_comes_of_training_the_start_is_made_with_all_labels(problem, network, fresh):
    """At rates that destroy, the best moment is the start, and the start is the probe on all labels."""
    model = FineTune(rate=1e3, stage_rate=1e3, head_first=0.0, least_steps=40).fit(problem, network)
    assert model.provenance["best_step"] == 0
    probe = LinearProbe().fit(problem, network)
    torch.testing.assert_close(model.logits(fresh), probe.logits(fresh), atol=1e-4, rtol=1e-4)


def test_statistics_are_counted_where_that_is_asked_for(problem, network):
    def moved(**recipe):
        model = FineTune(**QUICK, head_first=0.0, **recipe).fit(problem, network)
        given = [m for m in network.modules() if isinstance(m, torch.nn.BatchNorm1d)]
        made = [m for m in model.backbone.modules() if isinstance(m, torch.nn.BatchNorm1d)]
        assert given
        return [not torch.equal(a.running_mean, b.running_mean) for a, b in zip(made, given, strict=True)]

    assert all(moved(statistics=True))
    assert not any(moved())
