import json

import numpy as np
import pytest
import torch

from regraft.domain import Domain
from regraft.errors import InputError
from regraft.output import MultiLabel, output_from_json


def test_sets_and_indicators_are_the_same():
    sets = Domain([[0.0], [1.0], [2.0]], [["cat", "dog"], [], {"dog"}], MultiLabel())
    table = Domain(sets.x, np.array([[1, 1], [0, 0], [0, 1]]), MultiLabel(("cat", "dog")))
    assert sets.output == table.output
    assert torch.equal(sets.y, table.y)
    assert sets.output.decode(sets.y) == [["cat", "dog"], [], ["dog"]]
    assert str(sets) == "3 vectors of 1 numbers, 2 labels (cat, dog)"


@pytest.mark.parametrize(
    ("y", "what"),
    [
        ([["cat"], "dog"], "list of labels"),
        ([[0.5, 1.0], [0.0, 1.0]], "0.5"),
        ([[], []], "no sample has a label"),
        ([["cat"], ["emu"]], "emu"),
        ([[None, None], [1, 0]], "nothing is known"),
    ],
)
def test_what_is_none_is_named(y, what):
    names = ("cat", "dog") if what in ("emu", "0.5", "nothing is known") else ()
    with pytest.raises(InputError, match=what):
        Domain([[0.0], [1.0]], y, MultiLabel(names))


def test_the_loss_is_the_mean_over_known_entries():
    output = MultiLabel(("a", "b"))
    logits, y = torch.tensor([[1.0, -2.0], [0.5, 3.0]]), torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    known = torch.tensor([[True, True], [True, False]])
    each = [[np.log1p(np.exp(-1.0)), np.log1p(np.exp(-2.0))], [np.log1p(np.exp(0.5)), 0]]
    expected = [sum(each[0]) / 2, each[1][0]]
    assert output.loss(logits, y, known).tolist() == pytest.approx(expected)


def test_the_prior_has_the_smoothed_share_as_probability():
    output, y = MultiLabel(("a", "b")), torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 0.0]])
    known = torch.tensor([[True, True], [True, True], [True, False]])
    assert output.expected(output.prior(y, known)).tolist() == pytest.approx([3 / 5, 1 / 4])


def test_a_label_that_never_differs_is_learned_only_beside_others():
    output = MultiLabel(("a", "b"))
    output.must_teach(torch.tensor([[1.0, 1.0], [1.0, 0.0]]))
    with pytest.raises(InputError, match="no label"):
        output.must_teach(torch.tensor([[1.0, 0.0], [1.0, 0.0]]))


def test_json_round_trip():
    output = MultiLabel(("a", "<b>"))
    assert output_from_json(json.loads(json.dumps(output.to_json()))) == output
    with pytest.raises(InputError, match="names"):
        output_from_json({"kind": "multilabel", "names": ["a", "a"]})
