import pytest
import torch

from regraft.backbones import vectors
from regraft.certainty import ClassAnswers, ClassCertainty
from regraft.domain import Domain
from regraft.methods import METHODS
from regraft.model_folder import load
from regraft.problem import Problem
from regraft.selection import compare


def birds(n=60, apart=3.0, seed=0):
    generator = torch.Generator().manual_seed(seed)
    y = torch.arange(n) % 2
    return Domain(
        torch.randn(n, 4, generator=generator) + apart * y[:, None], [["owl", "crow"][c] for c in y]
    )


@pytest.mark.slow
def test_plausible_classes_hold_the_true_one_as_often_as_promised():
    held = []
    for seed in range(12):
        model = compare(Problem(target_labelled=birds(60, 1.0, seed))).model
        new = birds(500, 1.0, 100 + seed)
        y = model.output.encode(new.classes.decode(new.labels))
        held.append(model.answers(new.unlabelled()).plausible.gather(1, y[:, None]).double().mean())
    assert 0.85 < float(torch.stack(held).mean()) < 0.97


def test_accepted_answers_are_right_more_often():
    model = compare(Problem(target_labelled=birds(80, 1.0))).model
    new = birds(1000, 1.0, 7)
    answers = model.answers(new.unlabelled())
    right = torch.tensor([a == b for a, b in zip(answers.label, new.classes.decode(new.labels), strict=True)])
    assert 0.1 < float(answers.accepted.double().mean()) < 0.95
    undecided = answers.plausible.sum(1) > 1
    assert right[answers.accepted].double().mean() > right[undecided].double().mean() + 0.1


def test_few_labels_accept_nothing():
    model = compare(Problem(target_labelled=birds(8))).model
    assert model.certainty.temperature == 1.0
    assert not model.answers(birds(20, seed=3).unlabelled()).accepted.any()
    assert "rule nothing out" in str(model.certainty)


def test_it_survives_saving(tmp_path):
    model = compare(Problem(target_labelled=birds())).model
    again = load(model.save(tmp_path / "model"))
    x = birds(30, seed=5).x
    one, other = model.answers(x), again.answers(x)
    assert one.label == other.label
    assert torch.equal(one.probabilities, other.probabilities)
    assert torch.equal(one.novelty, other.novelty)
    assert torch.equal(one.accepted, other.accepted)
    assert str(again.certainty) == str(model.certainty)


def test_what_no_judge_has_seen_has_no_opinion():
    model = METHODS["NearestMean"]().fit(Problem(target_labelled=birds()), vectors())
    answers = model.answers(birds(5).x)
    assert answers.accepted is None
    assert len(answers) == 5
    assert len(model.answers(torch.zeros(0, 4))) == 0


@pytest.mark.parametrize(
    ("plausible", "novelty", "accepted"), [(1, 0.5, True), (2, 0.5, False), (1, 1.5, False)]
)
def test_accepted_is_one_plausible_class_and_nothing_new(plausible, novelty, accepted):
    p = torch.tensor([[0.6, 0.4]])
    answers = ClassAnswers(["owl"], p, torch.tensor([[True, plausible == 2]]), torch.tensor([novelty]))
    assert answers.accepted.tolist() == [accepted]


def test_the_temperature_changes_no_label():
    model = compare(Problem(target_labelled=birds(60, 1.0))).model
    x = birds(200, 1.0, 9).x
    logits = model.logits(x)
    assert isinstance(model.certainty, ClassCertainty)
    assert model.predict(x) == model.output.decode(logits.argmax(1))
    torch.testing.assert_close(model.probabilities(x), (logits / model.certainty.temperature).softmax(1))
