"""What a graph is fed, and that the two halves of a preprocessing are the whole."""

import numpy as np
import pytest
import torch

from regraft.errors import InputError
from regraft.export.entrance import entrance_of
from regraft.preprocessing import AsTheyAre
from regraft.preprocessing.images import ImagePreprocessing
from regraft.preprocessing.tables import TablePreprocessing
from regraft.preprocessing.vectors import Standardised
from regraft.readers import Table

TABLE = Table(("a", "b"), [["1", "x"], ["3", "y"], ["", "x"], ["2", ""]])
CASES = {
    "pictures": (ImagePreprocessing((4, 6)), torch.randint(0, 256, (3, 9, 8, 3), dtype=torch.uint8)),
    "grey": (ImagePreprocessing((4, 4), mean=(0.5,), std=(0.5,), colour="grey"), torch.zeros(2, 4, 4).byte()),
    "vectors": (Standardised().fit(torch.randn(5, 3)), torch.randn(4, 3)),
    "table": (TablePreprocessing().fit(TABLE), TABLE),
    "tensors": (AsTheyAre(), torch.randn(2, 3, 4)),
}


@pytest.mark.parametrize("case", CASES)
def test_before_and_in_the_graph_is_the_whole(case):
    rule, x = CASES[case]
    entrance = entrance_of(rule)
    assert torch.equal(entrance(torch.from_numpy(entrance.array(x))), rule(x))


def test_pictures_are_bytes_with_the_channels_last():
    rule, x = CASES["pictures"]
    fed = entrance_of(rule).array(x)
    assert (fed.dtype, fed.shape) == (np.uint8, (3, 4, 6, 3))


def test_cells_are_numbers_places_and_gaps():
    rule, _ = CASES["table"]
    fed = entrance_of(rule).array(Table(("b", "a"), [["y", "5"], ["z", "?"], ["NA", "1"]]))
    np.testing.assert_array_equal(fed, [[5.0, 1.0], [np.nan, -1.0], [1.0, np.nan]])


def test_what_the_model_refuses_is_refused():
    rule, _ = CASES["vectors"]
    with pytest.raises(InputError, match="NaN"):
        entrance_of(rule).array(torch.tensor([[0.0, float("nan"), 0.0]]))
