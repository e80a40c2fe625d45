import pytest
import torch
from torch import nn

from regraft.errors import InputError
from regraft.surgery import transfer_weights


def net(width=4, classes=3, colours=3, names=("stem", "norm", "head")):
    stem, norm, head = names
    return _named(
        {
            stem: nn.Conv2d(colours, width, 3),
            norm: nn.BatchNorm2d(width),
            "relu": nn.ReLU(),
            "pool": nn.AdaptiveAvgPool2d(1),
            "flat": nn.Flatten(),
            head: nn.Linear(width, classes),
        }
    )


def _named(modules):
    made = nn.Sequential()
    for name, module in modules.items():
        made.add_module(name, module)
    made[1].running_mean.normal_()
    return made.eval()


def accounted(report, source, target):
    """Every tensor of both is in exactly one list."""
    done = [*report.copied, *report.converted]
    assert sorted([*(m.source for m in done), *(n for n, _ in report.left_out)]) == sorted(
        source.state_dict()
    )
    assert sorted([*(m.target for m in done), *(n for n, _ in report.at_random)]) == sorted(
        target.state_dict()
    )


def test_equal_names_and_shapes_are_copied():
    source, target = net(), net()
    report = transfer_weights(source, target)
    x = torch.randn(2, 3, 8, 8)
    assert torch.equal(source(x), target(x))
    assert (report.share, report.converted, report.left_out, report.at_random) == (1.0, (), (), ())
    accounted(report, source, target)


def test_other_names_are_matched_by_order():
    source, target = net(), net(names=("conv1", "bn1", "fc"))
    report = transfer_weights(source.state_dict(), target)
    x = torch.randn(2, 3, 8, 8)
    assert torch.equal(source(x), target(x))
    assert {m.how for m in report.copied} == {"order"}
    accounted(report, source, target)


def test_rows_go_to_the_class_of_the_same_name_also_where_the_numbers_agree():
    source, target = net(), net()
    untouched = target.head.weight[1].clone()
    report = transfer_weights(
        source, target, source_classes=["owl", "crow", "emu"], target_classes=["emu", "kiwi", "owl"]
    )
    assert torch.equal(target.head.weight[0], source.head.weight[2])
    assert torch.equal(target.head.weight[2], source.head.weight[0])
    assert torch.equal(target.head.weight[1], untouched)
    assert torch.equal(target.head.bias[[0, 2]], source.head.bias[[2, 0]])
    numbers = sum(p.numel() for p in target.parameters())
    assert report.share == pytest.approx((numbers - 5) / numbers)
    accounted(report, source, target)


def test_what_does_not_fit_is_told_and_left():
    source, target = net(width=4), net(width=6, classes=5)
    before = {k: v.clone() for k, v in target.state_dict().items()}
    report = transfer_weights(source, target)
    left = {name for name, _ in report.at_random}
    assert "stem.weight" in left
    assert {"stem.weight", "head.weight"} <= {name for name, _ in report.left_out}
    assert all(torch.equal(target.state_dict()[name], before[name]) for name in left)
    assert "left out of the source: stem.weight (4×3×3×3)" in str(report)
    accounted(report, source, target)


def test_a_narrower_network_gets_the_first_units():
    source, target = net(width=6), net(width=4)
    report = transfer_weights(source, target)
    assert torch.equal(target.stem.weight, source.stem.weight[:4])
    assert torch.equal(target.head.weight, source.head.weight[:, :4])
    assert "sliced: 6×3×3×3 → 4×3×3×3" in str(report)


def test_networks_of_another_kind_are_refused():
    with pytest.raises(InputError, match="nothing of the source's 2 tensors fits"):
        transfer_weights(nn.Linear(3, 2), nn.Sequential(nn.Conv2d(3, 4, 3, bias=False)))


@pytest.mark.parametrize(("theirs", "ours"), [("resnet18", "resnet18"), ("mobilenet_v2", "mobilenetv2_100")])
def test_weights_under_torchvision_s_names(theirs, ours):
    models, timm = pytest.importorskip("torchvision.models"), pytest.importorskip("timm")
    torch.manual_seed(0)
    source = getattr(models, theirs)(weights=None, num_classes=7).eval()
    for module in source.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(std=0.1)
            module.running_var.uniform_(0.5, 1.5)
    target = timm.create_model(ours, num_classes=7).eval()
    report = transfer_weights(source, target)
    x = torch.randn(2, 3, 64, 64)
    torch.testing.assert_close(source(x), target(x), rtol=1e-4, atol=1e-4)
    assert report.share == 1.0
    assert not report.left_out
    accounted(report, source, target)


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 1)
        self.bn = nn.BatchNorm2d(4)


class Whole(nn.Module):
    def __init__(self, top_first: bool) -> None:
        super().__init__()
        if top_first:
            self.bn = nn.BatchNorm2d(4)
        self.blocks = nn.ModuleList([Block(), Block()])
        if not top_first:
            self.bn = nn.BatchNorm2d(4)


def test_what_holds_a_network_does_not_hide_its_names_whatever_their_order() -> None:
    source = nn.ModuleDict({"backbone": Whole(top_first=True)})
    for tensor in source.state_dict().values():
        tensor.copy_(torch.randn(tensor.shape) if tensor.is_floating_point() else tensor)
    target = Whole(top_first=False)
    report = transfer_weights(source, target)
    assert not report.at_random
    assert not report.left_out
    for name, tensor in target.state_dict().items():
        assert torch.equal(tensor, source.state_dict()[f"backbone.{name}"])
    back = nn.ModuleDict({"backbone": Whole(top_first=True)})
    transfer_weights(target, back)
    assert torch.equal(back["backbone"].bn.weight, target.bn.weight)


def test_a_name_that_could_mean_two_tensors_means_none() -> None:
    source = nn.ModuleDict(
        {"a": nn.ModuleDict({"fc": nn.Linear(2, 2)}), "b": nn.ModuleDict({"fc": nn.Linear(2, 2)})}
    )
    target = nn.ModuleDict({"fc": nn.Linear(2, 2), "other": nn.Linear(2, 2)})
    report = transfer_weights(source, target)
    assert {moved.how for moved in report.copied} == {"order"}
