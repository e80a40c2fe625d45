import json

import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter

from regraft.backbones import glyphs
from regraft.domain import Domain
from regraft.errors import InputError
from regraft.readers import read_images, read_table
from regraft.report.shift import page
from regraft.shift import measure_shift


def vectors(n, seed, moved=0.0):
    x = torch.randn(n, 4, generator=torch.Generator().manual_seed(seed))
    y = ["owl" if v > 0 else "crow" for v in x[:, 1].tolist()]
    return Domain(x + torch.tensor([moved, 0.0, 0.0, 0.0]), y)


@pytest.fixture(scope="module")
def three():
    domains = {"lab": vectors(60, 0), "again": vectors(60, 1), "<b>field": vectors(60, 2, 3.0)}
    return measure_shift({name: d if name == "lab" else d.unlabelled() for name, d in domains.items()})


def test_the_matrix_is_symmetric_with_a_zero_diagonal(three):
    matrix = torch.tensor(three.discrepancy)
    assert torch.equal(matrix, matrix.T)
    assert torch.equal(matrix.diagonal(), torch.zeros(3))
    assert matrix[0, 2] > 0.7 > 0.3 > matrix[0, 1]
    assert three.ways["lab", "again"].effective > three.ways["lab", "<b>field"].effective


def test_what_is_printed_and_written(three):
    told = str(three)
    assert "tells <b>field from lab" in told
    assert "is not proven to tell again from lab" in told
    assert "<b>field has a larger column 0" in told
    saved = json.loads(json.dumps(three.to_json()))
    assert saved["pairs"][0]["differences"][0].keys() >= {"what", "first", "second", "p", "sure"}
    html = page(three)
    assert "&lt;b&gt;field" in html
    assert "<b>field" not in html
    assert "style=" not in html
    assert "default-src" in html


def test_labels_of_an_unlabelled_domain_play_no_part():
    lab, field = vectors(40, 0), vectors(40, 1, 1.0)
    one, other = (
        measure_shift({"lab": lab, "field": Domain(field.x, y).unlabelled()}).to_json()
        for y in (field.y, field.y.flip(0))
    )
    assert one == other


def test_the_bound_needs_labels_of_both():
    domains = {"lab": vectors(60, 0), "field": vectors(60, 1, 0.5)}
    found = measure_shift(domains)
    assert found.ways["lab", "field"].bound is not None
    assert "The bound" in page(found)
    half = measure_shift({**domains, "field": domains["field"].unlabelled()})
    assert half.ways["lab", "field"].bound is None
    assert half.ways["lab", "field"].labels is not None
    assert half.ways["field", "lab"].labels is None


def test_copies_are_counted_and_held_out_together():
    x = vectors(30, 0).x
    found = measure_shift({"lab": Domain(x), "copy": Domain(x.flip(0))})
    pair = found.pair("copy", "lab")
    assert pair.shared == 30
    assert pair.apart.auc.value == pytest.approx(0.5)
    assert "30 samples of lab are in copy too" in str(found)


def pictures(folder, seed, change=lambda image: image, **saved):
    random = np.random.default_rng(seed)
    folder.mkdir()
    for i in range(14):
        rough = random.integers(60, 256, (24, 32, 3), dtype=np.uint8)
        photo = Image.fromarray(rough).resize((64, 48), Image.Resampling.BICUBIC)
        change(photo).save(folder / f"{i}.{saved.get('format', 'png').lower()}", **saved)
    return read_images(folder, labelled=False)


def test_a_darkened_copy_is_told_to_be_darker(tmp_path):
    lab = pictures(tmp_path / "lab", 0)
    dark = pictures(tmp_path / "dark", 1, lambda image: image.point(lambda v: v // 2))
    found = measure_shift({"lab": lab, "dark": dark}, glyphs())
    first = found.pair("lab", "dark").sure[0]
    assert first.noun == "brightness"
    said = str(found)
    assert "dark is darker: brightness" in said
    assert "all of the pictures of lab are brighter than the typical one of dark" in said
    assert "sharper" not in said


def test_format_quality_size_blur_and_camera_are_told(tmp_path):
    exif = Image.Exif()
    exif[271], exif[272] = "Canon", "Canon EOS 5D"
    lab = pictures(tmp_path / "lab", 0)
    field = pictures(
        tmp_path / "field",
        1,
        lambda image: (
            image.filter(ImageFilter.GaussianBlur(3)).resize((32, 24), Image.Resampling.BILINEAR).convert("L")
        ),
        format="JPEG",
        quality=40,
        exif=exif,
    )
    found = measure_shift({"lab": lab, "field": field}, glyphs())
    told = {(d.noun, d.kind): d for d in found.pair("lab", "field").sure}
    assert told["shorter side in pixels", None].second == 24
    assert told["sharpness", None].larger.value < 0.1
    assert told["camera", "Canon EOS 5D"].second == 1 or told["camera", "not told"].second == 0
    assert {kind for noun, kind in told if noun == "file format"} <= {"PNG", "JPEG"}
    assert any(noun == "file format" for noun, _ in told)
    assert told["colour", "grey"].second == 1 or told["colour", "any"].second == 0


def test_tables_are_told_by_column(tmp_path):
    def written(name, seed, moved, share, order):
        random = np.random.default_rng(seed)
        rows = [
            {
                "size": f"{random.normal(moved):.3f}" if random.random() > 0.1 else "",
                "colour": "red" if random.random() < share else "blue",
                "weight": f"{random.normal():.3f}",
            }
            for _ in range(80)
        ]
        lines = [",".join(order), *(",".join(row[c] for c in order) for row in rows)]
        (tmp_path / name).write_text("\n".join(lines))
        return read_table(tmp_path / name, labelled=False)

    lab = written("lab.csv", 0, 0.0, 0.2, ("size", "colour", "weight"))
    field = written("field.csv", 1, 2.0, 0.9, ("colour", "weight", "size"))
    found = measure_shift({"lab": lab, "field": field})
    pair = found.pair("lab", "field")
    assert {(d.noun, d.kind is None) for d in pair.sure} == {("'size'", True), ("'colour'", False)}
    assert "field has a larger 'size'" in str(found)


@pytest.mark.parametrize(
    ("others", "told"),
    [
        ({}, "1 domain given"),
        ({"field": Domain(torch.zeros(3, 4))}, "field has 3 samples"),
        ({"field": Domain(torch.zeros(30, 5))}, "as many columns"),
        ({"field": Domain(torch.zeros(30, 8, 8, dtype=torch.uint8))}, "samples of one kind"),
        ({"field": Domain(torch.zeros(30, 4), group=["one"] * 30)}, "are of one group"),
    ],
)
def test_what_cannot_be_compared_is_said(others, told):
    with pytest.raises(InputError, match=told):
        measure_shift({"lab": vectors(30, 0), **others})
