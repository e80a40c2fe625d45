"""Tables, label files and expressions that would fill the memory, never end or run something."""

import os

import pytest

WIDE = 1_000_000


def header_of(columns: int) -> str:
    return ",".join(f"c{i}" for i in range(columns)) + ",label\n"


TABLES = {
    "a million columns": (lambda: header_of(WIDE) + "1," * WIDE + "a\n", "1,000,001 columns in row 1"),
    "a row of a million cells": (lambda: "a,label\n" + "1," * WIDE + "a\n", "1,000,001 columns in row 2"),
    "a cell of 5 MB": (lambda: "a,label\n" + "1" * 5_000_000 + ",x\n", "is not a CSV table (field larger"),
    "a header of 5 MB": (lambda: "a" * 5_000_000 + ",label\n", "is not a CSV table (field larger"),
    "a quote that never closes": (lambda: 'a,label\n"' + "1,2\n" * 1_000_000, "is not a CSV table"),
    "21 million blank lines": (lambda: "a,label\n" + "\n" * 21_000_000, "more than 20,000,000 cells"),
    "NUL bytes": (lambda: "a,label\n1\0,x\n2,y\n", "is a binary file"),
    "nothing": (lambda: "", "is empty"),
    "half a surrogate": (lambda: b"a,label\n\xed\xa0\x80,x\n", "is not UTF-8"),
    "overlong UTF-8": (lambda: b"a,label\n\xc0\xaf,x\n", "is not UTF-8"),
}


@pytest.mark.parametrize(("made", "told"), TABLES.values(), ids=TABLES)
def test_tables(attack, tmp_path, made, told):
    content = made()
    (tmp_path / "t.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    attack("fit", "t.csv").refuses(told)


@pytest.mark.parametrize(
    "words", [("fit", "t.csv"), ("fit", ".", "--labels", "t.csv"), ("predict", "t.csv", ".")]
)
@pytest.mark.parametrize("kind", ["pipe", "device", "terminal", "itself", "a terabyte"])
def test_what_is_no_file(attack, tmp_path, words, kind):
    path = tmp_path / "t.csv"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "a terabyte":
        path.touch()
        os.truncate(path, 1 << 40)
    else:
        path.symlink_to({"device": "/dev/zero", "terminal": "/dev/tty", "itself": path}[kind])
    attack(*words).refuses("")


EXPRESSIONS = {
    "S4 repeats inside repeats": ("(a+)+$", "repeats inside repeats"),
    "S4 five thousand brackets": ("(" * 5000, "is no regular expression"),
    "S4 a repetition that is too large": ("a{99999999999}", "is no regular expression"),
    "S4 code": ("(?{system('touch canary')})", "is no regular expression"),
}


@pytest.mark.parametrize(("pattern", "told"), EXPRESSIONS.values(), ids=EXPRESSIONS)
def test_groups(attack, tmp_path, canary, pattern, told):
    for name in ("day", "night"):
        (tmp_path / name).mkdir()
        (tmp_path / name / ("a" * 60 + "!.ppm")).write_bytes(b"P5 2 2 255\n" + os.urandom(4))
    attack("plan", tmp_path, "--group", pattern, "--backbone", "glyphs").refuses(told)
