import torch
from torch import nn

from regraft.backbone import Backbone
from regraft.preprocessing import AsTheyAre
from regraft.preprocessing.vectors import Standardised


def chain():
    return Backbone(
        [("a", nn.Linear(3, 4)), ("b", nn.ReLU()), ("c", nn.Linear(4, 2))],
        Standardised().fit(torch.randn(10, 3)),
        name="toy",
        licence="MIT",
        source="here",
    )


def test_every_cut_gives_the_whole():
    phi, x = chain(), torch.randn(5, 3)
    whole = phi.features(x)
    for k in range(len(phi) + 1):
        prefix, suffix = phi.cut(k)
        assert isinstance(suffix.preprocessing, AsTheyAre)
        torch.testing.assert_close(suffix(prefix.features(x)), whole)
        again = suffix.behind(prefix)
        assert torch.equal(again.features(x), whole)
        assert (again.names, again.spec, again.licence) == (phi.names, phi.spec, phi.licence)


def test_slices_share_the_modules():
    phi = chain()
    with torch.no_grad():
        phi.stages[0].weight.zero_()
    assert phi[:1].stages[0].weight.abs().sum() == 0
    assert phi.copied().stages[0] is not phi.stages[0]


def test_the_fingerprint_sees_weights_structure_and_preprocessing():
    torch.manual_seed(1)
    phi = chain()
    first = phi.fingerprint()
    assert phi.copied().fingerprint() == first
    assert phi[:2].fingerprint() != first
    assert phi.prepared_by(AsTheyAre()).fingerprint() != first
    assert phi.prepared_by(Standardised().fit(torch.randn(10, 3))).fingerprint() != first
    with torch.no_grad():
        phi.stages[2].bias[0] += 1e-6
    assert phi.fingerprint() != first


def test_takes_numbers_of_any_precision():
    phi = chain().prepared_by(AsTheyAre())
    x = torch.randn(2, 3)
    torch.testing.assert_close(phi(x.double()), phi(x))
    assert phi(x.bfloat16()).dtype == torch.float32


def test_tells_the_licence():
    assert chain().licence_line == "here; licence: MIT"
    assert "not stated" in Backbone([], name="bare").licence_line
