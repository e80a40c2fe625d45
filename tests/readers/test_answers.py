import warnings

import pytest

from regraft.errors import InputError
from regraft.output import Classes, MultiLabel, Real
from regraft.readers import read_images, read_table
from regraft.readers.answers import answers_of, known_rows, task_of


def of(cells, **more):
    return task_of("t.csv", {"label": cells}, **more)


def test_names_and_few_whole_numbers_are_classes():
    assert of(["owl", "crow"]) == "classes"
    assert of([str(i % 10) for i in range(30)]) == "classes"
    assert of(["1.0", "2.0", "1"]) == "classes"
    assert of(["0.5", "none"]) == "classes"


@pytest.mark.parametrize(
    ("cells", "task", "said"),
    [
        (["1.5", "2", ""], "real", "it holds fractions; --task classes"),
        ([str(i) for i in range(40)], "real", "40 different numbers; --task classes"),
        ([str(i % 25) for i in range(250)], "classes", "names of 25 classes; --task real"),
    ],
)
def test_what_could_be_meant_otherwise_is_said(cells, task, said):
    with pytest.warns(UserWarning, match="the label 'label'") as told:
        assert of(cells) == task
    assert said in str(told[0].message)


def test_a_task_that_is_named_needs_no_guess():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert of(["1.5", "2"], task="classes") == "classes"
        assert of(["1", "2"], task="real") == "real"


def test_several_columns():
    assert task_of("t.csv", {"a": ["1", "0"], "b": ["", "1"]}) == "multilabel"
    assert task_of("t.csv", {"a": ["1", "2"], "b": ["", "1"]}) == "real"
    assert task_of("t.csv", {"a": ["1", "0"], "b": ["", "1"]}, "real") == "real"
    with pytest.raises(InputError, match="'owl'"):
        task_of("t.csv", {"a": ["1", "0"], "b": ["owl", "1"]})
    with pytest.raises(InputError, match="cannot name one class"):
        task_of("t.csv", {"a": ["1"], "b": ["2"]}, "classes")
    with pytest.raises(InputError, match="task 'regression' is unknown"):
        of(["1"], task="regression")


def test_rows_of_which_nothing_is_known():
    assert known_rows("real", {"a": ["1", "NA", ""], "b": ["", "3", "?"]}) == [0, 1]
    assert known_rows("classes", {"a": ["NA", " "]}) == [0]  # a name may be NA
    assert known_rows("multilabel", {"a": ["cat", ";", ""]}) == [0, 1]


def test_what_is_no_number_is_named():
    with pytest.raises(InputError, match="'price' holds 'much'"):
        answers_of("t.csv", {"price": ["3", "much"]}, "real")
    with pytest.raises(InputError, match="2"):
        answers_of("t.csv", {"a": ["2"], "b": ["0"]}, "multilabel")


def test_a_table_of_amounts(tmp_path):
    (tmp_path / "t.csv").write_text("size;place;price\n70;x;310,5\n80;y;\n90;x;400\n")
    with pytest.warns(UserWarning, match="amount"):
        homes = read_table(tmp_path / "t.csv", label="price")
    assert homes.output == Real(("price",))
    assert homes.y.tolist() == [[310.5], [400.0]]
    assert homes.left_out == (("row 3", "no label"),)
    assert homes.x.columns == ("size", "place")


def test_a_table_of_several(tmp_path):
    (tmp_path / "t.csv").write_text("x,cat,dog\n1,1,0\n2,,1\n3,,\n")
    for label in ("cat,dog", ["cat", "dog"]):
        photos = read_table(tmp_path / "t.csv", label=label)
        assert photos.output == MultiLabel(("cat", "dog"))
        assert photos.observed.tolist() == [[True, True], [False, True]]
    assert read_table(tmp_path / "t.csv", label="cat,dog", task="real").output == Real(("cat", "dog"))
    with pytest.raises(InputError, match="no column 'emu'"):
        read_table(tmp_path / "t.csv", label="cat,emu")


def test_a_comma_in_a_name_is_no_list(tmp_path):
    (tmp_path / "t.csv").write_text('x,"a,b"\n1,owl\n2,crow\n')
    assert read_table(tmp_path / "t.csv", label="a,b").output == Classes(("crow", "owl"))


def test_photos_with_numbers_and_with_labels(photos, tmp_path):
    files = sorted(p.relative_to(photos).as_posix() for p in photos.rglob("*.png"))
    rows = [f"{name},{i / 8},{i % 2},cat;dog" for i, name in enumerate(files)]
    (tmp_path / "l.csv").write_text("\n".join(["file,across,odd,shows", *rows[:-1], f"{files[-1]},,1,"]))
    seen = read_images(photos, labels=tmp_path / "l.csv", label="across", task="real")
    assert (len(seen), seen.output) == (11, Real(("across",)))
    several = read_images(photos, labels=tmp_path / "l.csv", label="across,odd")
    assert (len(several), several.output.names) == (12, ("across", "odd"))
    assert several.observed[-1].tolist() == [False, True]
    shows = read_images(photos, labels=tmp_path / "l.csv", label="shows", task="multilabel")
    assert shows.output == MultiLabel(("cat", "dog"))
    with pytest.raises(InputError, match="no column 'acros'"):
        read_images(photos, labels=tmp_path / "l.csv", label="acros")
