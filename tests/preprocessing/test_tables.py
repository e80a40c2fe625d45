import numpy as np
import pytest
import torch

from regraft.errors import InputError
from regraft.preprocessing import preprocessing_from_json
from regraft.preprocessing.tables import MOST_CATEGORIES, TablePreprocessing
from regraft.readers import Table

TRAIN = Table(
    ("size", "colour", "note"), [["1", "red", ""], ["2", "blue", ""], ["?", "red", ""], ["6", "", ""]]
)


def test_numbers_categories_and_missing_cells_by_hand():
    rule = TablePreprocessing().fit(TRAIN)
    assert rule.columns == [
        "size",
        "size is missing",
        "colour is missing",
        "colour = blue",
        "colour = red",
        "note is missing",
    ]
    median, deviation = 2.0, np.std([1, 2, 6])
    expected = [
        [(1 - median) / deviation, 0, 0, 0, 1, 1],
        [0, 0, 0, 1, 0, 1],
        [0, 1, 0, 0, 1, 1],
        [(6 - median) / deviation, 0, 1, 0, 0, 1],
    ]
    np.testing.assert_allclose(rule(TRAIN), expected)


def test_saved_is_the_same_rule():
    rule = TablePreprocessing().fit(TRAIN)
    again = preprocessing_from_json(rule.to_json(), rule.tensors())
    assert torch.equal(again(TRAIN), rule(TRAIN))


def test_columns_may_come_in_another_order_and_with_others():
    rule = TablePreprocessing().fit(TRAIN)
    other = Table(("extra", "note", "colour", "size"), [["9", "", "red", "1"]])
    assert torch.equal(rule(other), rule(TRAIN)[:1])


def test_unseen_categories_are_zeros_and_rare_ones_share_them():
    rule = TablePreprocessing().fit(Table(("c",), [[f"v{i}"] for i in range(60)] + [["v59"]]))
    assert len(rule.columns) == MOST_CATEGORIES
    assert rule(Table(("c",), [["new"]])).sum() == 0
    assert rule(Table(("c",), [["v59"]])).sum() == 1


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (Table(("size", "colour"), [["1", "red"]]), "lacks 1 columns"),
        (
            Table(("size", "colour", "note"), [["1", "red", ""], ["-inf", "red", ""]]),
            "row 3 now holds '-inf'",
        ),
        (
            Table(("size", "colour", "note"), [["big", "red", ""]]),
            "'size' was numeric in training, and row 2 now holds 'big'",
        ),
    ],
)
def test_what_does_not_fit_is_named(table, told):
    with pytest.raises(InputError, match=told):
        TablePreprocessing().fit(TRAIN)(table)


def test_rows_are_named_as_in_the_file_from_any_part_of_the_table():
    pool = Table(TRAIN.columns, [["1", "red", ""]] * 3 + [["big", "red", ""]])
    with pytest.raises(InputError, match="row 5"):
        TablePreprocessing().fit(TRAIN)(pool[torch.tensor([2, 3])])


def test_a_numeric_column_without_numbers_in_the_fold_says_nothing():
    whole = Table(("a", "b"), [["", "x"], ["", "y"], ["3", "x"]])
    rule = TablePreprocessing().fit(whole[torch.tensor([0, 1])])
    assert rule.columns == ["a is missing", "b = x", "b = y"]
    assert rule(whole).tolist() == [[1, 1, 0], [1, 0, 1], [0, 1, 0]]


def test_infinity_is_no_number():
    assert TablePreprocessing().fit(Table(("a",), [["1"], ["inf"]])).columns == ["a = 1", "a = inf"]
