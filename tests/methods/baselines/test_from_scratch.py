import pytest

from regraft.backbones import small_mlp, vectors
from regraft.errors import InputError
from regraft.methods.baselines.from_scratch import FromScratch
from regraft.methods.features.linear_probe import LinearProbe
from regraft.problem import Problem
from regraft.selection import evaluate


def test_learns_what_a_line_cannot(fresh):
    train, held_out = Problem(target_labelled=fresh[:300]), fresh[300:]
    ours = evaluate(FromScratch().fit(train, small_mlp(20)), held_out).value("accuracy")
    line = evaluate(LinearProbe().fit(train, vectors()), held_out).value("accuracy")
    assert ours > line + 0.1


def test_refuses_a_pretrained_network(problem, network):
    with pytest.raises(InputError, match="untrained"):
        FromScratch().fit(problem, network)


def test_batchnorm_statistics_follow_the_data(problem):
    import torch

    from regraft.backbones import small_convnet
    from regraft.domain import Domain

    images = Domain(torch.randint(0, 255, (8, 8, 8), dtype=torch.uint8), ["a", "b"] * 4)
    phi = small_convnet(size=(16, 16))
    model = FromScratch(epochs=1, least_steps=3).fit(Problem(target_labelled=images), phi)
    before, after = phi.state_dict(), model.backbone.state_dict()
    means = [k for k in before if k.endswith("running_mean")]
    assert means
    assert all(not torch.equal(before[k], after[k]) for k in means)
