"""Comparisons that have samples without labels as well."""

import pytest
import torch

from regraft.backbones import vectors
from regraft.candidates import Candidate
from regraft.domain import Domain
from regraft.errors import InputError
from regraft.methods import METHODS
from regraft.problem import Problem
from regraft.selection import CrossValidation, compare
from regraft.training import Training

ONCE = CrossValidation(repeats=1)


def clusters(n, seed, apart=5.5):
    """Two heaps in 400 dimensions, on either side of a plane that few labels do not tell."""
    luck = torch.Generator().manual_seed(seed)
    y = torch.arange(n) % 2
    x = torch.randn(n, 400, generator=luck)
    x[:, :9] += (y[:, None] - 0.5) * apart / 3
    return Domain(x, ["low" if c == 0 else "high" for c in y.tolist()])


def pooled(n=40, pool=300, apart=5.5):
    few = clusters(n, 1, apart)
    return Problem(target_labelled=few, unlabelled=clusters(pool, 2, apart).unlabelled())


def methods(study):
    return {type(r.candidate.method).__name__: r for r in study.results}


def test_a_pool_that_helps_is_used_and_says_so():
    study = compare(pooled(), methods=["AdaptedGaussians"], judge=ONCE)
    assert study.pool.outcome == "helps"
    assert study.transfer is None
    assert study.handed_over is methods(study)["AdaptedGaussians"]
    assert study.handed_over.candidate.borrows
    assert not study.handed_over.candidate.baseline
    assert not study.unproven
    assert study.sentence().startswith("The unlabelled pool helps: AdaptedGaussians")
    assert "these labels, and the pool" in study.table()
    assert study.to_json()["pool"]["outcome"] == "helps"
    told = study.model.provenance
    assert told["samples"] == {"target_labelled": 40, "unlabelled": 300}
    test = clusters(400, 3)
    right = (study.model.logits(test).argmax(1) == test.y).float().mean()
    assert right > 0.9


def test_what_is_to_be_proven_has_to_beat_what_the_labels_alone_say():
    problem = pooled(apart=16.0)
    study = compare(problem, methods=["AdaptedGaussians"], judge=ONCE, hand_over="proven")
    assert study.pool.outcome == "no evidence"
    assert not study.handed_over.candidate.adapts
    assert "No evidence that the unlabelled pool helps" in str(study)
    best = compare(problem, methods=["AdaptedGaussians"], judge=ONCE, hand_over="best")
    assert best.unproven == best.handed_over.candidate.adapts


def test_of_a_pool_that_looks_like_the_labelled_samples_it_is_enough_that_it_likely_helps():
    problem = pooled(apart=16.0)
    study = compare(problem, methods=["AdaptedGaussians"], judge=ONCE)
    assert (study.pool.outcome, study.belonging.alike) == ("no evidence", True)
    assert study.handed_over.candidate.adapts
    assert study.unproven
    assert "Handed over, as likely the better one: AdaptedGaussians" in str(study)
    assert study.to_json()["belonging"]["alike"]


def test_a_pool_of_others_is_told_and_has_to_prove_itself():
    problem = pooled(apart=16.0)
    moved = problem.unlabelled.x + 3 * torch.eye(400)[17]
    other = Problem(target_labelled=problem.target_labelled, unlabelled=Domain(moved))
    study = compare(other, methods=["AdaptedGaussians"], judge=ONCE)
    assert study.pool.outcome == "no evidence"
    assert not study.belonging.alike
    assert not study.handed_over.candidate.adapts
    assert "Data: warning: the pool does not look like the labelled samples" in str(study)


@pytest.mark.parametrize(("labels", "pool"), [(6, 300), (40, 19)])
def test_of_too_few_samples_nobody_says_whether_they_are_alike(labels, pool):
    study = compare(pooled(labels, pool), methods=["AdaptedGaussians"], judge=ONCE)
    assert study.belonging is None
    assert study.to_json()["belonging"] is None
    assert study.handed_over.candidate.adapts == (study.pool.outcome == "helps")


def test_folds_hold_out_labelled_samples():
    problem, held_out = pooled(), [torch.arange(8), torch.arange(8, 16)]
    recipe = METHODS["AdaptedGaussians"]()
    for rows, model in zip(
        held_out, recipe.fit_without(held_out, problem, vectors(), Training()), strict=True
    ):
        kept = problem.restricted(torch.tensor([i for i in range(40) if i not in rows]))
        assert torch.equal(
            model.logits(problem.unlabelled), recipe.fit(kept, vectors()).logits(problem.unlabelled)
        )


def test_copies_of_labelled_samples_are_left_out_of_the_pool():
    few, pool = clusters(30, 1), clusters(100, 2)
    x = torch.cat([few.x[:7], pool.x])
    study = compare(
        Problem(target_labelled=few, unlabelled=Domain(x)), methods=["AdaptedGaussians"], judge=ONCE
    )
    alone = compare(
        Problem(target_labelled=few, unlabelled=Domain(pool.x)), methods=["AdaptedGaussians"], judge=ONCE
    )
    assert torch.equal(methods(study)["AdaptedGaussians"].logits, methods(alone)["AdaptedGaussians"].logits)
    assert "left out of the pool: 7 of 107 samples, copies of labelled ones" in str(study)
    assert study.setting["given"]["unlabelled"] == 100
    useless = Problem(target_labelled=few, unlabelled=Domain(few.x[:16]))
    without = compare(useless, judge=ONCE)
    assert without.pool is None
    assert dict(without.left_out)["AdaptedGaussians (columns)"].startswith("all samples without labels")
    with pytest.raises(InputError, match="all samples without labels are copies"):
        compare(useless, methods=["AdaptedGaussians"], judge=ONCE)


def test_who_uses_a_pool_is_no_baseline_on_columns_and_tunes_only_what_is_pretrained(network):
    on_columns, on_network = (Candidate(METHODS["AdaMatch"](), phi, "") for phi in (vectors(), network))
    assert (on_columns.borrows, on_columns.baseline, on_columns.tunes) == (True, False, False)
    assert (on_network.borrows, on_network.adapts, on_network.tunes) == (True, True, True)


def test_what_needs_a_pool_says_that_it_may_be_one():
    with pytest.raises(InputError, match="needs source and target, or target_labelled and unlabelled"):
        METHODS["AdaMatch"]().fit(Problem(target_labelled=clusters(8, 1)), vectors())


def test_a_source_and_a_target_are_taken_before_a_pool():
    both = Problem(source=clusters(8, 1), target=clusters(9, 2).unlabelled()), pooled()
    needs = frozenset({"source", "target"})
    full = Problem(**both[0].domains, **both[1].domains)
    assert full.casting(needs) == {"source": "source", "target": "target"}
    assert full.cast(needs).domains == both[0].domains
    assert full.casting(frozenset({"target_labelled"})) == {"target_labelled": "target_labelled"}
