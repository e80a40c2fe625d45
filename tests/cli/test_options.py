import pytest

from regraft.cli.options import duration
from regraft.errors import InputError


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("5m", 300), ("1.5h", 5400), ("10 min", 600)]
)
def test_times(text, seconds):
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "-5m", "5 5"])
def test_what_is_no_time(text):
    with pytest.raises(InputError, match="is no time"):
        duration(text)
