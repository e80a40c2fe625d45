import json

import numpy as np
import pytest
import torch

from regraft.domain import Domain
from regraft.errors import InputError
from regraft.output import Classes, MultiLabel, Real, output_from_json
from regraft.terms.risk import risk


def test_one_number_or_several_in_any_form():
    for y in ([1.0, 2.5], [[1.0], [2.5]], np.array([1.0, 2.5]), torch.tensor([1.0, 2.5]), ["1", "2.5"]):
        d = Domain([[0.0], [1.0]], y, Real(("price",)))
        assert d.y.tolist() == [[1.0], [2.5]]
        assert d.output.decode(d.y) == [1.0, 2.5]
    two = Domain([[0.0], [1.0]], [[1, 2], [3, 4]], Real())
    assert two.output.names == ("y1", "y2")
    assert two.output.decode(two.y) == [[1.0, 2.0], [3.0, 4.0]]


def test_a_data_frame_names_the_numbers():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"width": [1.0, 2.0], "height": [3.0, np.nan]})
    d = Domain([[0.0], [1.0]], frame, Real())
    assert d.output.names == ("width", "height")
    assert d.observed.tolist() == [[True, True], [True, False]]


@pytest.mark.parametrize(
    ("y", "what"),
    [
        (["a", "b"], "numbers"),
        ([1.0, float("inf")], "infinity"),
        ([[1.0, None], [None, None]], "nothing is known of row 1"),
        ([[[1.0]], [[2.0]]], "shape"),
    ],
)
def test_what_is_no_number_is_named(y, what):
    with pytest.raises(InputError, match=what):
        Domain([[0.0], [1.0]], y, Real())


def test_names_and_units_have_to_fit():
    with pytest.raises(InputError, match="2 columns"):
        Domain([[0.0]], [[1.0, 2.0]], Real(("a",)))
    with pytest.raises(InputError, match="units"):
        Real(("a", "b"), ("m",))


def test_unknown_entries_count_in_no_loss_and_no_gradient():
    d = Domain([[0.0], [1.0]], [[1.0, None], [3.0, 5.0]], Real(("a", "b")))
    logits = torch.tensor([[2.0, 100.0], [3.0, 4.0]], requires_grad=True)
    expected = ((2.0 - 1.0) ** 2 + ((3.0 - 3.0) ** 2 + (4.0 - 5.0) ** 2) / 2) / 2
    total = risk(logits, d)
    assert total.item() == pytest.approx(expected)
    total.backward()
    assert logits.grad[0, 1] == 0


def test_a_batch_keeps_what_is_known():
    d = Domain([[0.0], [1.0], [2.0]], [[1.0, None], [3.0, 5.0], [None, 4.0]], Real(("a", "b")))
    part = d[[2, 0]]
    assert part.observed.tolist() == [[False, True], [True, False]]
    assert part.output == d.output
    assert part.fingerprint() == d[[0, 2]].fingerprint() != d[[0, 1]].fingerprint()


def test_what_is_unknown_is_part_of_the_fingerprint():
    known, unknown = ([[1.0, 0.0]], [[1.0, None]])
    prints = {Domain([[0.0]], y, Real(("a", "b"))).fingerprint() for y in (known, unknown)}
    assert len(prints) == 2


def test_the_prior_is_the_mean_of_what_is_known():
    d = Domain([[0.0], [1.0]], [[1.0, None], [3.0, 5.0]], Real(("a", "b")))
    assert d.output.prior(d.y, d.observed).tolist() == [2.0, 5.0]


def test_columns_are_matched_by_name():
    ours, theirs = Real(("a", "b")), Domain([[0.0]], [[1.0, 2.0]], Real(("b", "a")))
    y, known = ours.matched(theirs.output, theirs.y, theirs.observed)
    assert (y.tolist(), known.tolist()) == ([[2.0, 1.0]], [[True, True]])
    for other in (Real(("c",)), Classes(("a", "b")), MultiLabel(("a", "b"))):
        with pytest.raises(InputError):
            ours.matched(other, torch.zeros(1, 1, dtype=torch.float64))


def test_what_is_the_same_everywhere_cannot_be_learned():
    d = Domain([[0.0], [1.0]], [[1.0, 2.0], [1.0, 3.0]], Real(("a", "b")))
    with pytest.raises(InputError, match="'a' is 1 in all"):
        d.output.must_teach(d.y, d.observed)


def test_json_round_trip():
    output = Real(("a", "__proto__"), ("m", ""))
    assert output_from_json(json.loads(json.dumps(output.to_json()))) == output
