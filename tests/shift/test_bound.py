import torch

from regraft.domain import Domain
from regraft.shift.apart import told_apart
from regraft.shift.bound import bounds


def halves(n, seed, moved=0.0):
    x = torch.randn(n, 2, generator=torch.Generator().manual_seed(seed)).double()
    y = ["owl" if v > 0 else "crow" for v in (x[:, 0] + 0.3 * x[:, 1]).tolist()]
    return Domain(x + torch.tensor([0.0, moved]), y)


def test_the_pieces_add_up_and_the_measured_error_is_below():
    s, t = halves(150, 0), halves(150, 1, moved=0.5)
    there, back = bounds(s, t, told_apart(s, t, seed=0), seed=0)
    for found in (there, back):
        assert found.total.value == found.source.value + found.disc.value + found.joint.value
        assert found.total.high == found.source.high + found.disc.high + found.joint.high
        assert found.target.value < found.total.high
    assert there.joint == back.joint
    assert there.disc == back.disc
    assert not there.vacuous


def test_labels_that_contradict_each_other_are_in_lambda():
    s = halves(150, 0)
    turned = s.with_(y=1 - s.labels)
    there, _ = bounds(s, turned, told_apart(s, turned, seed=0), seed=0)
    assert there.joint.value > 0.8
    assert there.target.value > 0.8
    assert there.vacuous or there.total.high > there.target.value


def test_classes_are_matched_by_name_and_single_ones_tell_nothing():
    s, t = halves(80, 0), halves(80, 1)
    other = Domain(t.x, ["crow" if c == "owl" else "wren" for c in t.classes.decode(t.labels)])
    apart = told_apart(s, other, seed=0)
    assert bounds(s, other, apart, seed=0)[0].target.value > 0.9
    assert bounds(s, Domain(t.x, ["owl"] * 80), apart, seed=0) is None
