import pytest
import torch
from torch import nn

from regraft.backbones import glyphs, open_backbone, pixels, rebuild, small_convnet, small_mlp, table, vectors
from regraft.domain import Domain
from regraft.errors import InputError


@pytest.mark.parametrize("make", [glyphs, pixels, small_convnet, lambda: small_mlp(5), vectors, table])
def test_what_is_built_can_be_rebuilt(make):
    made = make()
    again = rebuild(made.spec)
    assert again.names == made.names
    again.load_state_dict(made.state_dict())
    assert [p.shape for p in again.parameters()] == [p.shape for p in made.parameters()]


@pytest.mark.parametrize("name", ["glyphs", "pixels", "vectors", "table"])
def test_built_in_names(name):
    assert open_backbone(name).spec == rebuild(open_backbone(name).spec).spec


def test_modules_and_backbones_are_taken_as_they_are():
    phi = small_mlp(5)
    assert open_backbone(phi) is phi
    module = nn.Sequential(nn.Linear(3, 4), nn.ReLU())
    x = torch.randn(2, 3)
    torch.testing.assert_close(open_backbone(module).features(x), module(x))


def test_vectors_default_to_themselves():
    assert open_backbone(domain=Domain(torch.zeros(2, 3))).name == "columns"


def test_pixels_are_the_colours_of_the_thumbnail():
    image = torch.full((1, 64, 64, 3), 51, dtype=torch.uint8)
    z = pixels().features(image)
    assert z.shape == (1, 32 * 32 * 3)
    torch.testing.assert_close(z, torch.full_like(z, 0.2))


@pytest.mark.parametrize("spec", [{}, {"loader": "os.system"}, {"loader": ["timm"]}, {"loader": "module"}])
def test_unknown_loaders_are_refused(spec):
    with pytest.raises(InputError):
        rebuild(spec)
