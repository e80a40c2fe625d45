"""Least squares pulled towards the source's."""

import numpy as np
import pytest
import torch

from regraft.domain import Domain
from regraft.methods.features.linear_probe import LinearProbe
from regraft.methods.features.ridge_probe import RidgeProbe
from regraft.methods.few_labels.source_then_target import SourceThenTarget, of_source
from regraft.problem import Problem


def biased_ridge(x, t, start, strength):
    """argmin Σ ‖W x + b − t‖² + α ‖W − W₀‖², W and b stacked, by the normal equations."""
    one = np.hstack([x, np.ones((len(x), 1))])
    penalty = np.diag([strength] * x.shape[1] + [0.0])
    return np.linalg.solve(one.T @ one + penalty, one.T @ t + penalty @ start)


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_is_the_minimum_and_the_strength_has_the_lowest_left_out_loss(few, share, columns):
    model = SourceThenTarget(share=share).fit(few, columns)
    target = few.target_labelled
    x, y = target.x.double().numpy(), target.y.numpy()
    centre = x.mean(0)
    scale = np.sqrt(np.square(x - centre).mean())
    u, t = (x - centre) / scale, 2.0 * np.eye(3)[y] - 1
    head = of_source(few.source.with_(x=few.source.x.double()))
    start = np.vstack([share * head.weight.numpy().T * scale, np.zeros((1, 3))])
    strength = model.provenance["strength"]
    solved = biased_ridge(u, t, start, strength)
    scores = np.hstack([u, np.ones((len(u), 1))]) @ solved
    ours = model.logits(target).numpy()
    # the answer is sharpened by a factor
    factor = (ours * scores).sum() / np.square(scores).sum()
    np.testing.assert_allclose(ours, factor * scores, atol=1e-6)

    def left_out(alpha):
        rows = np.arange(len(u))
        fits = [biased_ridge(u[rows != i], t[rows != i], start, alpha) for i in rows]
        said = np.stack([np.append(u[i], 1) @ fit for i, fit in enumerate(fits)])
        return min(
            -np.log(np.exp(b * said)[rows, y] / np.exp(b * said).sum(1)).mean()
            for b in np.geomspace(0.05, 50, 300)
        )

    assert left_out(strength) <= min(left_out(strength * 10), left_out(strength / 10)) + 1e-3


def test_without_the_source_it_is_the_ridge_probe(few, later, columns):
    alone = RidgeProbe().fit(Problem(target_labelled=few.target_labelled), columns)
    torch.testing.assert_close(
        SourceThenTarget(share=0.0).fit(few, columns).logits(later), alone.logits(later)
    )


def test_beats_either_side_alone(few, accuracy, columns):
    ours = accuracy(SourceThenTarget().fit(few, columns))
    alone = accuracy(RidgeProbe().fit(Problem(target_labelled=few.target_labelled), columns))
    borrowed = accuracy(LinearProbe().fit(Problem(target_labelled=few.source), columns))
    assert ours > max(alone, borrowed)


def test_a_source_of_another_task_does_little_harm(few, accuracy, columns):
    turned = few.source.with_(y=(few.source.y + 1) % 3)
    ours = SourceThenTarget().fit(Problem(source=turned, target_labelled=few.target_labelled), columns)
    alone = RidgeProbe().fit(Problem(target_labelled=few.target_labelled), columns)
    assert accuracy(ours) > accuracy(alone) - 0.03


def test_where_nothing_can_be_left_out_the_source_is_what_is_known(few, columns):
    one = few.target_labelled[:3]
    model = SourceThenTarget().fit(Problem(source=few.source, target_labelled=one), columns)
    assert model.provenance["share"] == 1.0


def test_classes_are_matched_by_name(few, later, columns):
    shouted = Domain(few.source.x, [name.upper() for name in few.source.output.decode(few.source.y)])
    renamed = Problem(source=shouted, target_labelled=few.target_labelled)
    first, second = (SourceThenTarget().fit(p, columns).logits(later) for p in (few, renamed))
    assert torch.equal(first, second)
