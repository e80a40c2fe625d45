import subprocess
import sys

import pytest
import torch
from torch import nn

from regraft.backbone import Backbone
from regraft.backbones import glyphs
from regraft.backbones.cutting import cut
from regraft.errors import InputError
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


class Mine(nn.ReLU):
    pass


def test_the_fingerprint_sees_what_has_no_weights():
    x = torch.randn(2, 3)
    acts = [nn.ReLU(), nn.Sigmoid(), Mine(), nn.LeakyReLU(0.1), nn.LeakyReLU(0.2)]
    assert len({Backbone([("a", act)], name="toy").fingerprint() for act in acts}) == len(acts)

    class Relu(nn.Module):
        def forward(self, x):
            return torch.relu(x)

    class Sigmoid(nn.Module):
        def forward(self, x):
            return torch.sigmoid(x)

    traced = [
        Backbone(cut(nn.Sequential(nn.Linear(3, 3), act), x, {}), name="toy") for act in (Relu(), Sigmoid())
    ]
    traced[1].load_state_dict(traced[0].state_dict())
    assert traced[0].fingerprint() != traced[1].fingerprint()


def test_the_fingerprint_is_the_same_in_another_process():
    code = "from regraft.backbones import glyphs; print(glyphs().fingerprint())"
    found = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert found.strip() == glyphs().fingerprint()


def test_specs_tell_where_a_part_lies_in_the_whole():
    phi = chain()
    assert phi[:].spec is phi.spec
    assert phi[1:][:1].spec == phi[:2][1:].spec == phi[1:2].spec == part(1, 2)
    assert phi[:2][:].spec == part(0, 2)
    assert phi[3:].spec == part(3, None)
    assert phi[2:1].spec == part(2, 2)
    assert phi[2:].behind(phi[:2]).spec == phi.spec
    assert phi[1:2].behind(phi[:1]).spec == part(0, 2)
    changed = phi.copied()
    changed.spec = {"loader": "adapted"}
    assert changed.behind(phi[:0]).spec == changed.spec  # nothing is in front of it
    loose = phi[2:].behind(phi[:1])
    assert loose.spec == {"loader": "chain", "parts": [part(0, 1), part(2, None)]}
    prefix, suffix = loose.cut(1)
    assert suffix.behind(prefix).spec == loose.spec
    with pytest.raises(InputError, match="no step"):
        phi[::2]


def part(start, stop):
    return {"loader": "slice", "start": start, "stop": stop, "of": {"loader": "module"}}


def test_takes_numbers_of_any_precision():
    phi = chain().prepared_by(AsTheyAre())
    x = torch.randn(2, 3)
    torch.testing.assert_close(phi(x.double()), phi(x))
    assert phi(x.bfloat16()).dtype == torch.float32


def test_tells_the_licence():
    assert chain().licence_line == "here; licence: MIT"
    assert "not stated" in Backbone([], name="bare").licence_line
