"""Self-paced pseudo-labels."""

import torch

from regraft.backbones import vectors
from regraft.domain import Domain
from regraft.heads.ridge import fit_ridge
from regraft.methods.baselines.source_only import SourceOnly
from regraft.methods.both_sides import Seen
from regraft.methods.self_training.self_paced import SelfPaced, surest
from regraft.problem import Problem
from regraft.training import Training


def clusters(n=90, d=5, seed=0):
    """Three classes, which in the target are turned and moved so far that many are taken for another."""
    luck = torch.Generator().manual_seed(seed)
    y = torch.arange(n) % 3
    means = 5 * torch.eye(3, d)
    skew = torch.randn(d, d, generator=luck)
    turn = torch.matrix_exp(0.35 * (skew - skew.T))
    x_s = means[y] + torch.randn(n, d, generator=luck)
    x_t = (means[y] + torch.randn(n, d, generator=luck)) @ turn.T + 4
    return Domain(x_s, y.tolist()), Domain(x_t), y


def test_one_round_against_the_normal_equations():
    source, target, _ = clusters(n=30)
    recipe = SelfPaced(rounds=1, strength=0.7, proportions="predicted")
    head = recipe.sides(Seen(source.with_(x=source.x.double()), target.x.double()), Training()).target

    z = torch.cat([x.double() - x.double().mean(0) for x in (source.x, target.x)])
    ones = torch.cat([z, torch.ones(60, 1)], 1)
    alpha = fit_ridge(z[:30], source.y, 3).strength

    def solved(rows, y, alpha):
        penalty = alpha * torch.eye(6, dtype=torch.float64)
        penalty[5, 5] = 0
        t = 2 * torch.nn.functional.one_hot(y, 3).double() - 1
        return torch.linalg.solve(ones[:rows].T @ ones[:rows] + penalty, ones[:rows].T @ t)

    told = (ones[30:] @ solved(30, source.y, alpha)).argmax(1)
    by_hand = ones[30:] @ solved(60, torch.cat([source.y, told]), 2 * 0.7 * alpha)
    ours = head(target.x).detach()
    torch.testing.assert_close(ours / ours.norm(), by_hand / by_hand.norm(), atol=1e-6, rtol=1e-5)


def test_finds_the_clusters_that_the_source_only_half_knows():
    right = {}
    for seed in range(3):
        source, target, y = clusters(seed=seed)
        for recipe in (SourceOnly(learner="ridge"), SelfPaced()):
            scores = recipe.fit(Problem(source=source, target=target), vectors()).logits(target)
            right.setdefault(type(recipe), []).append((scores.argmax(1) == y).float().mean())
    alone, adapted = (sum(values) / 3 for values in right.values())
    assert adapted > alone + 0.1


def test_no_class_may_take_more_than_its_share():
    scores = torch.zeros(10, 2)
    scores[:, 0] = torch.arange(10.0) + 1
    assert surest(scores, torch.tensor([2.0, 3.0])).nonzero().flatten().tolist() == [8, 9]


def test_by_pairs_of_samples_it_says_what_it_says_by_columns():
    """More columns than samples, or the same samples in the fewer columns that they span."""
    luck = torch.Generator().manual_seed(0)
    y = torch.arange(40) % 2
    x = torch.randn(40, 12, generator=luck).double() + 2 * y[:, None] * torch.eye(12)[0]
    turn = torch.linalg.qr(torch.randn(200, 12, generator=luck).double()).Q.T
    lab, field = x[:24], x[24:] + 1
    few, many = (
        SelfPaced().sides(Seen(Domain(lab @ t, y[:24].tolist()), field @ t), Training())
        for t in (torch.eye(12).double(), turn)
    )
    for side in ("target", "source"):
        ours, theirs = getattr(few, side)(field), getattr(many, side)(field @ turn)
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)


def test_far_from_zero_it_says_the_same():
    """Both sides are taken less their means before products are."""
    luck = torch.Generator().manual_seed(0)
    y = torch.arange(40) % 2
    x = torch.randn(40, 60, generator=luck).double() + 4 * y[:, None] * torch.eye(60)[0]
    near, far = (
        SelfPaced()
        .sides(Seen(Domain(x[:24] + move, y[:24].tolist()), x[24:] + move), Training())
        .target(x[24:] + move)
        for move in (0.0, 1e7)
    )
    assert (near - far).abs().max() < 0.5
