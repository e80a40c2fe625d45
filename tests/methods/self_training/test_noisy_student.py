"""NoisyStudent."""

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from regraft.backbones import small_mlp
from regraft.domain import Domain
from regraft.heads import Linear
from regraft.methods.baselines.source_tuned import SourceTuned
from regraft.methods.self_training.noisy_student import LARGEST, NoisyStudent, evened
from regraft.model import Model
from regraft.problem import Problem
from regraft.training import Step, Training

QUICK = {"epochs": 1, "least_steps": 20}


def test_the_objective_by_hand():
    few, pool = Domain(torch.randn(6, 3), ["a", "b", "c"] * 2), torch.randn(9, 3)
    teacher = Model(small_mlp(3, widths=(5, 4)), Linear(4, 3, "float32"), few.output)
    nn.init.normal_(teacher.head.weight, std=2.0)
    recipe = NoisyStudent(noise=0.0, pool=0.7, threshold=0.5)
    given = Problem(source=few, target=Domain(pool), source_model=teacher)
    network = recipe.network(small_mlp(3, widths=(5, 4)), Linear(4, 3, "float32"), given)
    nn.init.normal_(network.head.weight, std=1.0)
    terms = recipe.objective(network, Step(given, progress=0.1, weak=pool))

    q = teacher.head(teacher.backbone(pool)).softmax(1).detach()
    kept = q.max(1).values >= 0.5
    counts = torch.bincount(q.argmax(1)[kept], minlength=3)
    classes = int((counts > 0).sum())
    total = 0.0
    for j in range(9):
        if kept[j]:
            weight = min(5.0, float(kept.sum()) / classes / float(counts[q[j].argmax()]))
            total = total - weight * float(q[j] @ network(pool[j : j + 1])[0].log_softmax(0).detach())
    assert abs(terms["student"].item() - 0.7 * total / 9) < 1e-5
    torch.testing.assert_close(terms["risk"], cross_entropy(network(few.x), few.y))


def test_classes_count_alike_up_to_a_bound():
    counts = torch.tensor([2, 6, 4])
    torch.testing.assert_close(evened(counts) * counts, torch.full((3,), 4.0))
    assert evened(torch.tensor([1, 999]))[0] == LARGEST


def test_a_student_starts_anew_and_its_teacher_is_the_model_before(away, network, monkeypatch):
    seen = []
    start = NoisyStudent.start

    def watching(self, problem, backbone, training):
        seen.append((problem.source_model, training.seed))
        return start(self, problem, backbone, training)

    monkeypatch.setattr(NoisyStudent, "start", watching)
    given = away.only(NoisyStudent.needs)
    model = NoisyStudent(**QUICK, rounds=2).fit(given, network)
    assert [one is None for one, _ in seen] == [True, False, False]
    assert len({seed for _, seed in seen}) == 3
    first = NoisyStudent(**QUICK, rounds=0).fit(given, network)
    assert torch.equal(seen[1][0].head.weight, first.head.weight)
    assert not torch.equal(model.head.weight, first.head.weight)
    alone = SourceTuned(**QUICK).fit(given, network)
    torch.testing.assert_close(first.head.weight, alone.head.weight)


def test_behind_frozen_stages_as_without_them(away, network):
    recipe = NoisyStudent(**QUICK, rounds=1)
    given = away.only(recipe.needs)
    prefix, suffix = network.cut(recipe.lowest_trained(network))
    behind = recipe.at_the_cut(prefix, given, Training())
    model = recipe.fit(behind, suffix).behind(prefix)
    torch.testing.assert_close(model.logits(away.target), recipe.fit(given, network).logits(away.target))


def test_gains_where_few_labels_leave_a_pool_of_bent_classes(gain_of_a_pool):
    recipe = NoisyStudent(epochs=1, least_steps=150, batch_size=64, rate=3e-3, stage_rate=3e-3)
    assert sum(gain_of_a_pool(recipe, seed) for seed in (0, 1)) > 0.01
