"""Networks that are trained across domains, within the time that was given."""

import json

import pytest
import torch

import regraft as rg
from regraft.diagnosis import Explanation, KindOfShift
from regraft.selection.adapting import spare
from regraft.selection.budget import seconds_to_fit
from regraft.terms.hotelling import Gap
from regraft.training import Training


def stripes(n, seed, contrast=1.0, level=0.0):
    """Stripes across or down, with noise."""
    luck = torch.Generator().manual_seed(seed)
    y = torch.arange(n) % 2
    across = 120.0 * (torch.arange(16) % 2)[None, :, None].expand(n, 16, 16)
    x = torch.where(y[:, None, None] == 0, across, across.transpose(1, 2))
    x = x * torch.rand(n, 1, 1, generator=luck) + 40 * torch.randn(n, 16, 16, generator=luck) + 60
    seen = (contrast * x + level).clamp(0, 255).to(torch.uint8)
    return rg.Domain(seen, ["across" if c == 0 else "down" for c in y.tolist()])


@pytest.fixture
def given():
    return rg.Problem(source=stripes(64, 1), target=stripes(64, 2, 0.4, 120).unlabelled())


def unknown(monkeypatch):
    """Judges decide, whatever the features of a small network show of the shift."""
    found = KindOfShift("unknown", (Explanation("nothing", Gap(100.0, 10.0, 9.0), 0.0),))
    monkeypatch.setattr("regraft.selection.label_free.trying.Trials.shift", lambda *_: found)


def test_what_is_trained_stands_in_the_table_and_what_refits_it_is_not_asked(
    given, pictures_network, monkeypatch
):
    unknown(monkeypatch)
    brief = [rg.METHODS[name](least_steps=10, epochs=1) for name in ("SourceTuned", "MCC")]
    study = rg.adapt(given, [*brief, "AdaptiveBatchNorm", "CORAL"], backbone=pictures_network, budget=600)
    rows = {type(row.candidate.method).__name__: row for row in study.rows}
    assert len(rows) == 5
    for name, row in rows.items():
        again = name in ("SourceTuned", "MCC", "AdaptiveBatchNorm")
        assert ("reverse validation" in row.scores) is not again
    assert "No reverse validation of what changes the network" in str(study)
    assert json.loads(json.dumps(study.to_json()))["setting"]["budget"] == 600


def test_what_does_not_fit_is_left_out_with_the_reason(given, pictures_network, monkeypatch):
    unknown(monkeypatch)
    study = rg.adapt(given, [rg.METHODS["MCC"](least_steps=10_000_000)], backbone=pictures_network, budget=5)
    reason = dict(study.left_out)["MCC (rows)"]
    assert "would take about" in reason
    assert "of the budget are left" in reason
    assert len(study.rows) == 1


def test_how_long_a_training_across_domains_takes_is_measured(given, pictures_network):
    method = rg.METHODS["MCC"](least_steps=1000)
    assert seconds_to_fit(method, given, pictures_network, Training()) > 0


def test_nothing_is_trained_that_the_kind_of_shift_rules_out(given, pictures_network):
    planned = rg.plan(given, backbone=pictures_network, budget=60)
    left, out = spare(planned.candidates, KindOfShift("proportions", ()))
    assert not any(c.trained for c in left)
    assert "would mix classes" in dict(out)["MCC (rows)"]
    assert "nothing else is trained" in dict(out)["SourceTuned (rows)"]
    left, out = spare(planned.candidates, KindOfShift("unknown", ()))
    assert not out
    asked = rg.plan(given, backbone=pictures_network, methods=["MCC"])
    assert len(spare(asked.candidates, KindOfShift("none", ()))[0]) == 2


def test_without_a_pretrained_network_one_is_trained_from_scratch(given, monkeypatch):
    unknown(monkeypatch)
    study = rg.adapt(
        given, [rg.METHODS["SourceTuned"](least_steps=10, epochs=1)], backbone="pixels", budget=600
    )
    tuned = study.rows[1]
    assert any(True for _ in tuned.candidate.backbone.parameters())
    assert not tuned.candidate.backbone.pretrained
    # judges look at all candidates through the same features
    assert tuned.scores["agreement with clusters"] <= 1
