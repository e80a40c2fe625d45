"""What is told of a backbone while it learns."""

import pytest
import torch

from regraft.checkpoint import History
from regraft.methods.features.linear_probe import LinearProbe
from regraft.pretraining import fresh_network
from regraft.problem import Problem
from regraft.training import Training
from regraft.watch import Watch, collapse


def test_what_is_watched_is_what_a_probe_says(crowd):
    network = fresh_network(crowd.unlabelled())
    watch = Watch.of(crowd.unlabelled(), crowd, network, Training())
    told = watch(network)
    right = 0
    for rows in watch.folds:
        kept = torch.tensor([i for i in range(120) if i not in rows.tolist()])
        model = LinearProbe().fit(Problem(target_labelled=crowd[kept]), network)
        right += sum(
            a == b
            for a, b in zip(
                model.predict(crowd[rows]), crowd[rows].classes.decode(crowd[rows].y), strict=True
            )
        )
    assert told["accuracy"] == pytest.approx(right / 120, abs=0.01)
    z = network.features(crowd.x).double()
    values = torch.linalg.svdvals(z - z.mean(0))
    p = values / values.sum()
    assert told["rank"] == pytest.approx(float((-(p * p.log()).sum()).exp()), rel=1e-3)


def test_collapse_is_said_in_words():
    fell = History(watched=[(0, {"rank": 40.0}), (10, {"rank": 2.0}), (20, {"rank": 1.1})])
    assert "fell from 40 to 1.1 (step 10)" in collapse(fell)[0]
    assert collapse(History(watched=[(0, {"rank": 40.0}), (10, {"rank": 30.0})])) == ()


def test_features_that_never_differed_have_not_collapsed():
    same = History(watched=[(0, {"rank": 1.6}), (10, {"rank": 1.7})])
    assert collapse(same) == (
        "the features hardly differ: their effective rank was 1.6 before the first step, and is 1.7; look "
        "whether the samples of the pool differ",
    )
    assert collapse(History(watched=[(0, {"rank": 1.6}), (10, {"rank": 2.7})])) == ()
    assert collapse(History(watched=[])) == ()
