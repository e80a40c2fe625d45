"""Expressions that end, that never end, and that are none."""

import time

import pytest

from regraft.errors import InputError
from regraft.readers.grouping import matches


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", r"^(([a-z])+.)+[A-Z]([a-z])+$", "((a{0,5000}){0,5000}){0,5000}b", "(a|a)*$"]
)
def test_what_never_ends_is_ended(pattern):
    start = time.monotonic()
    with pytest.raises(InputError, match="repeats inside repeats") as told:
        matches(pattern, ["a" * 60 + "!"], seconds=0.3)
    assert "\n" not in str(told.value)
    assert time.monotonic() - start < 5


@pytest.mark.parametrize("pattern", ["(", "(" * 5000, "a{99999999999}", "(?P<x>a)(?P<x>b)", "*", "\\"])
def test_what_is_no_expression(pattern):
    with pytest.raises(InputError, match="is no regular expression") as told:
        matches(pattern, ["a"])
    assert "\n" not in str(told.value)


def test_names_of_any_kind():
    names = ["a\nb", "\udcff1", "é", ""]
    assert matches("(?s).+", names) == ["a\nb", "\udcff1", "é", None]
