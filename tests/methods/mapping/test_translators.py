import pytest
import torch
from torch import nn

from regraft.backbones import small_convnet
from regraft.errors import InputError
from regraft.methods.mapping.translators import Generator, Look, SourceClassifier, discriminator, translatable
from regraft.trained import Network


def vectors(n: int, centre: float, seed: int) -> torch.Tensor:
    return centre + 3 * torch.randn(n, 4, generator=torch.Generator().manual_seed(seed))


def test_numbers_are_looked_at_in_units_of_both_domains_together():
    source, target = vectors(40, 5.0, 0), vectors(20, -5.0, 1)
    both = Look(source, target).inside(torch.cat([source, target]))
    torch.testing.assert_close(both.mean(0), torch.zeros(4), atol=1e-5, rtol=0)
    torch.testing.assert_close(both.std(0, correction=0), torch.ones(4))


def test_channels_of_maps_have_units_of_their_own():
    maps = torch.randn(6, 2, 9, 9) * torch.tensor([1.0, 50.0])[:, None, None]
    u = Look(maps[:3], maps[3:]).inside(maps)
    torch.testing.assert_close(u.std((0, 2, 3), correction=0), torch.ones(2))


def test_pixels_are_between_minus_one_and_one_whatever_there_is():
    dark = torch.zeros(2, 3, 8, 8, dtype=torch.uint8)
    look = Look(dark, dark + 10)
    assert look.inside(dark).unique().tolist() == [-1.0]
    assert look.inside(dark + 255).unique().tolist() == [1.0]


def test_outside_undoes_inside():
    x = vectors(10, 2.0, 0)
    look = Look(x, vectors(10, 0.0, 1))
    torch.testing.assert_close(look.outside(look.inside(x)), x)


@pytest.mark.parametrize("shape", [(5, 4), (5, 1, 8, 8), (5, 3, 11, 9)])
def test_a_generator_starts_as_the_identity_and_every_weight_can_leave_it(shape: tuple[int, ...]):
    torch.manual_seed(0)
    u = torch.randn(shape)
    generator = Generator(u, width=4)
    assert torch.equal(generator(u), u)
    for parameter in generator.change.last.parameters():
        nn.init.normal_(parameter)
    (generator(u) - u).square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in generator.parameters())


def test_a_generator_can_change_how_bright_a_picture_is():
    """What normalises every picture at full resolution could not."""
    torch.manual_seed(0)
    u = torch.randn(8, 3, 8, 8)
    generator = Generator(u, width=4)
    steps = torch.optim.Adam(generator.parameters(), 1e-2)
    for _ in range(200):
        steps.zero_grad()
        loss = (generator(u) - (u + 0.7)).square().mean()
        loss.backward()
        steps.step()
    assert loss.item() < 0.1 * 0.7**2


def test_a_discriminator_scores_vectors_and_patches():
    assert discriminator(torch.zeros(1, 4), 8)(torch.zeros(6, 4)).shape == (6, 1)
    assert discriminator(torch.zeros(1, 3, 16, 8), 8)(torch.zeros(6, 3, 16, 8)).shape == (6, 1, 4, 2)


def test_a_discriminator_sees_brightness():
    told = discriminator(torch.zeros(1, 3, 8, 8), 4)
    dark, bright = told(torch.full((1, 3, 8, 8), -1.0)), told(torch.full((1, 3, 8, 8), 1.0))
    assert not torch.allclose(dark, bright)


def a_network() -> Network:
    torch.manual_seed(0)
    backbone = small_convnet((16, 16), width=4)
    return Network(backbone, nn.Linear(32, 2))


def test_the_classifier_of_the_source_is_taken_once():
    network, x = a_network().eval(), torch.rand(4, 3, 16, 16) * 255
    taken = SourceClassifier(network)
    with torch.no_grad():
        network.head.bias += 1.0
        taken.take(network)
        at_first = taken.scores(x, network)
        torch.testing.assert_close(at_first, network.head(network.backbone(x).flatten(1)))
        network.head.bias += 5.0
        taken.take(network)
        torch.testing.assert_close(taken.scores(x, network), at_first)


def test_whether_it_was_taken_is_saved_with_it():
    network = a_network()
    taken, again = SourceClassifier(network), SourceClassifier(network)
    taken.take(network)
    again.load_state_dict(taken.state_dict())
    with torch.no_grad():
        network.head.bias += 5.0
    again.take(network)
    torch.testing.assert_close(again.head.bias, taken.head.bias)


@pytest.mark.parametrize(
    "x",
    [
        torch.zeros(2, 3, 8, 7, dtype=torch.uint8),
        torch.zeros(2, 3, 9, dtype=torch.float32),
        torch.zeros(2, 5, dtype=torch.long),
    ],
)
def test_what_has_no_look_is_refused(x: torch.Tensor):
    with pytest.raises(InputError, match="CycleGAN translates vectors of numbers and pictures"):
        translatable(x, "CycleGAN")


def test_what_has_a_look_is_taken_as_it_is():
    for x in (torch.zeros(2, 5), torch.zeros(2, 1, 8, 8), torch.zeros(2, 3, 8, 8, dtype=torch.uint8)):
        assert translatable(x, "CycleGAN") is x
