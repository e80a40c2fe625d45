"""Whether a pool is of the kind of the labelled samples."""

import torch
from torch.nn.functional import normalize

from regraft.domain import Domain
from regraft.selection.belonging import belonging, by_chance


def heaps(n, seed, classes):
    """Heaps around the corners of a simplex in 16 columns."""
    luck = torch.Generator().manual_seed(seed)
    y = torch.tensor(classes)[torch.arange(n) % len(classes)]
    return 4 * torch.eye(16)[y] + torch.randn(n, 16, generator=luck), y


def labelled(n, classes, seed=1):
    x, y = heaps(n, seed, classes)
    return Domain(x, [f"class {c}" for c in y.tolist()])


def test_samples_of_the_same_heaps_belong():
    found = belonging(labelled(40, [0, 1]), heaps(600, 2, [0, 1])[0], directions=False)
    assert found.alike
    assert found.novel.value < 0.12
    assert found.findings(Domain(torch.zeros(600, 1))) == ()
    assert str(found).startswith("looks like the labelled samples: told from them with an area")


def test_a_heap_that_no_label_has_is_told_with_its_rows():
    pool, y = heaps(600, 2, [0, 1, 5])
    found = belonging(labelled(60, [0, 1]), pool, directions=False)
    assert not found.alike
    [strangers] = [rows for rows in found.strangers if len(rows) > 60]
    assert (y[list(strangers)] == 5).float().mean() > 0.95
    middle = pool[y == 5].mean(0)
    nearest, farthest = (pool[row] - middle for row in (strangers[0], strangers[-1]))
    assert nearest.norm() < farthest.norm()
    told = {finding.check: finding for finding in found.findings(Domain(pool))}
    assert "the pool holds samples of other classes" in str(told["strangers"])
    assert " = " not in str(told["strangers"])
    assert [sample.row for sample in told["strangers"].samples[0]] == list(found.strangers[0])


def test_of_a_large_pool_rows_are_those_of_the_pool():
    pool, y = heaps(3000, 2, [0, 1, 5])
    found = belonging(labelled(60, [0, 1]), pool, directions=False)
    rows = [row for group in found.strangers for row in group]
    assert max(rows) >= 2000
    assert (y[rows] == 5).float().mean() > 0.9


def test_samples_that_are_moved_are_told_from_the_labelled_ones():
    pool = heaps(600, 2, [0, 1])[0] + 1.5 * torch.eye(16)[9]
    found = belonging(labelled(80, [0, 1]), pool, directions=False)
    assert found.auc.low > 0.55
    assert "a linear classifier tells it from them" in str(found.findings(Domain(pool))[0])


def test_the_same_seed_gives_the_same_answer():
    pool = heaps(3000, 2, [0, 1, 5])[0]
    one, other = (belonging(labelled(40, [0, 1]), pool, directions=True, seed=3) for _ in range(2))
    assert (one.to_json(), one.strangers) == (other.to_json(), other.strangers)


def test_what_is_far_from_few_samples_may_be_chance():
    """The share of new samples beyond the farthest of n is above q with (1 − q)ⁿ."""
    luck = torch.Generator().manual_seed(0)
    farthest = torch.rand(200_000, 8, generator=luck).amax(1)
    assert abs(float((1 - farthest > by_chance(8)).float().mean()) - 0.001) < 3e-4


def test_a_pool_of_the_same_kind_is_no_stranger_to_eight_samples():
    alike = [
        belonging(labelled(8, [0, 1], seed), heaps(400, seed + 50, [0, 1])[0], False) for seed in range(20)
    ]
    assert sum(found.alike for found in alike) >= 19


def test_what_is_alone_of_its_kind_says_nothing_of_what_is_usual():
    """Of 14 labels ten are of classes of their own: four have a distance to their class."""
    luck = torch.Generator().manual_seed(0)
    names = [*"aabb", *(f"alone {i}" for i in range(10))]

    def normal(n):
        return torch.randn(n, 4, generator=luck)

    told = [belonging(Domain(normal(14), names), normal(300), False) for _ in range(20)]
    assert sum(found.often > 0.8 for found in told) == 20
    assert sum(bool(found.strangers) for found in told) <= 1
    alone = Domain(normal(9), [f"alone {i}" for i in range(9)])
    assert not belonging(alone, normal(300), False).strangers


def words(n, seed, topics):
    """Directions of counts of 600 words, most of them rare; a topic has words of its own."""
    luck = torch.Generator().manual_seed(seed)
    topic = torch.tensor(topics)[torch.randint(len(topics), (n,), generator=luck)]
    favoured = 1 + 10 * (torch.arange(600)[None] % 5 == topic[:, None])
    length = (0.6 * torch.randn(n, 1, generator=luck)).exp()
    counts = torch.poisson(length * favoured * 6 / torch.arange(10, 610), generator=luck)
    return normalize(counts.double(), dim=1), topic


def test_of_words_another_topic_is_far_and_the_same_are_not():
    """Along all columns a third of the same topics can be far from eight samples, as many as of another."""
    for seed in range(12):
        x, topic = words(8, seed, [0, 1])
        found = belonging(Domain(x, topic.tolist()), words(300, 50 + seed, [0, 1])[0], False)
        assert found.novel.value < 0.2
    x, topic = words(120, 99, [0, 1])
    found = belonging(Domain(x, topic.tolist()), words(500, 98, [0, 1, 2, 3])[0], False)
    assert not found.alike
    assert found.novel.value > 0.45
