"""PseudoLabels."""

import torch

from regraft.backbones import vectors
from regraft.domain import Domain
from regraft.methods.features.ridge_probe import RidgeProbe
from regraft.methods.self_training.pseudo_labels import PseudoLabels
from regraft.problem import Problem


def heaps(n, seed, apart, d=2):
    """Two heaps that lie so far apart, along the diagonal of the first columns."""
    luck = torch.Generator().manual_seed(seed)
    y = torch.arange(n) % 2
    x = torch.randn(n, d, generator=luck)
    some = min(d, 9)
    x[:, :some] += apart / some**0.5 * y[:, None]
    return Domain(x, y.tolist())


def test_a_round_is_a_fit_to_what_was_surely_said():
    few, pool = heaps(30, 1, 1.5), heaps(40, 2, 1.5)
    problem = Problem(target_labelled=few, unlabelled=pool.unlabelled())
    alone = RidgeProbe().fit(Problem(target_labelled=few), vectors())
    confidence, label = alone.probabilities(pool).max(1)
    sure = confidence >= 0.53
    assert 0 < sure.sum() < 40
    both = Domain(torch.cat([few.x, pool.x[sure]]), torch.cat([few.y, label[sure]]), few.output)
    by_hand = RidgeProbe().fit(Problem(target_labelled=both), vectors())
    model = PseudoLabels(rounds=1, threshold=0.53).fit(problem, vectors())
    # how sharp the scores are hangs on the last bit where all samples left out are told right
    torch.testing.assert_close(model.logits(pool), by_hand.logits(pool), atol=0.05, rtol=0)
    assert (model.logits(pool) - alone.logits(pool)).abs().max() > 0.2
    assert model.provenance["labelled_by_itself"] == sure.sum()


def gain(few, pool, **recipe):
    problem = Problem(target_labelled=few, unlabelled=pool.unlabelled())
    right, alone = (
        (one.fit(problem, vectors()).logits(pool).argmax(1) == pool.y).float().mean()
        for one in (PseudoLabels(**recipe), RidgeProbe())
    )
    return right - alone


def test_it_gains_where_heaps_have_gaps_between_them():
    assert gain(heaps(24, 1, 4.5, d=150), heaps(400, 2, 4.5, d=150), threshold=0.6) > 0.03
