"""The card says what is known of a model, and nothing that is in the data can speak for itself."""

import re

import pytest
import torch
from markdown_it import MarkdownIt

from regraft.backbones import pixels, vectors
from regraft.card import UNJUDGED, card, escaped
from regraft.domain import Domain
from regraft.methods import METHODS
from regraft.model_folder import load
from regraft.problem import Problem
from regraft.readers import read_images
from regraft.selection import CrossValidation, compare, evaluate

HOSTILE = (
    "<script>alert(1)</script>",
    "[click](javascript:x)",
    "![i](http://x.example/p.png)",
    "a|b||c",
    "**bold** __bold__ ~~gone~~ `code`",
    "two\nlines\n\n# Title",
    "&lt;b&gt; &#60;",
    "http://x.example www.x.example me@x.example",
    "\\*star\\* $x$ {#id} ==marked==",
)


def rendered(text):
    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(text)


@pytest.fixture(scope="module")
def study():
    names = [HOSTILE[i % len(HOSTILE)] for i in range(6 * len(HOSTILE))]
    x = torch.tensor([[float(HOSTILE.index(name)), 0.0] for name in names])
    x += 0.1 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    return compare(
        Problem(target_labelled=Domain(x, names)), ["NearestMean"], judge=CrossValidation(repeats=1)
    )


def test_names_are_text_and_nothing_else(study, tmp_path):
    study.save(tmp_path / "m")
    html = rendered((tmp_path / "m" / "README.md").read_text(encoding="utf-8"))
    tags = set(re.findall(r"<(\w+)[^>]*>", html))
    assert tags <= {
        *("h1", "h2", "p", "ul", "li", "strong", "pre", "code"),
        *("table", "thead", "tbody", "tr", "th", "td"),
    }
    for name in HOSTILE:
        shown = "".join(
            "?" if c == "\n" else {"<": "&lt;", ">": "&gt;", "&": "&amp;"}.get(c, c) for c in name
        )
        assert f"<td>{shown}</td>" in html


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_escaped_has_no_markup_left(name):
    html = rendered(f"before {escaped(name)} after")
    assert html.count("<") == 2  # of the paragraph
    assert not re.search(r"http:|www\.|@", escaped(name))


def test_it_tells_what_the_study_found(study):
    text = card(study.model)
    expected, kept = study.expected, study.handed_over.candidate.name
    assert f"**accuracy {expected}**, by bootstrap bias-corrected cross-validation" in text
    assert f"| {kept} (this model) |" in text
    assert study.sentence()[:20] in text
    assert f"by {study.judge}" in text.replace("&#44;", ",")
    recalls = study.handed_over.scores.recalls()
    for name, recall in recalls.items():
        assert f"| {escaped(name)} | 6 | {recall} |" in text
    for name, reason in study.left_out:
        assert f"- {escaped(name)}: {escaped(reason)}" in text
    assert "samples like those it was fitted to" in text


def test_a_test_that_was_read_later_is_in_the_card(study, tmp_path):
    study.test = evaluate(study.model, study.labelled[:9])
    study.save(tmp_path / "m")
    again = load(tmp_path / "m")
    assert "On a test set of 9 samples" in card(again)
    assert card(again) == (tmp_path / "m" / "README.md").read_text(encoding="utf-8")


def test_a_model_that_nobody_judged_says_so():
    data = Domain([[0.0], [1.0]], ["a", "b"])
    text = card(METHODS["NearestMean"]().fit(Problem(target_labelled=data), vectors()))
    assert UNJUDGED in text
    assert "Verdict" not in text


def test_of_pictures_it_says_how_they_are_read(tmp_path):
    from PIL import Image

    for name in ("owl", "crow"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(tmp_path / "photos" / name / "1.png")
    photos = read_images(tmp_path / "photos")
    model = METHODS["NearestMean"]().fit(Problem(target_labelled=photos), pixels())
    folder = model.save(tmp_path / "m")
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert "| orientation | EXIF orientation is applied |" in text
    assert "| size | 32, 32 |" in text
    assert "regraft predict FOLDER" in text
    assert not [p.name for p in folder.iterdir() if str(tmp_path).encode() in p.read_bytes()]
