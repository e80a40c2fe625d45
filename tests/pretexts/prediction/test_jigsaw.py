"""Jigsaw."""

import itertools

import numpy as np

from regraft.pretexts.prediction.jigsaw import Jigsaw, far_apart


def distances(orders):
    return [sum(a != b for a, b in zip(p, q, strict=True)) for p, q in itertools.combinations(orders, 2)]


def test_permutations_are_as_far_apart_as_can_be():
    assert min(distances(far_apart(4, 4).tolist())) == 4  # of four things no five differ everywhere
    assert min(distances(far_apart(4, 5).tolist())) == 3
    assert sorted(far_apart(4, 99).tolist()) == [list(p) for p in itertools.permutations(range(4))]


def test_each_permutation_is_the_farthest_from_those_before():
    chosen = far_apart(5, 8).tolist()
    every = list(itertools.permutations(range(5)))
    for i in range(1, 8):
        far = [min(sum(a != b for a, b in zip(p, q, strict=True)) for q in chosen[:i]) for p in every]
        assert far[every.index(tuple(chosen[i]))] == max(far)


def test_to_order_the_tiles_is_to_know_the_letters(gain):
    more, made = gain(Jigsaw(epochs=0, least_steps=150, batch_size=64))
    assert more > 0.03
    assert np.mean(made.history.noted["told right"][-20:]) > 0.5
