"""AdaptiveBatchNorm."""

import numpy as np
import pytest
import torch
from torch import nn

from regraft.backbone import Backbone
from regraft.backbones import small_mlp
from regraft.domain import Domain
from regraft.errors import InputError
from regraft.heads import Linear
from regraft.methods.baselines.source_only import SourceOnly
from regraft.methods.self_training.adaptive_batch_norm import AdaptiveBatchNorm
from regraft.problem import Problem
from regraft.training import Training


def normed() -> Backbone:
    torch.manual_seed(0)
    norm = nn.BatchNorm1d(4)
    norm.running_mean.normal_()
    norm.running_var.uniform_(0.5, 2)
    return Backbone(
        [("first", nn.Linear(4, 4)), ("last", nn.Sequential(norm, nn.ReLU(), nn.Linear(4, 6)))],
        name="normed",
    )


def lamps(n, seed, brighter=1.0, offset=0.0):
    """Two classes that columns tell by their level, which is read by another lamp."""
    luck = torch.Generator().manual_seed(seed)
    y = torch.arange(n) % 2
    x = torch.randn(n, 4, generator=luck) + 1.5 * y[:, None] * torch.tensor([1.0, -1.0, 1.0, 0.0])
    return Domain(brighter * x + offset, ["ab"[c] for c in y.tolist()])


@pytest.fixture
def lit():
    return Problem(source=lamps(100, 1), target=lamps(300, 2, 3.0, 5.0).unlabelled())


@pytest.mark.parametrize("share", [0.3, 1.0])
@pytest.mark.parametrize("source_too", [False, True])
def test_statistics_are_mixed_by_hand(lit, share, source_too):
    phi = normed()
    both = AdaptiveBatchNorm(share=share, source_too=source_too).fit_both(lit, phi, Training())
    linear, old = phi.stages[0], phi.stages[1][0]
    for model, domain, moved in ((both.target, lit.target, True), (both.source, lit.source, source_too)):
        norm, a = model.backbone.stages[1][0], share if moved else 0.0
        before = [old.running_mean.numpy(), old.running_var.numpy()]
        z = linear(domain.x).detach().numpy()
        order = torch.randperm(len(z), generator=torch.Generator().manual_seed(0)).numpy()
        parts = np.array_split(z[order], -(-len(z) // 128))
        mean = np.mean([part.mean(0) for part in parts], 0)
        var = np.mean([part.var(0, ddof=1) for part in parts], 0)
        np.testing.assert_allclose(norm.running_mean.numpy(), (1 - a) * before[0] + a * mean, rtol=1e-4)
        np.testing.assert_allclose(norm.running_var.numpy(), (1 - a) * before[1] + a * var, rtol=1e-4)
        assert torch.equal(norm.weight, old.weight)
    assert both.target.head is both.source.head


def test_the_head_learns_on_what_the_source_is_seen_by(lit):
    both = AdaptiveBatchNorm(learner="ridge").fit_both(lit, normed(), Training())
    alone = SourceOnly(learner="ridge").fit(lit, both.source.backbone)
    torch.testing.assert_close(both.source.logits(lit.source), alone.logits(lit.source))
    assert isinstance(both.target.head, Linear)


def test_centred_features_have_the_source_s_mean(lit):
    both = AdaptiveBatchNorm(centred=True).fit_both(lit, normed(), Training())
    scores = both.target.logits(lit.target).mean(0) - both.source.logits(lit.source).mean(0)
    torch.testing.assert_close(scores, torch.zeros_like(scores), atol=1e-4, rtol=0)


def test_without_its_own_statistics_it_is_the_source_alone(lit):
    found = AdaptiveBatchNorm(share=0.0).fit(lit, normed()).logits(lit.target)
    torch.testing.assert_close(found, SourceOnly().fit(lit, normed()).logits(lit.target))


def test_gains_where_the_light_changed(lit):
    test, phi = lamps(400, 3, 3.0, 5.0), normed()

    def right(recipe):
        answers = recipe.fit(lit, phi).predict(test)
        return sum(a == test.output.names[c] for a, c in zip(answers, test.y.tolist(), strict=True)) / 400

    alone = right(SourceOnly())
    assert right(AdaptiveBatchNorm()) > alone + 0.05
    assert right(AdaptiveBatchNorm(share=1.0)) > alone + 0.2
    assert right(AdaptiveBatchNorm(centred=True)) > alone + 0.05


def test_samples_in_the_order_of_their_classes_count_the_same(lit):
    sorted_ = Problem(source=lit.source, target=Domain(lit.target.x[lamps(300, 2).y.argsort()]))
    one, other = (
        AdaptiveBatchNorm(share=1.0).fit(p, normed()).backbone.stages[1][0].running_var
        for p in (lit, sorted_)
    )
    torch.testing.assert_close(one, other, rtol=0.03, atol=0)


def test_a_network_without_batchnorm_is_refused(lit):
    with pytest.raises(InputError, match="has none: take a network with BatchNorm"):
        AdaptiveBatchNorm().fit(lit, small_mlp(4))
