import pytest
import torch

from regraft.methods.features.linear_probe import LinearProbe
from regraft.methods.fine_tuning.fine_tune import FineTune
from regraft.methods.fine_tuning.tuned import probed
from regraft.training import Step, Training


def test_the_head_starts_as_the_linear_probe_and_can_be_trained(problem, network, fresh):
    head = probed(network, problem, Training())
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
