import pytest
import torch

from regraft.domain import Domain
from regraft.errors import InputError
from regraft.transferability.trials import check_classes, check_pair, of_halves, of_pair


@pytest.fixture
def letters():
    """Ten samples of each of seven classes; the sample tells its class."""
    y = torch.arange(7).repeat(10)
    return Domain(torch.stack([y, torch.arange(70)], 1).float(), ["abcdefg"[i] for i in y.tolist()])


def test_halves_share_no_class_and_keep_their_labels(letters):
    drawn = set()
    for trial in of_halves(letters, repeats=5, seed=0):
        a, b = trial.a.classes.names, trial.b.classes.names
        assert sorted(a + b) == list("abcdefg")
        assert (len(a), len(b)) == (3, 4)
        for half in (trial.a, trial.b):
            assert ["abcdefg"[int(x[0])] for x in half.x] == half.classes.decode(half.labels)
        drawn.add(a)
    assert len(drawn) > 2


def test_five_repeats_test_every_sample_of_the_target_once(letters):
    trials = list(of_pair(letters, letters, repeats=6, seed=0))
    assert sorted(torch.cat([trial.b_test for trial in trials[:5]]).tolist()) == list(range(70))
    assert not torch.equal(trials[5].b_test, trials[0].b_test)


def test_what_cannot_be_compared_is_said(letters):
    with pytest.raises(InputError, match="70 samples of the source are in the target"):
        check_pair(letters, letters)
    with pytest.raises(InputError, match=r"vectors of 3 numbers and the target 70 vectors of 2"):
        check_pair(Domain(torch.ones(10, 3), ["a", "b"] * 5), letters)
    with pytest.raises(InputError, match="the target has 1 class, and 2 are needed"):
        check_pair(None, letters[letters.labels == 0].with_(y=["a"] * 10, output=None))
    with pytest.raises(InputError, match="4 are needed, two for each half"):
        check_classes(letters[:3].with_(y=["a", "b", "c"], output=None), "the set", least=4)
    with pytest.raises(InputError, match="class 'b' of the set has fewer than 5 samples"):
        check_classes(Domain(torch.ones(9, 1), ["a"] * 5 + ["b"] * 4), "the set", least=2)


def test_too_few_groups_are_said(letters):
    grouped = letters.with_(group=torch.arange(70) % 3)
    with pytest.raises(InputError, match="3 groups, and 5 are needed"):
        list(of_pair(None, grouped, repeats=1, seed=0))
