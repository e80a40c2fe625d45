"""What learns from a source beside few labels of the target."""

import torch

from regraft.backbones import vectors
from regraft.domain import Domain
from regraft.methods.few_labels.source_then_target import SourceThenTarget
from regraft.output import Classes
from regraft.pooling import of_classes
from regraft.problem import Problem
from regraft.selection import compare


def test_what_the_source_has_besides_is_left_out():
    lab = Domain(torch.arange(4.0)[:, None], ["Owl", "emu", "crow", "Owl"], weight=[1.0, 2.0, 3.0, 4.0])
    some = of_classes(lab, Classes(("crow", "owl")))
    assert some.output.names == ("crow", "owl")
    assert some.y.tolist() == [1, 0, 1]
    assert some.weight.tolist() == [1.0, 3.0, 4.0]


def test_columns_are_scaled_by_the_source(few):
    model = SourceThenTarget().fit(few, vectors())
    moved = few.source.with_(x=5 * few.source.x + 3)
    target = few.target_labelled
    again = SourceThenTarget().fit(
        Problem(source=moved, target_labelled=target.with_(x=5 * target.x + 3)), vectors()
    )
    torch.testing.assert_close(again.logits(5 * target.x + 3), model.logits(target.x), atol=1e-4, rtol=0)


def test_compare_judges_it_against_what_the_target_alone_teaches(few):
    study = compare(few, methods=[SourceThenTarget()])
    borrowing = {type(r.candidate.method).__name__: r.candidate.borrows for r in study.results}
    assert borrowing == {
        "Majority": False,
        "LinearProbe": False,
        "RidgeProbe": False,
        "SourceThenTarget": True,
    }
    assert study.transfer is not None
    assert study.transfer.ours.startswith("SourceThenTarget")
