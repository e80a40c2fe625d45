"""What judges look at, and that all of them are listed."""

from pathlib import Path

import pytest

import regraft.selection.label_free as label_free
from regraft.selection.label_free import LABEL_FREE, LabelFree


def test_some_of_the_target_are_drawn_by_the_seed(trial):
    first, again, other = (trial(m=50, seed=seed).some(10).tolist() for seed in (0, 0, 1))
    assert first == again != other
    assert first == sorted(set(first))
    assert trial(m=50).some(50).tolist() == list(range(50))


def test_every_judge_is_listed_once():
    defined = {judge for judge in vars(label_free).values() if isinstance(judge, type)}
    judges = {one for one in defined if issubclass(one, LabelFree) and one is not LabelFree}
    assert {type(one) for one in LABEL_FREE} == judges
    files = {Path(one.__module__.replace(".", "/")).name for one in judges}
    folder = Path(label_free.__file__).parent
    assert files == {p.stem for p in folder.glob("*.py") if "(LabelFree)" in p.read_text("utf-8")}
    assert all((Path(__file__).parent / f"test_{name}.py").is_file() for name in files)


@pytest.mark.parametrize("judge", LABEL_FREE, ids=lambda judge: judge.name)
def test_every_judge_explains_itself(judge):
    assert judge.kind in ("source", "certainty", "reverse", "agreement", "clusters", "predictability")
    assert any(c.isdigit() for c in judge.reference)
    assert judge.warning
    assert ">>>" in type(judge).__doc__
    assert type(judge).__final__
    assert len({one.name for one in LABEL_FREE}) == len(LABEL_FREE)
