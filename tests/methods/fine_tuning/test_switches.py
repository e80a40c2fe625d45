"""Switches of every trained recipe: shape, the rate that is found, averages, changed pictures, views."""

import pytest
import torch
from torch import nn

from regraft.augmentation import NUMBERS, Augmentation
from regraft.backbone import Backbone
from regraft.domain import Domain
from regraft.engine import Engine
from regraft.errors import InputError
from regraft.features import behind, embed, with_views
from regraft.method import Method
from regraft.methods.features.mlp_head import MLPHead
from regraft.methods.fine_tuning.fine_tune import FineTune
from regraft.methods.fine_tuning.flextuning import Flextuning
from regraft.methods.fine_tuning.frozen_layers import FrozenLayers
from regraft.methods.fine_tuning.reuse_depth import ReuseDepth
from regraft.preprocessing.images import ImagePreprocessing
from regraft.problem import Problem
from regraft.seeds import seed_of
from regraft.training import Training

QUICK = {"epochs": 1, "least_steps": 6, "batch_size": 8}
CHANGES = {"crop": 0.4, "flip": True, "colour": 0.3}


@pytest.fixture
def eyes() -> Backbone:
    """Three stages that see pictures of 8 × 8 pixels."""
    torch.manual_seed(3)
    rule = ImagePreprocessing((8, 8), crop_fraction=1.0)
    return Backbone(
        [
            ("stem", nn.Sequential(rule.first_stage(), nn.Conv2d(3, 4, 3, 2), nn.ReLU())),
            ("middle", nn.Sequential(nn.Conv2d(4, 6, 3), nn.BatchNorm2d(6), nn.ReLU())),
            ("top", nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 5))),
        ],
        rule,
        name="eyes",
    )


@pytest.fixture
def scenes() -> Problem:
    """Twenty pictures of two classes that differ by brightness."""
    generator = torch.Generator().manual_seed(1)
    x = torch.randint(0, 120, (20, 10, 12, 3), dtype=torch.uint8, generator=generator)
    x[10:] += 80
    return Problem(target_labelled=Domain(x, ["dark"] * 10 + ["light"] * 10))


def same(one, other):
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.parametrize(
    "switch",
    [
        {"shape": "one cycle"},
        {"find_rate": True},
        {"moving_average": 0.5},
        {"crop": 0.4},
        {"flip": True},
        {"colour": 0.3},
    ],
    ids=str,
)
def test_a_switch_changes_what_is_trained_and_a_seed_gives_the_same_bits(eyes, scenes, switch):
    plain = FineTune(**QUICK, held_out=0.0, head_first=0.0).fit(scenes, eyes)
    one, other = (
        FineTune(**QUICK, held_out=0.0, head_first=0.0, **switch).fit(scenes, eyes) for _ in range(2)
    )
    assert same(one, other)
    assert not same(one, plain)


@pytest.mark.parametrize(
    "recipe",
    [
        FineTune(**QUICK, **CHANGES, find_rate=True, moving_average=0.5, shape="one cycle"),
        FrozenLayers(**QUICK, **CHANGES, views=3, trained=2),
    ],
    ids=["all", "views"],
)
@pytest.mark.parametrize("channels_last", [False, True])
def test_a_run_that_was_stopped_goes_on_to_the_same_bits(
    eyes, scenes, tmp_path, killer, recipe, channels_last
):
    engine = Engine(channels_last=channels_last)
    how = {"step_engine": engine, "checkpoints": tmp_path, "save_every": 0}
    whole = recipe.fit(scenes, eyes, Training(step_engine=engine))
    with pytest.raises(killer.Killed):
        recipe.fit(scenes, eyes, Training(**how, progress=killer(3)))
    assert len(list(tmp_path.iterdir())) == 1
    assert same(recipe.fit(scenes, eyes, Training(**how)), whole)


def test_statistics_and_frozen_stages_stand_still_under_all_switches(eyes, scenes):
    recipe = FrozenLayers(**QUICK, **CHANGES, views=2, trained=2, moving_average=0.5, held_out=0.0)
    model = recipe.fit(scenes, eyes)
    assert same(model.backbone.stages[0], eyes.stages[0])
    assert torch.equal(model.backbone.stages[1][1].running_mean, eyes.stages[1][1].running_mean)
    assert not same(model.backbone.stages[1], eyes.stages[1])


def test_the_rate_that_is_found_is_that_of_the_curve_and_is_told(eyes, scenes):
    recipe = FineTune(**QUICK, held_out=0.0, find_rate=True)
    before = eyes.fingerprint()
    curve = recipe.rate_curve(scenes, eyes)
    assert eyes.fingerprint() == before
    told = recipe.fit(scenes, eyes).provenance
    assert told["rate_factor"] == pytest.approx(curve.suggested / recipe.rate)
    assert told["schedule"]["head_rate"] == pytest.approx(curve.suggested)
    assert told["schedule"]["stage_rate"] == pytest.approx(curve.suggested * recipe.stage_rate / recipe.rate)


def test_the_shape_is_in_the_timetable(eyes, scenes):
    recipe = Flextuning(**QUICK, shape="one cycle", held_out=0.0)
    assert recipe.fit(scenes, eyes).provenance["schedule"]["shape"] == "one cycle"
    assert FineTune(shape="one cycle").timetable(eyes).shape == "one cycle"


def test_views_are_the_frozen_part_over_changed_pixels(eyes, scenes):
    change = Augmentation(0.4, True, 0.3)
    prefix, _ = eyes.cut(2)
    d = scenes.target_labelled
    seen = with_views(prefix, d, change, 3, seed=5)
    assert seen.views.shape == (20, 3, 6, 1, 1)
    assert torch.equal(seen.x, embed(prefix, d).x)
    pixels = eyes.preprocessing(d.x)
    from regraft.samples import digests

    name = digests(pixels)[7].hex()
    u = torch.rand(NUMBERS, generator=torch.Generator().manual_seed(seed_of(5, "view", 2, name)))
    expected = prefix(change(pixels[7:8], u[None]))
    torch.testing.assert_close(seen.views[7, 2], expected[0].detach())


def test_views_of_a_sample_do_not_depend_on_the_others_nor_on_the_number_of_cuts(eyes, scenes):
    change, d = Augmentation(0.4), scenes.target_labelled
    prefix, _ = eyes.cut(2)
    whole = with_views(prefix, d, change, 2, seed=0)
    part = with_views(prefix, d[[3, 12]], change, 2, seed=0)
    torch.testing.assert_close(whole.views[[3, 12]], part.views)
    first, second = eyes[:1], eyes.cut(1)[1][:1]
    stepwise = behind(second, with_views(first, d, change, 2, seed=0))
    torch.testing.assert_close(stepwise.views, whole.views)


def test_a_step_draws_one_of_the_views(eyes, scenes):
    seen: list[torch.Tensor] = []

    class Watching(nn.Module):
        def forward(self, x):
            seen.append(x.detach().flatten(1))
            return x

    watched = Backbone([*zip(eyes.names, eyes.stages, strict=True)], eyes.preprocessing, name="watched")
    watched.stages[2] = nn.Sequential(Watching(), eyes.stages[2])
    recipe = FrozenLayers(**QUICK, **CHANGES, views=3, held_out=0.0)
    views = with_views(eyes[:2], scenes.target_labelled, recipe.augmentation, 3, seed=0).views.flatten(2)
    recipe.fit(scenes, watched)
    steps = [x for x in seen if len(x) == 8]
    assert len(steps) == 6
    found = set()
    for x in steps:
        apart = (x[:, None, None] - views).abs().amax(3)
        assert apart.flatten(1).amin(1).max() < 1e-5
        found |= {int(i) % 3 for i in apart.flatten(1).argmin(1)}
    assert found == {0, 1, 2}


@pytest.mark.parametrize("recipe", [FrozenLayers(crop=0.5), MLPHead(flip=True), FrozenLayers(colour=0.2)])
def test_without_views_nothing_is_changed_behind_frozen_stages(eyes, scenes, recipe):
    with pytest.raises(InputError, match=r"behind frozen stages keep changed copies, such as views=4"):
        recipe.fit(scenes, eyes)


@pytest.mark.parametrize("recipe", [FineTune(crop=0.5), MLPHead(flip=True, views=2)])
def test_what_is_no_picture_is_not_cropped(problem, network, recipe):
    with pytest.raises(InputError, match=r"change pictures, and .*(24|30) vectors of 20 numbers"):
        recipe.fit(problem, network)


@pytest.mark.parametrize(
    "recipe",
    [
        MLPHead(**QUICK, **CHANGES, views=2),
        Flextuning(**QUICK, **CHANGES, views=2),
        ReuseDepth(**QUICK, **CHANGES, views=2, deepest=2),
        ReuseDepth(**QUICK, **CHANGES, views=2, deepest=3),
    ],
    ids=["head alone", "one stage", "to the second stage", "to the first"],
)
def test_recipes_of_every_kind_take_views(eyes, scenes, recipe):
    assert set(recipe.fit(scenes, eyes).predict(scenes.target_labelled)) <= {"dark", "light"}


def test_comparing_is_fitting_with_views_too(eyes, scenes):
    from regraft.candidates import Candidate
    from regraft.features import Store
    from regraft.selection.entries import Entry

    recipe: Method = FrozenLayers(**QUICK, **CHANGES, views=2)
    entry = Entry.at_the_cut(Candidate(recipe, eyes, ""), scenes, Store(), Training())
    x = entry.labelled.x
    fitted, whole = entry.fitted(), recipe.fit(scenes, eyes)
    torch.testing.assert_close(fitted.logits(x), whole.logits(scenes.target_labelled.x))
