"""Sources weighted by discrepancy and size."""

import pytest
import torch

from regraft.methods.baselines.joint import Joint
from regraft.methods.features.linear_probe import LinearProbe
from regraft.methods.several_sources.trusted import Trusted, discrepancy
from regraft.pooling import pooled
from regraft.problem import Problem


@pytest.fixture
def one_wrong(few):
    """Three sources like the target, in one of which the labels are of other classes."""
    thirds = few.source[:100], few.source[100:200], few.source[200:]
    wrong = thirds[1].with_(y=(thirds[1].y + 1) % 3)
    trusted = few.source.with_(x=few.source.x + 0.01)[::10]
    return Problem(source=pooled({"a": thirds[0], "b": wrong, "c": thirds[2]}), target_labelled=trusted)


def test_a_source_with_wrong_labels_gets_no_weight(one_wrong, columns):
    told = Trusted().fit(one_wrong, columns).provenance
    assert told["discrepancies"][1] > 0.7
    assert max(told["discrepancies"][0], told["discrepancies"][2]) < 0.3
    assert told["alpha"][1] == 0.0
    assert min(told["alpha"][0], told["alpha"][2]) > 0.1
    assert sum(told["alpha"]) == pytest.approx(1)


def test_beats_pooling_and_the_trusted_alone(one_wrong, few, columns, accuracy):
    there = few.source.with_(x=few.source.x)
    ours = accuracy(Trusted().fit(one_wrong, columns), there)
    pool = Joint(alpha=330 / 3300).fit(one_wrong, columns)
    alone = LinearProbe().fit(Problem(target_labelled=one_wrong.target_labelled), columns)
    assert ours > accuracy(pool, there)
    assert ours >= accuracy(alone, there)


def test_the_discrepancy_of_what_is_one_sample_is_small_and_of_other_labels_large(few):
    source = few.source.with_(x=few.source.x.double())
    first, second = source[:150], source[150:]
    assert discrepancy(first, second, seed=0) < 0.1
    assert discrepancy(first, second.with_(y=(second.y + 1) % 3), seed=0) > 0.7
    turned = second.with_(x=-second.x)
    assert discrepancy(first, turned, seed=0) > 0.3


def test_without_a_discrepancy_all_samples_count_alike(few, columns, later):
    """λ so large that sizes decide: the probe of all samples."""
    ours = Trusted(strength=1e9).fit(few, columns)
    both = pooled({"source": few.source, "target": few.target_labelled})
    pool = LinearProbe().fit(Problem(target_labelled=both), columns)
    torch.testing.assert_close(ours.probabilities(later), pool.probabilities(later), atol=1e-3, rtol=0)
