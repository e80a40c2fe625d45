"""What every method promises. A new method is tested by being listed in METHODS."""

import dataclasses
from pathlib import Path

import pytest
import torch
from torch.nn.modules.batchnorm import _BatchNorm

import regraft
from regraft.backbones import pyramid, small_mlp, vectors
from regraft.errors import InputError
from regraft.folds import complement, stratified_folds
from regraft.method import Method
from regraft.methods import METHODS
from regraft.methods.across import AcrossDomains
from regraft.methods.features.linear_probe import LinearProbe
from regraft.model_folder import load
from regraft.output import Classes, Mask
from regraft.pretrained_head import PretrainedHead
from regraft.problem import LABELLED, Problem
from regraft.trained import Trained
from regraft.training import Training

QUICK = {"epochs": 1, "least_steps": 12}
POOLED = [name for name, method in METHODS.items() if method.semi]
ACROSS = [name for name, method in METHODS.items() if issubclass(method, AcrossDomains)]


@pytest.fixture(params=METHODS)
def recipe(request) -> Method:
    """The method, trained briefly wherever it trains."""
    method = METHODS[request.param]
    if request.param == "Boosting":
        pytest.importorskip("xgboost")
    if request.param == "LoRA":
        pytest.importorskip("peft")
    if request.param in ("EntropicTransport", "DeepJDOT"):
        pytest.importorskip("ot")
    return method(**QUICK) if issubclass(method, Trained) else method()


def of_masks(recipe: Method) -> bool:
    """Whether it is for masks and nothing else."""
    return recipe.outputs == {Mask.kind}


@pytest.fixture
def problem(recipe, problem, discs, away, network):
    """What the recipe needs: labelled samples of its own, or another's and unlabelled ones that look
    otherwise."""
    if of_masks(recipe):
        return Problem(target_labelled=discs(12, seed=1))
    if "source_model" in recipe.needs:
        model = LinearProbe().fit(Problem(target_labelled=away.source), network)
        return Problem(source_model=model, target=away.target)
    return problem if recipe.needs == {"target_labelled"} else away.only(recipe.needs)


@pytest.fixture
def fresh(recipe, fresh, discs):
    return discs(40, seed=2) if of_masks(recipe) else fresh


@pytest.fixture
def phi(recipe, network, pictures_network, fresh):
    """What the method works on: a pretrained network, with its head or not, an untrained one, columns, or
    a pyramid."""
    if of_masks(recipe):
        return pyramid(pictures_network)
    name = type(recipe).__name__
    if name == "OldHead":
        solved = LinearProbe().fit(Problem(target_labelled=fresh), network).head
        rows = torch.cat([solved.weight, torch.zeros(1, 8)]), torch.cat([solved.bias, torch.tensor([-9.0])])
        network.old_head = PretrainedHead(*rows, ("inner", "outer", "unseen"), "other rings")
    return small_mlp(20) if name == "FromScratch" else vectors() if name == "Boosting" else network


def test_a_fitted_model_says_what_it_should_and_changes_nothing_given(recipe, phi, problem, fresh):
    before, given = recipe.recipe(), phi.fingerprint()
    model = recipe.fit(problem, phi)
    assert recipe.recipe() == before
    with pytest.raises(dataclasses.FrozenInstanceError):
        recipe.seed = 1
    assert phi.fingerprint() == given
    frozen_stages_are_bit_identical(recipe, model, phi)
    if phi.pretrained and len(phi) and type(recipe).__name__ != "AdaptiveBatchNorm":
        batchnorm_keeps_its_statistics(model, phi)
    names = model.predict(fresh)
    assert len(names) == len(fresh)
    told = {name for runs in names for name, _ in runs} if of_masks(recipe) else set(names)
    assert told <= {"inner", "outer"}
    chances = model.probabilities(fresh)
    torch.testing.assert_close(chances.sum(1), torch.ones_like(chances.sum(1)))
    assert chances.min() >= 0


def frozen_stages_are_bit_identical(recipe, model, phi):
    cut = recipe.lowest_trained(phi)
    for kept, given in zip(model.backbone.stages[:cut], phi.stages[:cut], strict=True):
        for name, value in given.state_dict().items():
            assert torch.equal(kept.state_dict()[name], value), name


def batchnorm_keeps_its_statistics(model, phi):
    """Of a pretrained network, whatever of it is trained."""
    norm, given = (next(filter(is_batchnorm, each.modules())) for each in (model.backbone, phi))
    assert torch.equal(norm.running_mean, given.running_mean)
    assert torch.equal(norm.running_var, given.running_var)
    assert norm.num_batches_tracked == given.num_batches_tracked


def is_batchnorm(module):
    return isinstance(module, _BatchNorm)


def test_same_seed_same_bits_and_global_randomness_is_neither_used_nor_moved(recipe, phi, problem, fresh):
    first = recipe.fit(problem, phi, Training(seed=3)).logits(fresh)
    torch.manual_seed(99)
    state = torch.get_rng_state()
    assert torch.equal(recipe.fit(problem, phi, Training(seed=3)).logits(fresh), first)
    assert torch.equal(torch.get_rng_state(), state)


def test_names_what_is_missing(recipe, phi):
    with pytest.raises(InputError, match=rf"needs .*{recipe.taught}"):
        recipe.fit(Problem(), phi)


def test_labels_of_the_unlabelled_cannot_matter(recipe, phi, problem, fresh):
    def fitted(labels):
        pool = fresh.with_(y=labels).unlabelled()
        given = dataclasses.replace(problem, unlabelled=pool)
        if "target" in recipe.needs:
            given = dataclasses.replace(given, target=pool)
        return recipe.fit(given, phi).logits(fresh)

    assert torch.equal(fitted(fresh.y), fitted(fresh.y.flip(0)))


@pytest.mark.parametrize("name", POOLED)
def test_a_pool_is_a_target_whose_source_are_the_labelled_samples(name, away, network):
    """To the bit; who made the model is told by what was given."""
    method = METHODS[name]
    recipe = method(**QUICK) if issubclass(method, Trained) else method()
    pool = Problem(target_labelled=away.source, unlabelled=away.target)
    semi = recipe.fit(pool, network)
    across = recipe.fit(away.only(recipe.needs), network)
    assert torch.equal(semi.logits(away.target), across.logits(away.target))
    assert semi.provenance["samples"] == {"target_labelled": 60, "unlabelled": 52}
    rows = torch.arange(0, 60, 3)
    [model] = recipe.fit_without([rows], pool, network, Training())
    alone = recipe.fit(pool.restricted(complement(rows, 60)), network)
    assert torch.equal(model.logits(away.target), alone.logits(away.target))


@pytest.mark.filterwarnings("ignore:.*the folder holds all of it")
def test_survives_saving_with_and_without_the_network_it_was_given(recipe, phi, problem, fresh, tmp_path):
    model = recipe.fit(problem, phi)
    module = phi if phi.spec["loader"] in ("module", "pyramid") else None
    whole = load(model.save(tmp_path / "whole"), backbone=module)
    thin = load(model.save(tmp_path / "thin", on=phi), backbone=phi)
    for again in (whole, thin):
        assert torch.equal(again.logits(fresh), model.logits(fresh))
        assert again.provenance == model.provenance


def test_fits_for_folds_are_fits_without_them(recipe, phi, problem, fresh):
    if "target_labelled" not in recipe.needs:
        pytest.skip("learns nothing of what is held out")
    labelled = problem.target_labelled
    held_out = stratified_folds(labelled, 2, seed=0)
    models = recipe.fit_without(held_out, problem, phi, Training())
    for rows, model in zip(held_out, models, strict=True):
        alone = recipe.fit(problem.restricted(complement(rows, len(labelled))), phi)
        torch.testing.assert_close(model.probabilities(fresh), alone.probabilities(fresh), atol=2e-3, rtol=0)


@pytest.mark.parametrize("at", [7, *(pytest.param(at, marks=pytest.mark.slow) for at in (1, 4, 11))])
def test_killed_and_resumed_is_the_same_model(recipe, phi, problem, fresh, tmp_path, killer, at):
    if not isinstance(recipe, Trained):
        pytest.skip("closed form")
    whole = recipe.fit(problem, phi).logits(fresh)
    with pytest.raises(killer.Killed):
        recipe.fit(problem, phi, Training(checkpoints=tmp_path, save_every=0, progress=killer(at)))
    assert len(list(tmp_path.glob("*.safetensors"))) == 1
    resumed = recipe.fit(problem, phi, Training(checkpoints=tmp_path, save_every=0))
    assert torch.equal(resumed.logits(fresh), whole)
    # what is finished is not trained again, in however many trainings
    known = QUICK["least_steps"] * len(list(tmp_path.glob("*.safetensors")))
    again = recipe.fit(problem, phi, Training(checkpoints=tmp_path, progress=killer(known)))
    assert torch.equal(again.logits(fresh), whole)


def test_a_class_without_samples_is_hardly_ever_predicted(recipe, phi, fresh):
    three = (Mask if of_masks(recipe) else Classes)(("inner", "outer", "unseen"))
    few = fresh[:30].with_(output=three)
    given = {role: few if role in LABELLED else few.unlabelled() for role in recipe.needs}
    if "source_model" in given:
        given["source_model"] = LinearProbe().fit(Problem(target_labelled=few), phi)
    chances = recipe.fit(Problem(**given), phi).probabilities(fresh)
    assert (chances[:, 2] < 0.5).all()


@pytest.mark.parametrize("name", ACROSS)
def test_without_its_terms_of_the_target_it_is_the_source_alone(name, away, network):
    """To the bit, of a pretrained network and of an untrained one, and whatever the target holds."""
    method = METHODS[name]
    off = method(**QUICK, **({method.weighted: 0.0} if method.weighted else {}))
    assert off.weight == 0
    given = away.only(off.needs)
    other = given.having("target", given.target.with_(x=-given.target.x))
    for phi in (network, small_mlp(20)):
        alone = METHODS["SourceTuned"](**QUICK).fit(given, phi).logits(away.source)
        assert torch.equal(off.fit(other, phi).logits(away.source), alone)


def test_every_hyper_parameter_explains_itself(recipe):
    for f in dataclasses.fields(recipe):
        assert f.metadata["help"], f.name
        assert f.default in f.metadata["search"], f.name


def test_says_what_it_does_and_who_found_it(recipe):
    assert recipe.objective_line()
    assert any(c.isdigit() for c in recipe.reference)
    assert recipe.map
    assert all(row[0] in "MN" and row[1:].isdigit() for row in recipe.map)
    assert ">>>" in type(recipe).__doc__


def test_is_final(recipe):
    assert type(recipe).__final__
    assert not type(recipe).__subclasses__()


def test_every_file_is_listed_and_tested():
    root = Path(regraft.__file__).parent / "methods"
    files = {p.relative_to(root) for p in root.glob("*/*.py") if "@final" in p.read_text()}
    listed = {Path(*m.__module__.split(".")[-2:]).with_suffix(".py") for m in METHODS.values()}
    assert files == listed
    tests = Path(__file__).parent / "methods"
    assert {f for f in files if not (tests / f.parent / f"test_{f.name}").is_file()} == set()
