import pytest
import torch

from regraft.methods.fine_tuning.l2_sp import L2SP
from regraft.training import Step, Training

QUICK = {"epochs": 1, "least_steps": 100, "held_out": 0.0}


def gone(model, network):
    """How far it is from where it started, by numpy."""
    pairs = zip(model.backbone.parameters(), network.parameters(), strict=True)
    return sum(((a.detach().numpy() - b.detach().numpy()) ** 2).sum() for a, b in pairs)


def test_the_terms_are_those_of_the_docstring(problem, network):
    recipe = L2SP(to_start=0.3, to_zero=0.2)
    built = recipe.start(problem, network.copied(), Training())
    with torch.no_grad():
        for p in built.backbone.parameters():
            p.add_(0.5)
    terms = recipe.objective(built, Step(problem, 0.5))
    numbers = sum(p.numel() for p in network.parameters())
    assert terms["to start"].item() == pytest.approx(0.3 / 2 * 0.25 * numbers, rel=1e-5)
    squared = sum(float((p.detach().numpy() ** 2).sum()) for p in built.head.parameters())
    assert terms["to zero"].item() == pytest.approx(0.2 / 2 * squared, rel=1e-5)
    assert terms["risk"].item() == pytest.approx(
        torch.nn.functional.cross_entropy(built(problem.target_labelled.x), problem.target_labelled.y).item()
    )


def test_the_harder_it_pulls_the_nearer_it_stays(problem, network):
    free, held, tied = (
        gone(L2SP(to_start=alpha, stage_rate=1e-2, **QUICK).fit(problem, network), network)
        for alpha in (0.0, 0.1, 10.0)
    )
    assert free > 2 * held > 4 * tied > 0


def test_where_it_starts_is_where_it_is_pulled(problem, network):
    """With nothing to learn but the pull, it stays."""
    tied = L2SP(to_start=1e4, rate=0.0, stage_rate=1e-4, **QUICK).fit(problem, network)
    assert gone(tied, network) < 1e-3
