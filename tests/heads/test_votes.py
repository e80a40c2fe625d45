"""Linear classifiers that vote."""

import pytest
import torch

from regraft.backbones import vectors
from regraft.errors import InputError
from regraft.export import export_onnx
from regraft.heads import Linear, Votes, head_from_json
from regraft.model import Model
from regraft.output import Classes


def three_votes():
    """By the first column, by the second, and always for the third class; the first has half of the say."""
    first = Linear.of(torch.tensor([[1.0, 0], [-1, 0], [0, 0]]).double(), torch.tensor([0.0, 0, -9]).double())
    second = Linear.of(
        torch.tensor([[0.0, 1], [0, -1], [0, 0]]).double(), torch.tensor([0.0, 0, -9]).double()
    )
    third = Linear.of(torch.zeros(3, 2).double(), torch.tensor([0.0, 0, 9]).double())
    return Votes.of([first, second, third], torch.tensor([2.0, 1.0, 1.0]))


def test_shares_of_the_votes_by_hand():
    shares = three_votes()(torch.tensor([[5.0, 1.0], [5.0, -1.0]])).exp() - 1 / 6
    torch.testing.assert_close(shares, torch.tensor([[0.75, 0.0, 0.25], [0.5, 0.25, 0.25]]).double())


def test_survives_its_json():
    head = three_votes()
    again = head_from_json(head.to_json())
    again.load_state_dict(head.state_dict())
    z = torch.randn(20, 2)
    assert torch.equal(again(z), head(z))
    with pytest.raises(InputError, match="votes = 0"):
        head_from_json({**head.to_json(), "votes": 0})


def test_is_exported(tmp_path):
    pytest.importorskip("onnxruntime")
    model = Model(
        vectors().prepared_by(vectors().preprocessing.fit(torch.randn(9, 2))),
        three_votes(),
        Classes(("a", "b", "c")),
    )
    parity = export_onnx(model, tmp_path / "m.onnx", torch.randn(30, 2))
    assert parity.samples == 30
