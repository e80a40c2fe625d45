"""What labels are about, and what a task makes a backbone blind to."""

import pytest
import torch

from regraft.contradiction import SIGHTS, contradictions
from regraft.domain import Domain
from regraft.pretexts import PRETEXTS

N = 80


def photos(change):
    """Noise with a bright blot somewhere, and what tells its label."""
    luck = torch.Generator().manual_seed(0)
    x = 60 + 40 * torch.rand(N, 3, 16, 16, generator=luck)
    y = torch.arange(N) % 2
    for i in range(N):
        top, left = torch.randint(2, 8, (2,), generator=luck).tolist()
        change(x[i], int(y[i]), top, left)
    names = ["one" if c else "other" for c in y.tolist()]
    return Domain(torch.zeros(N, 1), names), x.clamp(0, 255).byte()


def coloured(x, c, top, left):
    x[2 * c, top : top + 6, left : left + 6] += 120


def turned(x, c, top, left):
    ramp = 20 * torch.arange(6.0)
    x[:, top : top + 6, left : left + 6] += ramp if c else ramp.flip(0)[:, None]


def placed(x, c, top, left):
    x[:, top : top + 5, (0 if c else 11) : (5 if c else 16)] += 120


def sized(x, c, top, left):
    side = 3 if c else 8
    x[:, top : top + side, left : left + side] += 120


@pytest.mark.parametrize(
    ("change", "sight"),
    [
        (coloured, "colour"),
        (turned, "orientation"),
        (placed, "position"),
        (placed, "mirror"),
        (sized, "size"),
    ],
)
def test_what_the_labels_are_about_is_seen(change, sight):
    labelled, x = photos(change)

    class Blind(PRETEXTS["Rotation"]):
        blind_to = (sight,)

    assert [one.sight for one in contradictions(Blind(), labelled, x)] == [sight]


def test_what_they_are_not_about_is_not():
    labelled, x = photos(coloured)
    assert contradictions(PRETEXTS["Rotation"](), labelled, x) == []
    labelled, x = photos(turned)
    [one] = contradictions(PRETEXTS["Rotation"](), labelled, x)
    assert str(one).startswith("orientation alone tells ")
    assert "Rotation teaches not to see it" in str(one)


def test_a_sight_is_blind_to_the_others():
    """Orientation does not change where a picture grows lighter or loses its colours."""
    _, x = photos(turned)
    grey = x.float().mean(1, keepdim=True).expand(-1, 3, -1, -1)
    torch.testing.assert_close(SIGHTS["orientation"](grey), SIGHTS["orientation"](x.float()))
    torch.testing.assert_close(
        SIGHTS["orientation"](0.5 * grey + 20), SIGHTS["orientation"](grey), atol=1e-3, rtol=0
    )


def test_every_task_names_sights_that_there_are():
    for task in PRETEXTS.values():
        assert set(task().unseen) <= SIGHTS.keys()


def test_what_views_make_of_no_account_is_what_they_change():
    simclr = PRETEXTS["SimCLR"]
    assert set(simclr().unseen) == {"position", "size", "colour", "mirror"}
    assert simclr(crop=1.0, flip=False, colour=0.0).unseen == ()
    assert "orientation" in simclr(affine=0.5).unseen
    labelled, x = photos(placed)
    assert "mirror" in [one.sight for one in contradictions(simclr(crop=1.0), labelled, x)]
    assert contradictions(simclr(crop=1.0, flip=False), labelled, x) == []
