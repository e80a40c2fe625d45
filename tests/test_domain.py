import numpy as np
import pytest
import torch

from regraft.domain import Domain
from regraft.errors import InputError
from regraft.output import Classes
from regraft.problem import Problem
from regraft.readers import Table, image_files
from regraft.samples import Samples, digests, is_images, kind_of


def test_a_batch_of_a_domain_is_a_domain():
    d = Domain(np.arange(8.0).reshape(4, 2), list("abab"), weight=[1, 2, 3, 4], group=["x", "x", "y", "z"])
    part = d[torch.tensor([3, 1])]
    assert part.x.tolist() == [[6.0, 7.0], [2.0, 3.0]]
    assert part.y.tolist() == [1, 1]
    assert part.weight.tolist() == [4.0, 2.0]
    assert part.group.tolist() == [2, 0]
    assert part.output is d.output
    assert len(d[d.y == 0]) == 2
    assert len(d[:1]) == 1
    assert len(d[[]]) == 0


def test_unlabelled_forgets_everything_of_the_labels():
    d = Domain([[0.0]], ["a"], observed=torch.tensor([True]))
    bare = d.unlabelled()
    assert (bare.y, bare.output, bare.observed) == (None, None, None)


@pytest.mark.parametrize("column", ["y", "weight", "group", "origin"])
def test_columns_must_be_as_long_as_x(column):
    with pytest.raises(InputError, match=rf"{column} has 3 rows"):
        Domain([[0.0], [1.0]], **{column: [1, 2, 3]})


def test_what_is_no_array_is_refused():
    with pytest.raises(InputError, match="neither a numeric array"):
        Domain(["a", 2.0], [0, 1])


def test_uint8_pictures_are_images_and_floats_are_not():
    assert is_images(torch.zeros(2, 8, 8, dtype=torch.uint8))
    assert is_images(torch.zeros(2, 8, 8, 3, dtype=torch.uint8))
    assert not is_images(torch.zeros(2, 8, 8))
    assert not is_images(torch.zeros(2, 8, dtype=torch.uint8))


def test_samples_tell_their_kind():
    files, table = image_files([__file__]), Table(("a",), [["1"]])
    assert isinstance(files, Samples)
    assert isinstance(table, Samples)
    assert (kind_of(files), kind_of(table)) == ("images", "table")
    assert kind_of(torch.zeros(2, 8, 8, dtype=torch.uint8)) == "images"
    assert kind_of(torch.zeros(2, 3, 8, 8)) == kind_of(torch.zeros(2, 8)) == "vectors"


def test_digests_tell_content_shape_and_type_apart():
    a = torch.arange(6.0).reshape(2, 3)
    assert digests(a)[0] != digests(a)[1]
    assert digests(a)[0] == digests(a.double())[0] != digests(a.long())[0]
    assert digests(a.flip(0)) == digests(a)[::-1]
    assert digests(torch.zeros(1, 2, 3)) != digests(torch.zeros(1, 3, 2))


@pytest.mark.parametrize(
    "y", [[["a"], ["b"]], np.array([["a"], ["b"]]), [("a",), ("b",)], np.array([["a"], ["b"]], dtype=object)]
)
def test_labels_may_stand_in_a_column(y):
    d = Domain([[0.0], [1.0]], y)
    assert (d.output.names, d.y.tolist()) == (("a", "b"), [0, 1])
    assert Domain(d.x, torch.tensor([[1], [0]]), d.output).y.tolist() == [1, 0]
    assert Domain(d.x, y, d.output).y.tolist() == [0, 1]


@pytest.mark.parametrize("y", [[[0, 1], [1, 0]], np.eye(2), torch.eye(2), np.array(3)])
def test_several_labels_for_a_sample_are_refused(y):
    for output in (None, Classes(("a", "b"))):
        with pytest.raises(InputError, match="one label for each sample"):
            Domain([[0.0], [1.0]], y, output)


@pytest.mark.parametrize("y", [[0, 2], [-1, 0], [0.0, 0.5]])
def test_codes_are_positions_in_the_names(y):
    with pytest.raises(InputError, match="the output has 2 classes"):
        Domain([[0.0], [1.0]], torch.tensor(y), Classes(("a", "b")))


@pytest.mark.parametrize("role", ["target", "unlabelled"])
def test_unlabelled_roles_refuse_labels(role):
    labelled = Domain([[0.0]], ["a"])
    with pytest.raises(InputError, match="must be unlabelled"):
        Problem(**{role: labelled})
    assert Problem(**{role: labelled.unlabelled()}).given == {role}


@pytest.mark.parametrize("role", ["target_labelled", "source"])
def test_labelled_roles_want_labels(role):
    with pytest.raises(InputError, match="must be labelled"):
        Problem(**{role: Domain([[0.0]])})


def test_a_fold_keeps_the_other_parts():
    d = Domain([[0.0], [1.0], [2.0]], ["a", "b", "a"])
    fold = Problem(target_labelled=d, unlabelled=d.unlabelled()).restricted(torch.tensor([2]))
    assert len(fold.target_labelled) == 1
    assert len(fold.unlabelled) == 3
