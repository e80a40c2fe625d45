"""What all networks for a target without labels share: statistics, changed pictures, what they tell."""

import math

import pytest
import torch
from torch import nn

from regraft.backbone import Backbone
from regraft.domain import Domain
from regraft.methods.across import pull
from regraft.methods.adversarial.dann import DANN
from regraft.methods.adversarial.diagnostics import messages
from regraft.methods.baselines.source_tuned import SourceTuned
from regraft.problem import Problem
from regraft.training import Training

QUICK = {"epochs": 1, "least_steps": 8, "batch_size": 16}


def normed() -> Backbone:
    """A network of which the last stage has a BatchNorm that is fed the features themselves."""
    torch.manual_seed(0)
    return Backbone(
        [("first", nn.Linear(3, 4)), ("last", nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, 4)))],
        name="normed",
    )


@pytest.fixture
def shifted():
    torch.manual_seed(1)
    x = torch.randn(40, 3)
    return Problem(source=Domain(x, ["a", "b"] * 20), target=Domain(3 * x[:30] + 1))


@pytest.mark.parametrize(("counted", "ends_with"), [(True, "target"), (False, "start")])
def test_statistics_end_with_the_target(shifted, counted, ends_with):
    phi = normed()
    norm = DANN(**QUICK, statistics=counted).fit(shifted, phi).backbone.stages[1][0]
    z = phi.stages[0](shifted.target.x).detach()
    mean = {"target": z.mean(0), "start": torch.zeros(4)}[ends_with]
    var = {"target": z.var(0), "start": torch.ones(4)}[ends_with]
    torch.testing.assert_close(norm.running_mean, mean)
    torch.testing.assert_close(norm.running_var, var)


def test_statistics_may_stay_the_mixture(shifted):
    norm = (
        DANN(**QUICK, statistics=True, target_statistics=False).fit(shifted, normed()).backbone.stages[1][0]
    )
    z = normed().stages[0](shifted.target.x)
    assert not torch.allclose(norm.running_mean, z.mean(0), atol=1e-3)
    assert norm.num_batches_tracked == 16  # of both domains


def test_samples_of_the_source_are_seen_by_their_own_statistics(shifted):
    both = DANN(**QUICK, statistics=True).fit_both(shifted, normed(), Training())
    z = normed().stages[0](shifted.source.x).detach()
    torch.testing.assert_close(both.source.backbone.stages[1][0].running_mean, z.mean(0))
    assert not torch.equal(both.target.backbone.stages[1][0].running_mean, z.mean(0))
    assert torch.equal(both.source.backbone.stages[1][1].weight, both.target.backbone.stages[1][1].weight)
    same = DANN(**QUICK).fit_both(shifted, normed(), Training())
    assert same.source is same.target


def scenes(network) -> Problem:
    luck = torch.Generator().manual_seed(0)
    x = torch.randint(0, 256, (24, 16, 16), generator=luck, dtype=torch.uint8)
    x[::2] //= 3
    return Problem(source=Domain(x, ["dark", "light"] * 12), target=Domain(x.flip(0)))


@pytest.mark.parametrize("views", [0, 3])
def test_pictures_of_both_domains_are_changed(pictures_network, views, monkeypatch):
    """By drawing at the input where all stages learn, and among views behind frozen ones."""
    problem = scenes(pictures_network)
    trained = 1 if views else 3
    recipe = DANN(**QUICK, crop=0.5, views=views, trained=trained)
    seen: dict[str, list[torch.Tensor]] = {"source": [], "target": []}
    drawn = DANN._drawn

    def watching(self, role, domain, engine):
        batch = drawn(self, role, domain, engine)
        seen[role].append((domain.x.float() - batch.x.float()).abs().mean((*range(1, batch.x.ndim),)))
        return batch

    monkeypatch.setattr(DANN, "_drawn", watching)
    recipe.fit(problem, pictures_network)
    for apart in seen.values():
        assert (torch.cat(apart) > 0).float().mean() > 0.9
    assert SourceTuned().augmented == {"source"}


def test_the_pull_is_the_norm_of_the_gradient():
    z = torch.tensor([[3.0, 4.0]], requires_grad=True)
    assert pull({"a": z.square().sum(), "b": z.sum()}, z).item() == pytest.approx(math.hypot(7, 9))
    assert pull({"elsewhere": torch.ones((), requires_grad=True)}, z) is None
    assert pull({}, z) is None


def test_a_run_tells_its_course_and_its_classes(away, network):
    told = DANN(epochs=1, least_steps=30).fit(away.only(DANN.needs), network).provenance
    course = told["diagnostics"]["course"]
    assert set(course) == {"risk", "domain", "critic accuracy", "strength", "gradient ratio"}
    assert {len(tenths) for tenths in course.values()} == {10}
    assert course["strength"] == sorted(course["strength"])
    assert told["diagnostics"]["source"] == {"inner": 0.5, "outer": 0.5}
    assert sum(told["diagnostics"]["predicted"].values()) == pytest.approx(1)
    assert told["messages"] == messages(told["diagnostics"])


def test_what_goes_on_from_a_checkpoint_tells_the_same(away, network, tmp_path, killer):
    recipe, problem = DANN(epochs=1, least_steps=12), away.only(DANN.needs)
    with pytest.raises(killer.Killed):
        recipe.fit(problem, network, Training(checkpoints=tmp_path, save_every=0, progress=killer(7)))
    resumed = recipe.fit(problem, network, Training(checkpoints=tmp_path, save_every=0))
    assert resumed.provenance == recipe.fit(problem, network).provenance


def test_an_untrained_network_counts_statistics():
    from regraft.backbones import small_convnet

    assert SourceTuned().timetable(small_convnet()).statistics
    assert not SourceTuned().timetable(normed()).statistics
