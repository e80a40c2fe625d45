import dataclasses
import json
import os
import re
from html.parser import HTMLParser

import pytest
import torch

from regraft.backbones import glyphs
from regraft.domain import Domain
from regraft.errors import InputError
from regraft.problem import Problem
from regraft.report import feature_map, write
from regraft.report.page import page
from regraft.selection import CrossValidation, compare

ONCE = CrossValidation(repeats=1)  # where it does not matter how sure a number is

LEADING = {"src", "href", "srcset", "action", "formaction", "poster", "data", "background", "xlink:href"}


class Addresses(HTMLParser):
    """What the attributes of a page's elements lead to."""

    def __init__(self):
        super().__init__()
        self.found = set()

    def handle_starttag(self, tag, attributes):
        self.found |= {value for name, value in attributes if name in LEADING}


def test_nothing_in_it_leads_outside(two):
    """Addresses are data, or places of the page itself."""
    text = page(two)
    parser = Addresses()
    parser.feed(text)
    assert {address.split(",")[0] for address in parser.found} >= {"#map", "data:image/jpeg;base64"}
    assert all(address.startswith(("data:image/", "#")) for address in parser.found)
    style = re.search("<style>(.*?)</style>", text, re.DOTALL)[1]
    assert "url(" not in style
    assert "@import" not in style
    assert text.index("Content-Security-Policy") < text.index("<style>")
    assert "default-src &#x27;none&#x27;; img-src data:;" in text


def test_it_says_what_the_study_says(two):
    text = page(two)
    for expected in (two.sentence(), two.judge, str(two.expected), two.hashes["data"], "What was asked"):
        assert str(expected).replace("'", "&#x27;") in text
    for r in two.results:
        assert r.candidate.name in text
        assert r.candidate.reason in text
    for name, reason in two.left_out:
        assert name in text
        assert reason in text
    for answer in (*two.most_wrong, *two.most_uncertain):
        assert f">sample {answer.name}<" in text
    assert ("learning curve" in text) == (two.curve is not None)
    for finding in two.examination.findings:
        assert finding.check in text


def test_the_doctor_and_the_curve_are_shown_where_they_are(nasty):
    text = page(nasty)
    assert "The next 20 labels would likely bring +2.0 points" in text
    order = [text.index(f"level {level}") for level in ("problem", "warning", "note")]
    assert order == sorted(order)
    assert "40 cases" in text


def test_no_name_is_markup(nasty):
    text = page(nasty)
    assert "<img src=x" not in text
    assert text.count("<script") == 2
    assert text.count("</script>") == 2
    assert text.count("</style>") == 1
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "x" * 600 not in text
    assert max(map(len, re.findall(r"<bdi[^>]*>(.*?)</bdi>", text))) < 200


def test_study_json_has_what_the_page_shows(two):
    told = json.loads(json.dumps(two.to_json()))
    assert told["classes"] == {"ants": 12, "bees": 12}
    assert len(told["answers"]) == int(two.handed_over.judged.sum())
    wrong = [a for a in told["answers"] if a["label"] != a["said"]]
    confusion = two.handed_over.scores.confusion()
    assert len(wrong) == int(confusion.sum() - confusion.diagonal().sum())
    assert told["most_wrong"] == sorted(wrong, key=lambda a: a["of_label"])[:12]
    assert told["most_uncertain"][0]["probability"] == min(a["probability"] for a in told["answers"])
    assert told["hashes"]["backbones"].keys() == {r.candidate.backbone.name for r in two.results}
    assert told["setting"]["versions"]["python"]


def test_it_is_written_whole_or_not_at_all(two, tmp_path, monkeypatch):
    target = tmp_path / "new" / "report.html"
    assert two.report(target) == target
    before = target.read_text(encoding="utf-8")
    assert [f.name for f in target.parent.iterdir()] == ["report.html"]

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="No space left") as caught:
        two.report(target)
    assert "\n" not in str(caught.value)
    assert target.read_text(encoding="utf-8") == before
    assert [f.name for f in target.parent.iterdir()] == ["report.html"]


def test_a_path_that_cannot_be_written_is_one_line(two, tmp_path):
    (tmp_path / "file").write_text("")
    for bad in (tmp_path, tmp_path / "file" / "report.html"):
        with pytest.raises(InputError, match="report cannot be written"):
            write(two, bad)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file"]


def test_it_stays_small_with_many_samples(two, monkeypatch):
    """At 5,000 pictures the page has 3 MB at most; the map says how many points have a thumbnail."""
    n = 5200
    times = n // len(two.labelled) + 1
    rows = torch.arange(len(two.labelled)).repeat(times)[:n]
    noise = torch.randint(0, 90, (n, 8, 8), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    kept = two.handed_over
    many = dataclasses.replace(
        two,
        labelled=two.labelled[rows].with_(x=noise, left_out=()),
        handed_over=dataclasses.replace(
            kept, logits=kept.logits[:, rows], expected=kept.expected[rows], judged=kept.judged[rows]
        ),
        made=lambda: (two.model, two.features[rows]),
    )
    text = page(many)
    assert len(text.encode()) < 3_000_000
    assert "5,000 of 5,200 samples are shown" in text
    assert f"{feature_map.MOST_TILES:,} of them have a thumbnail" in text
    held = json.loads(re.search(r'id="map-data">(.*?)</script>', text)[1])
    assert len(held["points"]) == 5000


def test_too_many_classes_for_a_heat_map_are_pairs():
    generator = torch.Generator().manual_seed(0)
    y = torch.arange(180) % 60
    x = torch.randn(60, 6, generator=generator)[y] + torch.randn(180, 6, generator=generator)
    study = compare(
        Problem(target_labelled=Domain(x, [f"c{i}" for i in y.tolist()])), ["NearestMean"], judge=ONCE
    )
    text = page(study)
    assert "20 pairs" in text
    assert 'class="heat"' not in text
    assert "confusion" not in study.to_json()["results"][0]


def test_a_class_that_was_not_judged(two):
    labelled = two.labelled
    lonely = Domain(
        torch.cat([labelled.x, 255 - labelled.x[:1]]), [*labelled.output.decode(labelled.y), "emu"]
    )
    grouped = lonely.with_(group=torch.arange(25))
    study = compare(Problem(target_labelled=grouped), ["NearestMean"], glyphs(), judge=ONCE)
    text = page(study)
    assert "not judged" in text
    assert "25, which folds never split" in text
