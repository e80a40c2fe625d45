"""Several sources as one domain."""

import pytest
import torch

from regraft.domain import Domain
from regraft.errors import InputError
from regraft.output import Real
from regraft.pooling import joined, pooled
from regraft.readers import read_images


def test_classes_are_matched_by_name():
    one = Domain([[0.0], [1.0]], ["owl", "crow"])
    other = Domain([[2.0], [3.0]], ["emu", "owl"])
    both = pooled({"one": one, "other": other})
    assert both.output.decode(both.y) == ["owl", "crow", "emu", "owl"]
    assert both.origin.tolist() == [0, 0, 1, 1]


def test_a_group_of_one_is_none_of_the_other():
    one = Domain([[0.0], [1.0]], ["a", "b"], group=["x", "x"])
    other = Domain([[2.0], [3.0]], ["a", "b"], group=["x", "y"])
    assert pooled({"one": one, "other": other}).group.tolist() == [0, 0, 1, 2]
    assert pooled({"one": one, "other": other.with_(group=None)}).group.tolist() == [0, 0, 1, 2]


def test_weights_stay_and_what_has_none_counts_once():
    one, other = Domain([[0.0], [1.0]], ["a", "b"], weight=[2.0, 0.5]), Domain([[2.0]], ["a"])
    assert pooled({"one": one, "other": other}).weight.tolist() == [2.0, 0.5, 1.0]
    assert pooled({"other": other, "again": other}).weight is None


def test_pictures_of_several_folders(tmp_path):
    from PIL import Image

    for folder in ("lab", "street"):
        for kind in ("a", "b"):
            (tmp_path / folder / kind).mkdir(parents=True)
            Image.new("L", (8, 8), 40 * len(folder)).save(tmp_path / folder / kind / "1.png")
    both = pooled({name: read_images(tmp_path / name) for name in ("lab", "street")})
    assert both.x.names() == ["lab/a/1.png", "lab/b/1.png", "street/a/1.png", "street/b/1.png"]
    assert both.x.thumbnails.shape == (4, 3, 32, 32)


@pytest.mark.parametrize("other", [torch.zeros(2, 5), torch.zeros(2, 4, dtype=torch.uint8)])
def test_what_does_not_go_together_is_refused(other):
    with pytest.raises(InputError, match="no samples of one kind"):
        joined([torch.zeros(2, 4), other])


def test_numbers_are_not_pooled():
    priced = Domain([[0.0]], [[1.0]], Real(("price",)))
    with pytest.raises(InputError, match="class labels"):
        pooled({"one": priced, "other": priced})
    with pytest.raises(InputError, match="at least one"):
        pooled({})
