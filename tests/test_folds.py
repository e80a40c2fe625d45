import numpy as np
import pytest
import torch
from sklearn.model_selection import StratifiedGroupKFold

from regraft.domain import Domain
from regraft.folds import complement, hold_out, inner_folds, judgeable, random_folds, stratified_folds


def domain(counts, group=None):
    labels = [name for name, n in counts.items() for _ in range(n)]
    return Domain(torch.zeros(len(labels), 1), labels, group=group)


@pytest.mark.parametrize("counts", [{"a": 20, "b": 20}, {"a": 31, "b": 7, "c": 2}, {"a": 2, "b": 2}])
def test_every_row_is_tested_once(counts):
    d = domain(counts)
    rows = torch.cat(stratified_folds(d, 5, seed=0))
    assert sorted(rows.tolist()) == list(range(len(d)))


def test_classes_are_spread_evenly():
    d = domain({"a": 50, "b": 10})
    for rows in stratified_folds(d, 5, seed=0):
        assert torch.bincount(d.y[rows]).tolist() == [10, 2]


def test_a_class_with_one_sample_is_trained_on_and_not_tested():
    d = domain({"a": 5, "b": 5, "c": 1})
    assert 10 not in torch.cat(stratified_folds(d, 5, seed=0))


def test_groups_are_never_split():
    group = [i // 3 for i in range(60)]
    d = domain({"a": 30, "b": 30}, group=group)
    for seed in range(5):
        for rows in stratified_folds(d, 5, seed):
            inside, outside = d.group[rows], d.group[complement(rows, len(d))]
            assert not set(inside.tolist()) & set(outside.tolist())


def test_groups_are_never_split_whatever_they_hold():
    generator = torch.Generator().manual_seed(0)
    for seed in range(60):
        y = torch.randint(0, 3, (14,), generator=generator)
        group = torch.randint(0, 6, (14,), generator=generator)
        d = Domain(torch.zeros(14, 1), y.tolist(), group=group.tolist())
        for rows in stratified_folds(d, 4, seed):
            kept = complement(rows, 14)
            assert not set(d.group[rows].tolist()) & set(d.group[kept].tolist())
            seen = set(d.y[kept].tolist())
            told = judgeable(d, rows).tolist()
            assert told == [c in seen for c in d.y[rows].tolist()]


def test_a_class_of_one_group_is_held_out_and_not_judged():
    d = domain({"a": 4, "b": 4}, group=[0, 0, 0, 0, 1, 2, 3, 4])
    for rows in stratified_folds(d, 4, seed=0):
        assert (d.y[rows][judgeable(d, rows)] == 1).all()


def test_nothing_to_test():
    assert stratified_folds(domain({"a": 1, "b": 1}), 5, seed=0) == []


def test_same_seed_same_folds():
    d = domain({"a": 11, "b": 13})
    one, two = (stratified_folds(d, 5, seed=4) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))


def test_hold_out_is_about_the_share_and_disjoint():
    d = domain({"a": 50, "b": 50})
    kept, held = hold_out(d, 0.2, seed=0)
    assert len(held) == 20
    assert sorted([*kept.tolist(), *held.tolist()]) == list(range(100))
    assert len(hold_out(d, 0.0, seed=0)[1]) == 0
    assert len(hold_out(domain({"a": 1, "b": 1}), 0.2, seed=0)[1]) == 0
    assert len(hold_out(domain({c: 2 for c in "abcdefghij"}), 0.2, seed=0)[1]) == 0


def test_the_other_folds_of_a_repeat_are_the_inner_ones():
    d = domain({"a": 20, "b": 20})
    repeats = [stratified_folds(d, 5, seed) for seed in (0, 1)]
    kept = [complement(rows, len(d)) for parts in repeats for rows in parts]
    inside = inner_folds(d, kept, 3, seed=0)
    for i, folds in enumerate(inside):
        parts = repeats[i // 5]
        others = [part for j, part in enumerate(parts) if j != i % 5]
        assert [rows.tolist() for rows in folds] == [rows.tolist() for rows in others]


@pytest.mark.parametrize("held_out", [[[0, 1, 20]], [[0, 20], [0, 21], [0, 22]], [[0, 20], [1, 21]]])
def test_without_a_repeat_of_three_folds_inner_ones_are_made(held_out):
    d = domain({"a": 20, "b": 20})
    kept = [complement(torch.tensor(rows), len(d)) for rows in held_out]
    for rows, folds in zip(kept, inner_folds(d, kept, 4, seed=0), strict=True):
        assert len(folds) == 4
        assert sorted(torch.cat(folds).tolist()) == rows.tolist()


def test_inner_folds_split_no_group():
    d = domain({"a": 30, "b": 30}, group=[i // 3 for i in range(60)])
    kept = [complement(rows, len(d)) for rows in stratified_folds(d, 5, seed=0)]
    for rows, folds in zip(kept, inner_folds(d, kept, 5, seed=0), strict=True):
        for fold in folds:
            seen = rows[~torch.isin(rows, fold)]
            assert not set(d.group[fold].tolist()) & set(d.group[seen].tolist())


@pytest.mark.parametrize("counts", [{"a": 20, "b": 25}, {"a": 31, "b": 7, "c": 2}, {"a": 3, "b": 2}])
def test_random_folds_test_every_row_once_and_leave_some_of_each_class(counts):
    d = domain(counts)
    for seed in range(50):
        parts = random_folds(d, 5, seed)
        assert sorted(torch.cat(parts).tolist()) == list(range(len(d)))
        assert max(map(len, parts)) - min(map(len, parts)) <= 1
        assert all(judgeable(d, rows).all() for rows in parts)


def test_majorities_by_chance_look_no_better_than_they_are():
    """Labels of a fair coin: whoever names the more frequent one is right in half of the new samples."""
    right = {stratified_folds: [], random_folds: []}
    for seed in range(300):
        generator = torch.Generator().manual_seed(seed)
        y = torch.randint(0, 2, (20,), generator=generator)
        if min(torch.bincount(y, minlength=2)) < 2:
            continue
        d = Domain(torch.zeros(20, 1), [str(int(c)) for c in y])
        for split, found in right.items():
            for rows in split(d, 5, seed):
                majority = torch.bincount(d.y[complement(rows, 20)]).argmax()
                found += (d.y[rows] == majority).tolist()
    assert sum(right[stratified_folds]) / len(right[stratified_folds]) > 0.56
    assert sum(right[random_folds]) / len(right[random_folds]) == pytest.approx(0.5, abs=0.02)


def test_a_few_copies_among_thousands_leave_the_folds_as_even_as_before():
    """All are groups of their own but for ten pairs: classes differ by two at the most over the folds."""
    y = torch.arange(3000) % 5
    group = torch.arange(3000)
    group[100:200:10] = group[0:100:10]
    folds = stratified_folds(Domain(torch.zeros(3000, 1), y.tolist(), group=group), 5, seed=0)
    assert sorted(torch.cat(folds).tolist()) == list(range(3000))
    counts = torch.stack([torch.bincount(y[rows], minlength=5) for rows in folds])
    assert int((counts.amax(0) - counts.amin(0)).max()) <= 2
    assert not any(
        len(set(group[a].tolist()) & set(group[b].tolist())) for a in folds for b in folds if a is not b
    )


def test_random_folds_keep_groups_together_and_are_of_like_size():
    y = torch.arange(90) % 3 // 2  # two thirds of one class
    group = torch.arange(90) // 2
    group[:30] = 0
    folds = random_folds(Domain(torch.zeros(90, 1), y.tolist(), group=group), 5, seed=0)
    assert sorted(torch.cat(folds).tolist()) == list(range(90))
    assert not any(torch.isin(group[a], group[b]).any() for a in folds for b in folds if a is not b)
    sizes = sorted(len(rows) for rows in folds)
    assert sizes[-1] <= 30 + 90 / 5
    assert sizes[0] >= 8
    assert random_folds(Domain(torch.zeros(4, 1), ["a", "b"] * 2, group=[0] * 4), 5, seed=0) == []


@pytest.mark.parametrize("seed", range(5))
def test_folds_by_group_are_as_even_as_those_of_scikit_learn(seed):
    luck = np.random.default_rng(seed)
    group = luck.integers(0, 40, 300)
    y = (group % 4 + luck.integers(0, 2, 300)) % 4
    d = Domain(torch.zeros(300, 1), y.tolist(), group=group.tolist())

    def uneven(parts):
        counts = np.stack([np.bincount(y[rows], minlength=4) for rows in parts])
        return (counts / np.bincount(y)).std(0).mean()

    theirs = StratifiedGroupKFold(5, shuffle=True, random_state=seed).split(y, y, group)
    assert uneven(stratified_folds(d, 5, seed)) <= uneven([rows for _, rows in theirs]) + 0.01
