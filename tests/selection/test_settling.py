"""Which labels would settle it."""

import torch

from regraft.intervals import paired_gain
from regraft.selection.settling import settling


def test_only_what_is_named_differently_can_settle_it():
    ours, theirs = torch.tensor([0, 1, 2, 2]), torch.tensor([0, 1, 1, 0])
    found = settling(ours, theirs, ("CORAL", "SourceOnly"))
    assert found.rows == (2, 3)
    assert found.share == 0.5
    assert "name 2 samples of the target differently (50 %): labelling 2 of those" in str(found)


def test_nothing_to_settle_is_said():
    same = torch.tensor([0, 1])
    assert "there is nothing to settle" in str(settling(same, same, ("CORAL", "SourceOnly")))


def test_so_many_labels_mostly_prove_the_better_one():
    """Of so many disagreements, seven in ten of them won, the verdict mostly has a bound above zero."""
    n = settling(torch.arange(99), torch.zeros(99).long(), ("a", "b")).labels
    luck = torch.Generator().manual_seed(0)
    wins = torch.rand(400, n, generator=luck) < 0.7
    zeros = torch.zeros(n, dtype=torch.long)
    proven = [paired_gain(won.float(), 1 - won.float(), zeros).low > 0 for won in wins]
    assert 0.7 < sum(proven) / len(proven) < 0.95
