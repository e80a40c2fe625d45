"""MeanTeacher."""

import math

import torch

from regraft.backbones import small_mlp
from regraft.domain import Domain
from regraft.heads import Linear
from regraft.methods.self_training.mean_teacher import MeanTeacher
from regraft.problem import Problem
from regraft.training import Step


def test_the_objective_by_hand():
    source, target = Domain(torch.randn(6, 3), ["a", "b", "c"] * 2), torch.randn(7, 3)
    step = Step(Problem(source=source, target=Domain(target)), progress=0.1, weak=target + 0.1)
    recipe = MeanTeacher(consistency=2.0, threshold=0.6, balance=0.3, noise=0.0)
    head = Linear(4, 3, "float32")
    torch.nn.init.normal_(head.weight, std=2.0)
    network = recipe.network(small_mlp(3, widths=(5, 4)), head, step.batch)
    with torch.no_grad():
        head.weight.add_(torch.randn(3, 4))
    terms = recipe.objective(network, step)

    teacher = network.following["teacher"]
    q = teacher.head(teacher.backbone(step.weak)).softmax(1).detach()
    p = network(target).softmax(1).detach()
    sure = [float(row.max()) >= 0.6 for row in q]
    assert 0 < sum(sure) < 7
    apart = sum(
        s * sum((a - b) ** 2 for a, b in zip(p[j], q[j], strict=True)) / 3 for j, s in enumerate(sure)
    )
    torch.testing.assert_close(terms["consistency"].detach(), 2 * apart / 7)
    mean = p.mean(0).tolist()
    uneven = -sum(math.log(m) / 3 + 2 / 3 * math.log(1 - m) for m in mean)
    torch.testing.assert_close(terms["balance"].item(), 2 * 0.3 * sum(sure) / 7 * uneven)


def test_gains_where_a_column_is_noise(gain):
    recipe = MeanTeacher(
        epochs=1,
        least_steps=150,
        batch_size=64,
        rate=3e-3,
        stage_rate=3e-3,
        consistency=10.0,
        threshold=0.0,
    )
    assert gain(recipe, "a column that is noise") > 0.1
