import pytest
import torch

from regraft.domain import Domain
from regraft.errors import InputError
from regraft.selection import CrossValidation


@pytest.mark.parametrize(("n", "repeats"), [(10, 10), (50, 4), (100, 2), (200, 1), (1000, 1)])
def test_few_samples_are_tested_more_often(n, repeats):
    birds = Domain(torch.zeros(n, 1), ["owl", "crow"] * (n // 2))
    assert len(CrossValidation().splits(birds)) == repeats


def test_single_samples_only_cannot_be_judged():
    with pytest.raises(InputError, match="label at least two"):
        CrossValidation().splits(Domain(torch.zeros(2, 1), ["owl", "crow"]))


def test_is_named_with_groups():
    birds = Domain(torch.zeros(400, 1), ["owl", "crow"] * 200, group=[i // 4 for i in range(400)])
    assert CrossValidation().describe(birds) == "5-fold cross-validation, by group"


@pytest.mark.parametrize(
    ("n", "folds", "said"),
    [
        (40, 5, "5-fold cross-validation, repeated 5 times (trained networks: once)"),
        (100, 3, "5-fold cross-validation, repeated 2 times (trained networks: 3 folds, once)"),
        (400, 3, "5-fold cross-validation (trained networks: 3 folds)"),
    ],
)
def test_networks_are_trained_fewer_times(n, folds, said):
    birds = Domain(torch.zeros(n, 1), ["owl", "crow"] * (n // 2))
    (held_out,) = CrossValidation().splits(birds, trained=True)
    assert len(held_out) == folds
    assert torch.cat(held_out).sort().values.equal(torch.arange(n))
    assert CrossValidation().describe(birds, trained=True) == said
    assert CrossValidation(folds=2).splits(birds, trained=True)[0][0].numel() == n // 2
