"""SHOT where the source is gone."""

import dataclasses

import pytest
import torch

import regraft as rg
from regraft.backbones import small_mlp
from regraft.errors import InputError
from regraft.heads import Linear
from regraft.methods.features.linear_probe import LinearProbe
from regraft.methods.features.nearest_neighbours import NearestNeighbours
from regraft.methods.fine_tuning.fine_tune import FineTune
from regraft.methods.self_training.shot import class_directions
from regraft.methods.self_training.source_free_shot import SourceFreeSHOT
from regraft.problem import Problem
from regraft.training import Step, Training


def crowds(n, seed, move=0.0):
    luck = torch.Generator().manual_seed(seed)
    y = torch.arange(n) % 3
    x = 4 * torch.eye(3, 6)[y] + 0.7 * torch.randn(n, 6, generator=luck)
    return rg.Domain(
        x + move * torch.tensor([1.0, -0.6, 0.2, 1.0, 1.0, 1.0]), [f"class {c}" for c in y.tolist()]
    )


@pytest.fixture(scope="module")
def model():
    return FineTune().fit(Problem(target_labelled=crowds(90, 1)), small_mlp(6))


def right(model, domain):
    return (model.logits(domain.x).argmax(1) == domain.y).double().mean().item()


def test_wins_where_the_target_moved_and_the_source_is_gone(model):
    target = crowds(150, 2, move=2.2)
    recipe = SourceFreeSHOT(trained=2)
    adapted = recipe.fit(Problem(source_model=model, target=target.unlabelled()), model.backbone)
    assert right(model, target) < 0.8
    assert right(adapted, target) > 0.95
    assert torch.equal(adapted.head.weight, model.head.weight.float())
    assert adapted.output == model.output


def test_the_objective_by_hand(model):
    target = crowds(20, 3).unlabelled()
    recipe = SourceFreeSHOT(labels_weight=0.2, trained=9)
    problem = Problem(source_model=model, target=target)
    network = recipe.start(problem, model.backbone.copied(), Training())
    network.eval()
    batch = target[:9]
    terms = recipe.objective(network, Step(problem.having("target", batch), 0.5))
    p = network(batch.x).softmax(1)
    entropy, of_mean = -(p * p.log()).sum(1).mean(), -(p.mean(0) * p.mean(0).log()).sum()
    torch.testing.assert_close(terms["information"], entropy - of_mean)
    z = network.features(target.x).detach()
    means, found = class_directions(z, network.head(z).softmax(1))
    u = torch.cat([z[:9], torch.ones(9, 1)], 1)
    label = torch.nn.functional.cosine_similarity(u[:, None], means[None], dim=2)
    label = label.masked_fill(~found, -2).argmax(1)
    wrong = -p[torch.arange(9), label].log().mean()
    torch.testing.assert_close(terms["labels"], 0.2 * wrong)


def test_a_saved_model_adapts_to_the_same_bits(model, tmp_path):
    target = crowds(60, 4, move=1.0).unlabelled()
    again = rg.load(model.save(tmp_path / "m"))
    recipe = SourceFreeSHOT(epochs=1, least_steps=10)
    found = [
        recipe.fit(Problem(source_model=m, target=target), m.backbone).logits(target) for m in (model, again)
    ]
    assert torch.equal(*found)


def test_what_does_not_go_together_is_said_in_one_line(model, network):
    target = crowds(30, 5).unlabelled()
    given = Problem(source_model=model, target=target)
    with pytest.raises(InputError, match=r"give source_model\.backbone"):
        SourceFreeSHOT().fit(given, small_mlp(6))
    probe = LinearProbe().fit(Problem(target_labelled=crowds(30, 6)), rg.open_backbone(domain=target))
    with pytest.raises(InputError, match="no network inside that could be moved"):
        SourceFreeSHOT().fit(dataclasses.replace(given, source_model=probe), probe.backbone)
    crowd = NearestNeighbours().fit(Problem(target_labelled=crowds(30, 6)), model.backbone)
    with pytest.raises(InputError, match="a linear head is what can stay"):
        SourceFreeSHOT().fit(dataclasses.replace(given, source_model=crowd), model.backbone)
    assert isinstance(model.head, Linear)
