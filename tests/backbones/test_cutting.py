import copy

import pytest
import torch
from torch import nn
from torch.nn.functional import dropout, relu

from regraft.backbones.cutting import by_child, cut

FOUR = ["resnet18", "mobilenetv3_small_100", "convnext_atto", "vit_tiny_patch16_224"]
FAMILIES = {
    "resnet18": 5,
    "mobilenetv2_050": 8,
    "mobilenetv3_small_100": 8,
    "mobilenetv4_conv_small": 7,
    "convnext_atto": 5,
    "efficientnet_b0": 8,
    "swin_tiny_patch4_window7_224": 5,
    "densenet121": 5,
    "regnety_002": 5,
    "vgg11": 9,
    "maxvit_rmlp_nano_rw_256": 5,
    "mobileone_s0": 5,
    "mixer_s32_224": 9,
    "levit_128s": 4,
    "fastvit_t8": 6,
    "repvit_m0_9": 5,
    "inception_v3": 13,
}


def features(net, x):
    return net.forward_head(net.forward_features(x), pre_logits=True)


def timm_network(name, **args):
    """A network whose weights are all random, so that no branch is silent, and its stages."""
    timm = pytest.importorskip("timm")
    net = timm.create_model(name, num_classes=0, **args).eval()
    with torch.no_grad():
        for p in net.parameters():
            p.add_(0.1 * torch.randn_like(p))
        for buffer_name, b in net.named_buffers():
            if buffer_name.endswith(("running_mean", "running_var")):
                b.add_(0.1 * torch.rand_like(b))
    groups = timm.models.group_parameters(net, net.group_matcher(coarse=True), reverse=True)
    x = torch.randn(2, *net.pretrained_cfg["input_size"])
    if "img_size" in args:
        x = torch.randn(2, 3, args["img_size"], args["img_size"])
    return net, cut(net, x, groups, features), x


@pytest.fixture(scope="module", params=FOUR)
def network(request):
    torch.manual_seed(0)
    return timm_network(request.param, **({"img_size": 64} if "vit" in request.param else {}))


def chain(stages):
    return nn.Sequential(*(stage for _, stage in stages))


@torch.no_grad()
def assert_equal_features(net, stages, x):
    torch.testing.assert_close(chain(stages)(x), features(net, x), rtol=1e-5, atol=1e-5)


def test_the_chain_is_the_network_for_any_batch(network):
    net, stages, x = network
    assert len(stages) >= 5
    for batch in (x, x[:1], torch.cat([x, x, x])):
        assert_equal_features(net, stages, batch)


def test_the_chain_takes_the_sizes_that_the_network_takes(network):
    net, stages, _ = network
    if not hasattr(net, "patch_embed"):
        assert_equal_features(net, stages, torch.randn(1, 3, 96, 64))


def test_training_is_that_of_the_network(network):
    net, stages, x = network
    uncut = copy.deepcopy(net).train()
    cut_up = copy.deepcopy(chain(stages)).train()
    torch.manual_seed(1)
    expected = features(uncut, x)
    torch.manual_seed(1)
    torch.testing.assert_close(cut_up(x), expected, rtol=1e-4, atol=1e-4)
    means = sorted(b.sum().item() for k, b in uncut.named_buffers() if k.endswith("running_mean"))
    of_chain = sorted(b.sum().item() for k, b in cut_up.named_buffers() if k.endswith("running_mean"))
    assert of_chain == pytest.approx(means)
    before = [b.sum().item() for k, b in net.named_buffers() if k.endswith("running_mean")]
    assert not before or sorted(before) != pytest.approx(means)


def test_all_of_it_moves_to_another_device(network):
    _, stages, x = network
    assert copy.deepcopy(chain(stages)).to("meta")(x.to("meta")).device.type == "meta"


def test_gradients_stay_behind_a_frozen_prefix(network):
    _, stages, x = network
    modules = [copy.deepcopy(stage) for _, stage in stages]
    for module in modules[:-1]:
        module.requires_grad_(False)
    chain([("", m) for m in modules])(x).sum().backward()
    assert all(p.grad is None for m in modules[:-1] for p in m.parameters())
    assert all(p.grad is not None for p in modules[-1].parameters())


def test_every_parameter_is_in_one_stage(network):
    net, stages, _ = network
    held = [id(p) for _, stage in stages for p in stage.parameters()]
    assert sorted(held) == sorted(id(p) for p in net.parameters())


def test_a_class_token_travels_with_the_first_stage():
    _, stages, _ = timm_network("vit_tiny_patch16_224", img_size=32, depth=3)
    assert [name for name, _ in stages] == ["stem", "blocks.0", "blocks.1", "blocks.2"]
    assert {"cls_token", "pos_embed"} <= set(dict(stages[0][1].named_parameters()))


def test_stochastic_depth_is_off_outside_training():
    net, stages, x = timm_network("convnext_atto", drop_path_rate=0.5)
    assert_equal_features(net, stages, x)
    apart = chain(stages).train()
    assert not torch.equal(apart(x), apart(x))


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILIES)
def test_families(name):
    net, stages, x = timm_network(name)
    assert len(stages) == FAMILIES[name]
    assert_equal_features(net, stages, x)
    z = x
    for _, stage in stages:
        before = z.clone()
        after = stage(z)
        assert torch.equal(z, before), "a stage changes its input"
        z = after.detach()


class Tutorial(nn.Module):
    """A network as tutorials write it: parts named in the constructor, the rest in forward."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(4, 16)
        self.second = nn.Linear(16, 16)
        self.third = nn.Linear(16, 3)

    def forward(self, x):
        x = dropout(relu(self.first(x)), 0.5, self.training)
        return self.third(dropout(relu(self.second(x)), p=0.5, training=self.training) + torch.arange(16.0))


def named(net, x):
    return [name for name, _ in cut(net, x, by_child(net))]


def test_dropout_as_a_function_follows_the_mode():
    net, x = Tutorial(), torch.randn(5, 4)
    stages = cut(net, x, by_child(net))
    assert [name for name, _ in stages] == ["first", "second", "third"]
    apart = chain(stages)
    assert torch.equal(apart.eval()(x), net.eval()(x))
    torch.manual_seed(0)
    expected = net.train()(x)
    torch.manual_seed(0)
    assert torch.equal(apart.train()(x), expected)
    assert not torch.equal(apart(x), apart(x))


def test_constants_move_to_another_device():
    net, x = Tutorial().eval(), torch.randn(5, 4)
    apart = chain(cut(net, x, by_child(net)))
    assert apart.to("meta")(x.to("meta")).shape == (5, 3)


def test_the_networks_modes_are_left_as_they_are():
    net = Tutorial().train()
    net.second.eval()
    cut(net, torch.randn(5, 4), by_child(net))
    assert (net.training, net.first.training, net.second.training) == (True, True, False)


class Skips(Tutorial):
    def forward(self, x):
        z = self.first(x)
        return self.third(self.second(z)) + z[:, :3]


def test_no_cut_where_two_tensors_cross():
    assert named(Skips(), torch.randn(5, 4)) == ["first", "second to third"]


class Asks(nn.Module):
    """What depends on its input in a way that cannot be traced."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x):
        return self.a(x) if x.sum() > 0 else self.b(x)


def test_a_part_that_cannot_be_followed_is_one_block():
    net = nn.Sequential(nn.Linear(4, 4), Asks(), nn.Linear(4, 2))
    groups = {name: name.rpartition(".")[0] for name, _ in net.named_parameters()}
    x = torch.randn(5, 4)
    stages = cut(net, x, groups)
    assert [name for name, _ in stages] == ["0", "1.a to 1.b", "2"]
    assert torch.equal(chain(stages)(-x), net(-x))


def test_what_cannot_be_followed_at_all_is_one_stage():
    assert named(Asks(), torch.randn(5, 4)) == ["whole"]


class Noisy(Tutorial):
    def forward(self, x):
        return self.second(self.first(x) + torch.randn(16))


class OnlyInTraining(Tutorial):
    def forward(self, x):
        z = self.first(x)
        return self.second(z * 2 if self.training else z)


class FixedBatch(Tutorial):
    def forward(self, x):
        return self.second(self.first(x) + torch.zeros(int(x.shape[0]), 16))


@pytest.mark.parametrize("kind", [Noisy, OnlyInTraining, FixedBatch])
def test_nothing_is_baked_in(kind):
    assert named(kind(), torch.randn(5, 4)) == ["whole"]


class Round(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 2)

    def forward(self, x):
        return self.c(self.a(relu(self.b(relu(self.a(x))))))


def test_a_weight_used_twice_stays_in_one_stage():
    assert named(Round(), torch.randn(5, 4)) == ["a to b", "c"]


def test_scales_alone_are_no_stage():
    net = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4), nn.LayerNorm(4))
    assert named(net, torch.randn(5, 4)) == ["0", "1"]


def test_copies_are_independent():
    net = Tutorial().eval()
    x = torch.randn(5, 4)
    stages = cut(net, x, by_child(net))
    copied = copy.deepcopy(chain(stages))
    with torch.no_grad():
        copied[0].first.weight.zero_()
    assert net.first.weight.abs().sum() > 0
    assert stages[0][1].first.weight is net.first.weight
