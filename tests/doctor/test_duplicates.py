"""Copies within a side and across sides, what is said of them and what is done."""

import pytest
import torch

from regraft.doctor import Copies, examine, unseen
from regraft.domain import Domain
from regraft.errors import InputError


def photos(rows, labels=None, **more):
    """Pictures of 32×32 pixels by number: equal where the numbers are, soft so that thumbnails see them."""
    rough = torch.randint(0, 256, (40, 3, 5, 5), generator=torch.Generator().manual_seed(0)).float()
    fine = torch.nn.functional.interpolate(rough, size=(32, 32), mode="bilinear").byte()
    return Domain(fine.permute(0, 2, 3, 1)[rows].contiguous(), labels, **more)


def darker(domain, row):
    x = domain.x.clone()
    x[row] = (x[row].float() * 0.7).byte()
    return domain.with_(x=x)


def checks(sides):
    return [(f.check, f.level) for f in examine(sides).findings]


def test_exact_and_near_copies_within_a_side():
    side = darker(photos([*range(20), 3, 7]), 21)
    exact, near = (f for f in examine({"a": side}).findings if "duplicates" in f.check)
    assert (exact.check, near.check) == ("duplicates", "near duplicates")
    assert [[s.row for s in group] for group in exact.samples] == [[3, 20]]
    assert [[s.row for s in group] for group in near.samples] == [[7, 21]]
    assert exact.level == near.level == "warning"


def test_without_copies_the_domain_is_the_same_object():
    side = photos(range(20), group=[i // 2 for i in range(20)])
    assert Copies.among({"a": side}).joined("a") is side


def test_copies_join_groups_by_way_of_copies_too():
    side = photos([*range(10), 0, 1, 1], group=[*range(9), 8, "x", "x", "y"])
    group = Copies.among({"a": side}).joined("a").group
    assert group[0] == group[10] == group[11] == group[1] == group[12]
    assert group[8] == group[9]
    assert len(group.unique()) == 8


def test_equal_vectors_are_told_and_not_joined():
    side = Domain([[1.0], [2.0], [1.0]], ["owl", "crow", "owl"])
    assert Copies.among({"a": side}).joined("a") is side
    assert ("duplicates", "note") in checks({"a": side})


def test_the_same_picture_under_two_labels():
    side = darker(photos([*range(20), 5], ["owl"] * 10 + ["crow"] * 11), 20)
    found = {f.check: f for f in examine({"a": side}).findings}
    assert found["contradictions"].level == "problem"
    assert [s.note for s in found["contradictions"].samples[0]] == ["owl", "crow"]


def test_across_sides_a_copy_is_a_leak_where_both_have_labels():
    train, test = (
        photos(range(20), ["owl", "crow"] * 10),
        darker(photos([25, 3, 26], ["owl", "crow", "owl"]), 1),
    )
    assert ("leak", "problem") in checks({"train": train, "test": test})
    assert ("shared samples", "note") in checks({"train": train, "pool": test.unlabelled()})
    leak = next(f for f in examine({"train": train, "test": test}).findings if f.check == "leak")
    assert [(s.side, s.row) for s in leak.samples[0]] == [("train", 3), ("test", 1)]
    assert "1 of 3 pictures" in leak.message


def test_copies_and_shared_groups_leave_the_test():
    train = photos(range(20), ["owl", "crow"] * 10, group=[f"roll {i // 2}" for i in range(20)])
    test = darker(photos([3, 25, 26], ["crow", "owl", "owl"], group=["new", "roll 4", "newer"]), 0)
    kept, said = unseen(test, train)
    assert torch.equal(kept.x, test.x[2:])
    assert [f.check for f in said] == ["leak", "groups across sides"]
    assert all(f.message.startswith("left out of the test: 1 of 3 samples") for f in said)
    assert unseen(kept, train)[0] is kept
    with pytest.raises(InputError, match="every test sample"):
        unseen(train, train)


def test_rows_that_repeat_by_chance_stay_in_the_test():
    repeating = Domain([[1.0], [1.0], [2.0]], ["a", "a", "b"])
    test = Domain([[1.0], [3.0]], ["a", "b"])
    assert unseen(test, repeating)[0] is test
    assert len(unseen(test, repeating[1:])[0]) == 1


def test_groups_that_two_sides_share_are_found_by_name():
    one = Domain([[1.0], [2.0]], ["a", "b"], group=["Ann", "Bob"])
    other = Domain([[3.0], [4.0]], ["a", "b"], group=["Cyd", "Ann"])
    found = {f.check: f for f in examine({"one": one, "other": other}).findings}
    assert [s.row for group in found["groups across sides"].samples for s in group] == [1]


def test_arrays_smaller_than_a_thumbnail_are_copies_only_where_they_are_equal():
    side = darker(photos([*range(20), 3, 7]), 21)
    small = side.with_(x=side.x[:, ::2, ::2].contiguous())
    assert [f.check for f in examine({"a": small}).findings if "duplicates" in f.check] == ["duplicates"]
