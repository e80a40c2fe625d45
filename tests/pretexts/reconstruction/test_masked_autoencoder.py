"""Hidden patches."""

import numpy as np
import pytest
import torch

from regraft.backbones import small_convnet
from regraft.domain import Domain
from regraft.errors import InputError
from regraft.pretexts.reconstruction.masked_autoencoder import (
    EVEN,
    MaskedAutoencoder,
    in_patches,
    over_pixels,
    some_of,
)
from regraft.pretexts.reconstruction.reconstruction import painted_over
from regraft.problem import Problem
from regraft.training import Step


def test_it_is_the_formula_over_hidden_patches():
    luck = torch.Generator().manual_seed(0)
    x = torch.randint(256, (5, 1, 9, 11), dtype=torch.uint8, generator=luck)
    task = MaskedAutoencoder(patches=2, hidden=0.5)
    network = task.start(small_convnet((9, 11), "grey", width=2), x).eval()
    torch.manual_seed(1)
    told = task.objective(network, Step(Problem(unlabelled=Domain(x)), 0.0))["hidden"].item()
    torch.manual_seed(1)
    gone = some_of(5, 4, 0.5)
    decoder, picture = network.head, x[:, 0].double().numpy()
    seen = painted_over(x, over_pixels(gone, 2, (9, 11)), decoder.mean)
    made = decoder(network.backbone(seen))[:, 0].detach().double().numpy()
    aim, missed = (picture - picture.mean()) / picture.std(), []
    for i, p in gone.nonzero().tolist():
        down, across = 4 * (p // 2), 5 * (p % 2)
        patch = aim[i, down : down + 4, across : across + 5]
        assert (seen[i, 0, down : down + 4, across : across + 5] == round(picture.mean())).all()
        patch = (patch - patch.mean()) / np.sqrt(patch.var() + EVEN)
        missed.append(((patch - made[i, down : down + 4, across : across + 5]) ** 2).mean())
    assert (seen != x).float().mean() < 0.5
    assert told == pytest.approx(np.mean(missed), rel=1e-4)


def test_patches_and_pixels_agree():
    gone = some_of(4, 9, 0.4)
    inside = in_patches(over_pixels(gone, 3, (10, 13)).float(), 3)
    assert torch.equal(inside.amin(2), gone.float())
    assert torch.equal(inside.amax(2), gone.float())


def test_too_many_patches_are_refused():
    pool = Domain(torch.zeros(9, 8, 8, dtype=torch.uint8))
    with pytest.raises(InputError, match="8 patches a side"):
        MaskedAutoencoder(patches=8).pretrain(pool, small_convnet((8, 8), "grey", width=2))


def test_what_is_needed_to_complete_letters_tells_them(gain, clear):
    pool, labelled = clear
    task = MaskedAutoencoder(epochs=0, least_steps=120, batch_size=64, hidden=0.4)
    more, made = gain(task, labelled=labelled, pool=pool)
    assert more > 0.1
    assert made.history.terms["hidden"][-1] < 0.9 * made.history.terms["hidden"][0]
