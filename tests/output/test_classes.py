import numpy as np
import pytest
import torch

from regraft.errors import InputError
from regraft.output import Classes, classes_of, output_from_json


def test_numbers_are_ordered_by_value_and_words_by_letter():
    assert classes_of(["10", "9", "b", "a", "01"])[0].names == ("01", "9", "10", "a", "b")


def test_numbers_of_any_type_are_the_same_names():
    assert classes_of([3, 3.0, np.int64(3), "3"])[0].names == ("3",)


@pytest.mark.parametrize(
    ("one", "other"), [("café", "cafe\u0301"), ("owl", "Owl"), ("owl", " owl"), ("ﬁn", "fin")]
)
def test_spellings_that_look_alike_are_named(one, other):
    with pytest.raises(InputError, match="merge") as caught:
        classes_of([one, other, "crow"])
    assert repr(one) in str(caught.value)
    assert repr(other) in str(caught.value)


def test_merging_takes_the_more_frequent_spelling():
    output, names = classes_of(["Owl", "owl", "owl", "crow"], "merge")
    assert output.names == ("crow", "owl")
    assert names == ["owl", "owl", "owl", "crow"]


def test_keeping_keeps_both():
    assert classes_of(["Owl", "owl"], "keep")[0].names == ("Owl", "owl")


@pytest.mark.parametrize("missing", [None, float("nan"), np.nan])
def test_a_missing_label_is_an_error(missing):
    with pytest.raises(InputError, match="missing"):
        classes_of(["owl", missing])


def test_codes_and_names_are_inverse():
    birds = Classes(("crow", "emu", "owl"))
    names = ["owl", "crow", "emu", "owl"]
    assert birds.decode(birds.encode(names)) == names


def test_unknown_labels_are_named():
    with pytest.raises(InputError, match="'emu'"):
        Classes(("crow", "owl")).encode(["emu"])


def test_loss_is_the_cross_entropy():
    logits, y = torch.randn(5, 3), torch.tensor([0, 1, 2, 0, 1])
    expected = torch.stack([logits[i].exp().sum().log() - logits[i, y[i]] for i in range(5)])
    torch.testing.assert_close(Classes(("a", "b", "c")).loss(logits, y), expected)


def test_json_round_trip_and_unknown_kinds():
    birds = Classes(("__proto__", "<img onerror=x>", "../x"))
    assert output_from_json(birds.to_json()) == birds
    with pytest.raises(InputError, match="unknown"):
        output_from_json({"kind": "os.system"})
