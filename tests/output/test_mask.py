"""Masks as answers: loss, void pixels, what looks at nothing says, matching by name, JSON."""

import math

import pytest
import torch

from regraft import Domain, Mask
from regraft.errors import InputError
from regraft.output import Classes, output_from_json
from regraft.output.mask import COARSE, VOID

BIRDS = Mask(("sky", "owl", "crow"))


def test_loss_is_the_mean_cross_entropy_of_the_pixels_that_count():
    logits = torch.randn(2, 3, 4, 5)
    y = torch.randint(0, 3, (2, 4, 5), dtype=torch.uint8)
    y[0, 0, :3] = VOID
    expected = []
    for i in range(2):
        each = [
            -float(logits[i, :, r, c].log_softmax(0)[int(y[i, r, c])])
            for r in range(4)
            for c in range(5)
            if y[i, r, c] != VOID
        ]
        expected.append(sum(each) / len(each))
    torch.testing.assert_close(BIRDS.loss(logits, y), torch.tensor(expected))


def test_void_pixels_have_no_gradient_and_a_void_picture_no_loss():
    logits = torch.randn(2, 3, 4, 4, requires_grad=True)
    y = torch.zeros(2, 4, 4, dtype=torch.uint8)
    y[0, 1, 2] = VOID
    y[1] = VOID
    loss = BIRDS.loss(logits, y)
    loss.sum().backward()
    assert loss[1] == 0
    assert (logits.grad[0, :, 1, 2] == 0).all()
    assert (logits.grad[0, :, 0, 0] != 0).all()
    assert (logits.grad[1] == 0).all()


def test_scores_of_few_places_are_enlarged():
    logits = torch.tensor([[[[5.0]], [[0.0]], [[0.0]]]])
    everywhere = BIRDS.loss(logits, torch.zeros(1, 9, 7, dtype=torch.uint8))
    torch.testing.assert_close(everywhere, torch.tensor([math.log(1 + 2 * math.exp(-5))]))


def test_what_is_not_observed_becomes_void():
    seen = torch.ones(1, 2, 2, dtype=torch.bool)
    seen[0, 1, 1] = False
    domain = Domain(torch.zeros(1, 2, 2, dtype=torch.uint8), [[[0, 1], [1, 2]]], output=BIRDS, observed=seen)
    assert domain.y.tolist() == [[[0, 1], [1, VOID]]]
    assert domain.observed is None


@pytest.mark.parametrize(
    ("y", "said"),
    [
        (torch.zeros(2, 3, 3), "whole numbers"),
        (torch.zeros(2, 3, dtype=torch.long), "n × height × width"),
        (torch.full((1, 2, 2), 3), "hold 3, and there are 3 classes"),
        (torch.full((1, 2, 2), -1), "hold -1"),
    ],
)
def test_what_is_no_mask_is_refused(y, said):
    with pytest.raises(InputError, match=said):
        BIRDS.read(y)


def test_prior_tells_places_apart():
    y = torch.zeros(9, 32, 32, dtype=torch.uint8)
    y[:, 16:] = 1
    y[0, 0, 0] = VOID
    chances = BIRDS.expected(BIRDS.prior(y)[None])[0]
    torch.testing.assert_close(chances.sum(0), torch.ones(COARSE, COARSE, dtype=torch.float64))
    assert (chances[0, :8] > 0.85).all()
    assert (chances[1, 8:] > 0.85).all()
    # of nine pictures that are all sky there, and one that is every class by its share
    share = (9 * 512 - 1 + 1) / (9 * 1024 - 1 + 3)
    assert chances[0, 3, 3] == pytest.approx((9 + share) / 10)


def test_classes_are_matched_by_name():
    other = Mask(("owl", "sky"))
    y, _ = BIRDS.matched(other, torch.tensor([[[0, 1, VOID]]], dtype=torch.uint8))
    assert y.tolist() == [[[1, 0, VOID]]]
    with pytest.raises(InputError, match="'emu'"):
        BIRDS.matched(Mask(("emu",)), y)
    with pytest.raises(InputError, match="2 classes"):
        BIRDS.matched(Classes(("sky", "owl")), torch.tensor([0]))


def test_a_class_that_no_mask_has_is_never_the_answer():
    y = torch.tensor([[[0, 1]]], dtype=torch.uint8)
    silent = BIRDS.silenced(torch.tensor([[[[0.0, 0.0]], [[0.0, 1.0]], [[9.0, 9.0]]]]), y)
    assert BIRDS.answer(BIRDS.expected(silent)).tolist() == [[[0, 1]]]


def test_masks_of_one_class_teach_nothing():
    with pytest.raises(InputError, match="only 'owl'"):
        BIRDS.must_teach(torch.ones(2, 4, 4, dtype=torch.uint8))
    with pytest.raises(InputError, match="void pixels only"):
        BIRDS.must_teach(torch.full((2, 4, 4), VOID, dtype=torch.uint8))


def test_json_round_trip():
    assert output_from_json(BIRDS.to_json()) == BIRDS
    with pytest.raises(InputError, match="none twice"):
        output_from_json({"kind": "mask", "names": ["owl", "owl"]})


def test_fingerprints_know_the_masks():
    x = torch.zeros(2, 4, 4, dtype=torch.uint8)
    x[1] = 9
    y = torch.zeros(2, 4, 4, dtype=torch.uint8)
    y[1, 2] = 1
    one = Domain(x, y, output=BIRDS)
    assert one.fingerprint() == one[[1, 0]].fingerprint()
    assert one.fingerprint() != Domain(x, y.flip(0), output=BIRDS).fingerprint()
