import numpy as np
import pytest
import torch

from regraft import CrossValidation, compare, plan
from regraft.domain import Domain
from regraft.folds import complement
from regraft.problem import Problem
from regraft.selection.choice import handed_over

METHODS = ["NearestMean", "RidgeProbe"]


def compared(seen, budget=60.0, judge=None):
    """With time for nested cross-validation, and no network that would take it."""
    problem = Problem(target_labelled=seen)
    return compare(problem, planned=plan(problem, methods=METHODS), judge=judge, budget=budget)


def birds(n=40, apart=1.5, seed=0):
    generator = torch.Generator().manual_seed(seed)
    y = torch.arange(n) % 2
    x = torch.randn(n, 6, generator=generator)
    x[:, 0] += apart * y
    return Domain(x, [["owl", "crow"][c] for c in y])


def test_every_fold_is_told_by_a_comparison_that_has_not_seen_it():
    """Against whole comparisons of the other samples, one after the other."""
    seen, judge = birds(), CrossValidation(folds=4, repeats=1)
    study = compared(seen, judge=judge)
    right = []
    for rows in judge.splits(seen)[0]:
        without = compared(seen[complement(rows, 40)], None, judge)
        said = without.model.predict(seen.x[rows])
        right += [a == b for a, b in zip(said, seen.classes.decode(seen.y[rows]), strict=True)]
    assert study.nested.value == pytest.approx(np.mean(right))
    assert f"{study.nested}, by nested cross-validation" in str(study)
    assert study.to_json()["nested"]["by"] == "nested cross-validation"


def test_without_time_for_it_there_is_none():
    assert compared(birds(), None).nested is None
    assert compared(birds(), 1e-6).nested is None


def test_too_few_to_leave_any_out_twice():
    few = Domain(torch.randn(4, 3), ["a", "a", "b", "c"])
    study = compared(few)
    assert study.nested is None
    assert handed_over(study.results, "accuracy").kept is study.handed_over


@pytest.mark.slow
def test_on_labels_that_say_nothing_it_says_so():
    values = []
    for seed in range(12):
        luck = torch.Generator().manual_seed(seed)
        x, y = torch.randn(40, 6, generator=luck), torch.randint(0, 2, (40,), generator=luck)
        noise = Domain(x, [["owl", "crow"][c] for c in y])
        values.append(compared(noise).nested.value)
    assert np.mean(values) == pytest.approx(0.5, abs=0.08)
