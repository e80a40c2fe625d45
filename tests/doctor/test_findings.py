"""What an examination looks like to people and to machines."""

import json

from regraft.doctor import Examination, Finding, Sample


def test_the_worst_comes_first_and_the_text_is_short():
    many = tuple((Sample("a", i, f"{i}.jpg"),) for i in range(9))
    told = Examination(
        {"a": "9 image files"}, (Finding("x", "note", "n", many), Finding("y", "problem", "p"))
    )
    assert [f.check for f in told.findings] == ["y", "x"]
    assert str(told).splitlines() == ["a: 9 image files", "problem: p", "note: n [0.jpg, 1.jpg, 2.jpg, …]"]
    assert [f.check for f in told.urgent] == ["y"]


def test_json_has_every_sample():
    told = Examination({"a": "x"}, (Finding("c", "note", "m", ((Sample("a", 1, "b.jpg", "why"),),)),))
    saved = json.loads(json.dumps(told.to_json()))
    assert saved["findings"][0]["samples"] == [[{"side": "a", "row": 1, "name": "b.jpg", "note": "why"}]]


def test_names_cannot_steer_a_terminal():
    told = Examination({"\x1b[2J": "x"}, (Finding("c", "note", "m", ((Sample("a", 0, "\x1b[31m"),),)),))
    assert "\x1b" not in str(told)
