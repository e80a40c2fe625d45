"""What candidates share is made once."""

import pytest
import torch

from regraft import METHODS
from regraft.candidates import Candidate
from regraft.features import Store
from regraft.selection.entries import Entries
from regraft.training import Training


@pytest.fixture
def entries(problem):
    return Entries(problem, Training(), Store())


def test_candidates_behind_one_cut_share_what_they_see(entries, network):
    probe, mean, top = (
        entries.of(Candidate(METHODS[name](), network, ""))
        for name in ("LinearProbe", "NearestMean", "FrozenLayers")
    )
    assert probe.seen is mean.seen
    assert probe.candidate is not mean.candidate
    assert len(probe.suffix) == 0
    assert len(top.suffix) == 1
    assert list(entries.seconds) == [network.name]
    assert entries.of_features().seen is probe.seen


def test_what_is_not_pretrained_shows_no_features(entries, network):
    network.pretrained = False
    entries.of(Candidate(METHODS["LinearProbe"](), network, ""))
    assert entries.of_features() is None


def test_a_fitted_entry_takes_the_samples_themselves_once_it_is_whole(entries, network, problem, fresh):
    entry = entries.of(Candidate(METHODS["LinearProbe"](), network, ""))
    model = entry.whole(entry.fitted(), problem)
    plain = METHODS["LinearProbe"]().fit(problem, network)
    torch.testing.assert_close(model.logits(fresh.x), plain.logits(fresh.x))
    assert {**model.provenance, "fitted": ""} == {**plain.provenance, "fitted": ""}


def test_the_engine_of_a_network_is_found_once(entries, network):
    assert entries.engine(network) is entries.engine(network)
    entry = entries.of(Candidate(METHODS["FineTune"](), network, ""))
    assert entry.training.engine is entries.engine(network)
    assert entry.training.step_engine is entries.engine(network, steps=True)
