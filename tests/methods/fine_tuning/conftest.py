import pytest
import torch

from regraft.schedule import chosen


@pytest.fixture
def spoiled(network):
    """The network with a top that lets one unit of eight through: poor for a probe until it is changed."""
    copy = network.copied()
    with torch.no_grad():
        copy.stages[2].weight.mul_(torch.tensor([1.0] + [0.0] * 7)[:, None])
    return copy


def moved(model, network):
    """The parameters of the fitted network that are no longer what was borrowed, by identity."""
    pairs = zip(model.backbone.parameters(), network.parameters(), strict=True)
    return {id(new) for new, old in pairs if not torch.equal(new, old)}


@pytest.fixture
def tuned_only(problem, network):
    """Whether a fit of the recipe moves the parameters of that kind and nothing else of the network."""

    def holds(recipe, which):
        model = recipe.fit(problem, network)
        allowed = {id(p) for stage in model.backbone.stages for p in chosen(stage, which)}
        still = zip(model.backbone.buffers(), network.buffers(), strict=True)
        return moved(model, network) == allowed and all(torch.equal(new, old) for new, old in still)

    return holds
