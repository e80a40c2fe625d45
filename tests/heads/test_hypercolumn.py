"""Dense heads: scores at every place, and heads that come back from JSON."""

import pytest
import torch
from torch.nn.functional import interpolate

from regraft.errors import InputError
from regraft.heads import Constant, FeaturePyramid, Hypercolumn, head_from_json

LEVELS = ((3, 8, 6), (5, 4, 3), (2, 2, 2))


def test_scores_are_those_of_the_hypercolumn_that_is_never_made():
    maps = [torch.randn(4, *level) for level in LEVELS]
    weight, bias = torch.randn(7, 10), torch.randn(7)
    column = torch.cat([interpolate(m, size=(8, 6), mode="bilinear") for m in maps], 1)
    expected = torch.einsum("kc,nchw->nkhw", weight, column) + bias[:, None, None]
    head = Hypercolumn.of(weight, bias, LEVELS)
    torch.testing.assert_close(head(torch.cat([m.flatten(1) for m in maps], 1)), expected)


def test_coarse_maps_reach_every_place_of_a_feature_pyramid():
    head = FeaturePyramid(LEVELS, 2, 8)
    z = torch.randn(1, sum(c * h * w for c, h, w in LEVELS), requires_grad=True)
    head(z)[0, 0, 0, 0].backward()
    assert z.grad[0, -8:].abs().sum() > 0
    assert all(p.grad is not None for p in head.parameters())


@pytest.mark.parametrize(
    "head",
    [Hypercolumn(LEVELS, 3), FeaturePyramid(LEVELS, 3, 8), Constant(3, places=(4, 5)), Constant(3)],
    ids=lambda head: head.kind,
)
def test_heads_come_back(head):
    again = head_from_json(head.to_json())
    again.load_state_dict(head.state_dict())
    z = torch.randn(2, sum(c * h * w for c, h, w in LEVELS))
    assert torch.equal(again(z), head(z))


@pytest.mark.parametrize("levels", [[], [[1, 2]], [[1, 2, -3]], [[1 << 20, 1 << 10, 1 << 10]], [["a", 1, 1]]])
def test_levels_that_no_pyramid_has_are_refused(levels):
    with pytest.raises(InputError, match="save the model again"):
        head_from_json({"kind": "hypercolumn", "levels": levels, "classes": 2})
