"""The mirror of a backbone."""

import pytest
import torch
from torch import nn

from regraft.backbone import Backbone
from regraft.backbones import lenet, small_convnet, small_mlp
from regraft.errors import InputError
from regraft.pretexts.reconstruction.decoder import Decoder, block, cuts_of, moments_of


@pytest.mark.parametrize(
    ("backbone", "x"),
    [
        (small_convnet((17, 22), width=2), torch.zeros(4, 3, 17, 22, dtype=torch.uint8)),
        (lenet((18, 20), "grey", widths=(3, 4, 5)), torch.zeros(4, 1, 18, 20, dtype=torch.uint8)),
        (small_mlp(7, (5, 3)), torch.zeros(4, 7, dtype=torch.float64)),
        (small_convnet((16, 16), width=2)[:2], torch.zeros(4, 3, 16, 16, dtype=torch.uint8)),
    ],
)
def test_every_block_leads_back_over_its_stage(backbone, x):
    decoder = Decoder(backbone, x)
    z = backbone(x)
    for i in reversed(range(len(backbone))):
        z = decoder.blocks[i](z)
        assert z.shape[1:] == cuts_of(backbone, x)[i].shape
    assert z.shape == x.shape
    assert decoder.entrance(6)(torch.zeros(4, 6)).shape == backbone(x).shape


def test_tokens_are_led_back_one_by_one():
    assert block((9, 4), (9, 6))(torch.zeros(2, 9, 4)).shape == (2, 9, 6)
    assert block((9, 4), (3, 6, 6))(torch.zeros(2, 9, 4)).shape == (2, 3, 6, 6)


def test_large_maps_grow_from_a_small_one_and_what_is_too_large_is_refused():
    big = block((2048,), (512, 8, 8))
    assert sum(p.numel() for p in big.parameters()) < 2**24 + 2**14
    assert big(torch.zeros(1, 2048)).shape == (1, 512, 8, 8)
    with pytest.raises(InputError, match="no decoder"):
        block((197, 768), (196, 999))


def test_answers_can_go_below_zero_where_activations_do():
    x = torch.randn(8, 3, generator=torch.Generator().manual_seed(0))
    signed = Decoder(Backbone([("a", nn.Linear(3, 4)), ("b", nn.Linear(4, 2))], name="toy"), x)
    rectified = Decoder(small_mlp(3, (4, 2)), x)
    assert isinstance(signed.blocks[1][-1], nn.LeakyReLU)
    assert isinstance(rectified.blocks[1][-1], nn.ReLU)


def test_moments_are_those_of_the_pool():
    luck = torch.Generator().manual_seed(0)
    x = torch.randint(256, (300, 3, 4, 5), dtype=torch.uint8, generator=luck)
    mean, spread = moments_of(x)
    torch.testing.assert_close(mean.flatten(), x.float().mean((0, 2, 3)))
    torch.testing.assert_close(spread.flatten(), x.float().std((0, 2, 3), correction=0))
    decoder = Decoder(small_convnet((8, 8), width=2), torch.zeros(4, 3, 8, 8, dtype=torch.uint8))
    assert decoder.back(decoder.aim(x[:1, :, :1, :1])).round().tolist() == x[:1, :, :1, :1].float().tolist()
