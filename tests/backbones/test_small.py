import json

import pytest
import torch
from torch.nn.functional import conv2d, cross_entropy, max_pool2d

from regraft.backbone import Backbone
from regraft.backbones.small import lenet, rebuild_small, small_convnet, small_mlp
from regraft.domain import Domain
from regraft.errors import InputError
from regraft.methods.baselines.from_scratch import FromScratch
from regraft.model_folder import load
from regraft.problem import Problem

NETWORKS = {
    "grey": lambda seed: small_convnet((16, 24), "grey", width=4, seed=seed),
    "rgb": lambda seed: small_convnet((16, 24), "rgb", width=4, seed=seed),
    "deep": lambda seed: small_convnet((16, 24), "rgb", width=4, seed=seed, depth=7),
    "lenet": lambda seed: lenet((16, 24), "rgb", widths=(4, 6, 32), seed=seed),
    "lenet, grey": lambda seed: lenet((16, 24), "grey", widths=(4, 6, 32), seed=seed),
    "mlp": lambda seed: small_mlp(6, widths=(5, 4, 3), seed=seed),
}


@pytest.fixture(params=NETWORKS)
def network(request: pytest.FixtureRequest) -> Backbone:
    return NETWORKS[request.param](0)


def samples(network: Backbone, n: int = 4) -> torch.Tensor:
    draw = torch.Generator().manual_seed(1)
    if network.spec["loader"] == "small mlp":
        return torch.randn(n, 6, generator=draw)
    return torch.randint(0, 256, (n, 20, 20, 3), dtype=torch.uint8, generator=draw)


def test_one_feature_vector_a_sample(network):
    z = network.features(samples(network))
    assert z.shape == (4, 3 if network.name == "small mlp" else 32)
    assert z.dtype == torch.float32
    assert torch.isfinite(z).all()


def test_every_cut_equals_the_whole(network):
    x = network.preprocessing(samples(network))
    whole = network.eval()(x)
    for k in range(len(network) + 1):
        assert torch.equal(network[k:](network[:k](x)), whole)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_seed_fixes_the_weights_and_the_global_generator_stays(name):
    before = torch.random.get_rng_state()
    first, again, other = NETWORKS[name](0), NETWORKS[name](0), NETWORKS[name](1)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert first.fingerprint() == again.fingerprint()
    assert any(not torch.equal(a, b) for a, b in zip(first.parameters(), other.parameters(), strict=True))


def test_rebuilt_from_its_spec_as_json(network):
    rebuilt = rebuild_small(json.loads(json.dumps(network.spec)))
    assert rebuilt.fingerprint() == network.fingerprint()
    assert not rebuilt.pretrained


def test_float64_vectors_are_cast():
    network = small_mlp(6)
    x = torch.randn(3, 6)
    assert torch.equal(network(x.double()), network(x))


def test_the_mlp_is_a_chain_of_rectified_affine_maps():
    network = small_mlp(3, widths=(4, 2))
    x = torch.randn(5, 3)
    expected = x.numpy()
    for layer in network.stages:
        w, b = (p.detach().numpy() for p in layer.parameters())
        if w.ndim == 1:
            w, b = b, w
        expected = (expected @ w.T + b).clip(min=0)
    torch.testing.assert_close(network(x).detach(), torch.from_numpy(expected))


def test_learns_bars_from_their_direction():
    x = torch.zeros(64, 16, 16, dtype=torch.uint8)
    y = torch.arange(64) % 2
    for i in range(64):
        x[i, i % 16] = 255 * (y[i] == 0)
        x[i, :, i % 16] += (255 * (y[i] == 1)).to(torch.uint8)
    network = small_convnet((16, 16), "grey", width=4).train()
    head = torch.nn.Linear(32, 2)
    optimiser = torch.optim.Adam([*network.parameters(), *head.parameters()], lr=1e-2)
    prepared = network.preprocessing(x)
    for _ in range(20):
        loss = cross_entropy(head(network(prepared)), y)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss < 0.1


def test_lenet_is_two_convolutions_and_a_layer_on_pictures_by_their_own_spread():
    network = lenet((16, 20), "grey", widths=(2, 3, 5)).eval()
    x = torch.randint(0, 256, (3, 16, 20), dtype=torch.uint8)
    y = x.double() / 255
    y = (y - y.mean((1, 2), keepdim=True)) / (y.std((1, 2), correction=0, keepdim=True) + 0.05)
    first, second, last = (p.double() for p in network.parameters() if p.ndim > 1)
    shrink = (1 + 1e-5) ** -0.5  # BatchNorm that has seen nothing
    y = max_pool2d(shrink * conv2d(y[:, None], first).relu(), 2)
    y = max_pool2d(shrink * conv2d(y, second).relu(), 2)
    expected = shrink * (y.flatten(1) @ last.T).relu()
    torch.testing.assert_close(network.features(x).double(), expected, rtol=1e-4, atol=1e-5)


def test_a_loaded_lenet_takes_pictures_as_the_one_that_was_saved(tmp_path):
    x = torch.randint(60, 120, (6, 16, 16, 3), dtype=torch.uint8)
    recipe = FromScratch(least_steps=2, epochs=1, held_out=0.0)
    model = recipe.fit(
        Problem(target_labelled=Domain(x, ["owl", "crow"] * 3)), lenet((16, 16), widths=(4, 6, 8))
    )
    model.save(tmp_path / "model")
    again = load(tmp_path / "model")
    assert again.backbone.preprocessing == model.backbone.preprocessing
    assert again.backbone.preprocessing.standardise
    assert torch.equal(again.logits(x), model.logits(x))


@pytest.mark.parametrize(
    "make",
    [
        lambda: lenet((15, 28)),
        lambda: lenet(widths=(4, 0, 8)),
        lambda: small_convnet((4, 4)),
        lambda: small_convnet(width=0),
        lambda: small_convnet(depth=3),
        lambda: small_mlp(0),
        lambda: small_mlp(3, widths=()),
        lambda: rebuild_small({"loader": "timm"}),
    ],
)
def test_what_cannot_be_built_says_what_was_expected(make):
    with pytest.raises(InputError, match=r"give at least|expected"):
        make()
