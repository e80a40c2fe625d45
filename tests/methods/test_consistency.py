"""The teacher, and the two views of the target."""

import pytest
import torch
from torch import nn

from regraft.backbone import Backbone
from regraft.backbones import small_mlp
from regraft.domain import Domain
from regraft.methods.consistency import Teacher, noisy
from regraft.methods.self_training.ada_match import AdaMatch
from regraft.methods.self_training.mean_teacher import MeanTeacher
from regraft.problem import Problem
from regraft.trained import Network

QUICK = {"epochs": 1, "least_steps": 8, "batch_size": 16}


def test_a_teacher_is_the_moving_average():
    network = Network(small_mlp(2, widths=(3, 3)), nn.Linear(3, 2))
    teacher = Teacher(network.backbone, network.head)
    mean = network.head.weight.detach().clone()
    for t, memory in enumerate([0.1, 2 / 11, 3 / 12, 0.3]):  # (1 + t) / (10 + t) until that is above 0.3
        with torch.no_grad():
            network.head.weight.add_(torch.randn_like(mean))
        teacher.follow(network, 0.3 if t == 3 else 0.99)
        mean = memory * mean + (1 - memory) * network.head.weight.detach()
        if t < 3:
            torch.testing.assert_close(teacher.head.weight.detach(), mean)
    assert teacher.steps == 4


@pytest.mark.parametrize("counted", [True, False])
def test_a_teacher_sees_the_target_as_the_network_sees_its_batches(counted):
    torch.manual_seed(0)
    norm = nn.BatchNorm1d(3)
    network = Network(Backbone([("norm", norm)], name="norm"), nn.Linear(3, 2))
    teacher = Teacher(network.backbone, network.head).eval()
    norm.train(counted)
    x = 5 + 3 * torch.randn(8, 3)
    z = (x - x.mean(0)) / (x.var(0, correction=0) + norm.eps).sqrt() if counted else x / (1 + norm.eps) ** 0.5
    expected = network.head(z).softmax(1)
    torch.testing.assert_close(teacher.probabilities(x, network), expected.detach())
    assert norm.num_batches_tracked == 0  # the network has not seen it


def test_what_answers_is_the_teacher(away, network, monkeypatch):
    last = []
    replace = Teacher.replace

    def watching(self, network):
        last.append(self.head.weight.detach().clone())
        assert not torch.equal(self.head.weight, network.head.weight)
        replace(self, network)

    monkeypatch.setattr(Teacher, "replace", watching)
    model = MeanTeacher(**QUICK).fit(away.only(MeanTeacher.needs), network)
    assert torch.equal(model.head.weight, last[0])
    assert not AdaMatch(**QUICK, memory=0.0).network(network, nn.Linear(8, 2), away).following.keys() & {
        "teacher"
    }


def test_noise_is_in_units_of_the_spread():
    x = torch.randn(2000, 2) * torch.tensor([1.0, 50.0])
    torch.testing.assert_close((noisy(x, 0.5) - x).std(0), 0.5 * x.std(0), rtol=0.05, atol=0)
    assert torch.equal(noisy(x, 0.0), x)
    pixels = torch.zeros(2, 1, 4, 4, dtype=torch.uint8)
    assert noisy(pixels, 0.5) is pixels


def squares(n=24):
    x = torch.zeros(n, 16, 16, dtype=torch.uint8)
    x[:, 4:12, 4:12] = 200
    x[::2, 4:8] = 60
    return x


@pytest.mark.parametrize(("recipe", "weaker"), [(AdaMatch, True), (MeanTeacher, False)])
def test_the_teacher_sees_another_view(pictures_network, recipe, weaker, monkeypatch):
    seen = []
    taught_by = recipe.taught_by

    def watching(self, network, x):
        seen.append(x)
        return taught_by(self, network, x)

    monkeypatch.setattr(recipe, "taught_by", watching)
    x = squares()
    problem = Problem(source=Domain(x, ["dark", "light"] * 12), target=Domain(x))
    asked = recipe(**QUICK, trained=3, affine=0.5, invert=1.0)
    asked.fit(problem, pictures_network)
    assert all(batch.dtype == torch.uint8 for batch in seen)
    assert all((batch != x[0]).any() and (batch != x[1]).any() for batch in seen)
    assert (asked.weak_augmentation.affine, asked.weak_augmentation.invert) == (
        (0.25, 0.0) if weaker else (0.5, 1.0)
    )
    corners = torch.cat(seen)[:, :, 0, 0]
    assert bool((corners == 0).all()) == weaker  # channels are changed for the network alone


def test_behind_frozen_stages_the_weak_view_is_what_was_there(pictures_network, monkeypatch):
    seen = []
    taught_by = AdaMatch.taught_by

    def watching(self, network, x):
        seen.append(x)
        return taught_by(self, network, x)

    monkeypatch.setattr(AdaMatch, "taught_by", watching)
    x = squares()
    problem = Problem(source=Domain(x, ["dark", "light"] * 12), target=Domain(x))
    AdaMatch(**QUICK, affine=0.5, views=3).fit(problem, pictures_network)
    z = pictures_network[:2].features(x)
    assert all(torch.cdist(batch.flatten(1), z.flatten(1)).amin(1).max() < 1e-4 for batch in seen)
