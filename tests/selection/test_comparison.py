import dataclasses
import json

import pytest
import torch

from regraft.domain import Domain
from regraft.errors import InputError
from regraft.features import Store
from regraft.methods import METHODS
from regraft.model_folder import load
from regraft.planner import plan
from regraft.problem import Problem
from regraft.selection import CrossValidation, compare, evaluate
from regraft.selection.budget import seconds_to_fit
from regraft.selection.entries import Entry
from regraft.selection.judging import judged
from regraft.training import Training

ONCE = CrossValidation(repeats=1)  # where it does not matter how sure a number is


def test_a_transfer_that_helps_is_handed_over(network, problem, fresh):
    study = compare(problem, judge=ONCE, backbone=network)
    assert study.transfer.outcome == "helps"
    assert study.handed_over.candidate.borrows
    assert evaluate(study.model, fresh).value("accuracy") > 0.8
    assert "Transfer helps" in str(study)


def test_a_transfer_that_does_not_is_refused(problem, fresh):
    """The same comparison behind a network that knows nothing of rings."""
    from torch import nn

    from regraft.backbone import Backbone

    useless = Backbone([("noise", nn.Sequential(nn.Linear(20, 3), nn.Tanh()))], name="noise")
    study = compare(problem, judge=ONCE, backbone=useless)
    assert study.transfer.outcome != "helps"
    assert not study.handed_over.candidate.borrows
    assert study.model.backbone.name == "columns"


def test_the_best_may_be_asked_for_unproven(network, problem):
    """Five labels prove nothing; who wants the best score all the same gets it, and is told."""
    few = problem.restricted(torch.arange(5))
    proven, best = (compare(few, judge=ONCE, backbone=network, hand_over=rule) for rule in ("proven", "best"))
    assert proven.transfer.outcome == "no evidence"
    assert not proven.handed_over.candidate.borrows
    assert not proven.unproven
    assert "--hand-over best" in str(proven)
    assert best.handed_over is best.winner
    assert best.handed_over.candidate.borrows
    assert best.unproven
    assert "Handed over, as you asked: " in str(best)
    assert best.model.provenance["study"]["unproven"]
    with pytest.raises(InputError, match="proven, best"):
        compare(few, judge=ONCE, backbone=network, hand_over="luck")


def test_shuffled_labels_show_no_transfer(network, problem):
    labelled = problem.target_labelled
    order = torch.randperm(len(labelled), generator=torch.Generator().manual_seed(5))
    study = compare(Problem(target_labelled=labelled.with_(y=labelled.y[order])), backbone=network)
    assert study.transfer.outcome == "no evidence"


def test_the_model_is_refitted_on_all_labels(network, problem):
    study = compare(problem, judge=ONCE, backbone=network)
    assert study.model.provenance["samples"]["target_labelled"] == len(problem.target_labelled)
    recipe = study.handed_over.candidate.method
    direct = recipe.fit(problem, network)
    torch.testing.assert_close(
        study.model.logits(problem.target_labelled), direct.logits(problem.target_labelled)
    )


def test_what_is_judged_is_what_fit_does_without_the_fold(network, problem):
    """The cut, the store and the folds together give what fitting by hand on the raw samples gives."""
    candidate = plan(problem, backbone=network, methods=["FrozenLayers"]).candidates[-1]
    candidate = dataclasses.replace(candidate, method=METHODS["FrozenLayers"](epochs=1, least_steps=5))
    splits = CrossValidation(repeats=1).splits(problem.target_labelled)
    entry = Entry.at_the_cut(candidate, problem, Store(), Training())
    assert len(entry.suffix) == 1
    scores = judged(entry, splits).scores
    right = torch.zeros(len(problem.target_labelled))
    for rows in splits[0]:
        kept = torch.tensor([i for i in range(len(right)) if i not in rows.tolist()])
        model = candidate.method.fit(problem.restricted(kept), network)
        right[rows] = (
            model.logits(problem.target_labelled[rows]).argmax(1) == problem.target_labelled.y[rows]
        ).float()
    assert torch.equal(scores.correct, right)


def test_labels_of_the_held_out_fold_change_no_bit_of_its_prediction(network, problem, monkeypatch):
    labelled = problem.target_labelled
    splits = CrossValidation(repeats=1).splits(labelled)
    first = splits[0][0]
    swapped = labelled.y.clone()
    swapped[first] = 1 - swapped[first]

    seen_by_scores = []
    from regraft.selection import judging

    scores_of = judging.scores_of
    monkeypatch.setattr(
        judging, "scores_of", lambda p, *more: seen_by_scores.append(p.clone()) or scores_of(p, *more)
    )
    candidate = plan(problem, backbone=network).candidates[-1]
    for y in (labelled.y, swapped):
        other = Problem(target_labelled=labelled.with_(y=y))
        judged(Entry.at_the_cut(candidate, other, Store(), Training()), splits)
    assert torch.equal(seen_by_scores[0][0, first], seen_by_scores[1][0, first])


def test_features_are_computed_once(network, problem):
    store = Store()
    compare(problem, judge=ONCE, backbone=network, store=store)
    assert store.computed == len(problem.target_labelled)


def test_groups_stay_together(network, problem):
    labelled = problem.target_labelled.with_(group=torch.arange(30) // 3)
    study = compare(Problem(target_labelled=labelled), judge=ONCE, backbone=network)
    assert "by group" in study.judge


def test_a_class_with_one_sample_does_not_crash_it(network, problem):
    labelled = problem.target_labelled
    lonely = Domain(torch.cat([labelled.x, torch.ones(1, 20)]), [*labelled.output.decode(labelled.y), "emu"])
    study = compare(Problem(target_labelled=lonely), judge=ONCE, backbone=network)
    assert study.results[0].scores.recalls()["emu"] is None
    assert "emu" in study.model.output.names
    assert "emu" in json.dumps(study.to_json())


def test_fine_tuning_must_beat_the_probe(network, problem):
    useless = METHODS["FineTune"](rate=0.0, stage_rate=0.0, least_steps=2, held_out=0.0)
    study = compare(problem, ["LinearProbe", useless], network)
    assert study.tuning is not None
    assert study.tuning.outcome != "helps"
    assert not study.handed_over.candidate.tunes


def test_what_does_not_fit_the_budget_is_left_out(network, problem):
    slow = METHODS["FineTune"](least_steps=1_000_000)
    study = compare(problem, ["LinearProbe", slow], network, budget=5)
    assert any("budget" in reason for name, reason in study.left_out if name.startswith("FineTune"))
    assert study.tuning is None


@pytest.mark.parametrize("clock", [[0, 0, 1, 5, 6, 8], [0, 0, 0, 9, 10, 11]])
def test_no_clock_makes_a_step_cost_nothing(network, problem, monkeypatch, clock):
    """Seconds of a brief fit, then of one with three steps more, which may seem to be quicker."""
    ticks = iter(clock)
    monkeypatch.setattr("regraft.selection.budget.time.perf_counter", lambda: next(ticks))
    method = METHODS["FineTune"](least_steps=1000)
    needed = seconds_to_fit(method, problem, network, Training())
    brief, longer = clock[3] - clock[2], clock[5] - clock[4]
    assert needed == pytest.approx(1000 * max((longer - brief) / 3, longer / 40))
    assert needed > 0


def test_the_table_has_every_candidate_and_the_criterion(network, problem):
    study = compare(problem, judge=ONCE, backbone=network, metric="balanced-accuracy")
    shown = str(study)
    for result in study.results:
        assert result.candidate.name in shown
    assert "Majority" in shown
    assert study.judge in shown
    assert "chosen by balanced accuracy" in shown


def test_the_expected_score_allows_for_having_been_picked(network, problem):
    study = compare(problem, judge=ONCE, backbone=network)
    assert 0 < study.expected.low <= study.expected.value <= study.expected.high <= 1
    assert study.expected.value <= study.handed_over.scores.value("accuracy") + 0.01
    assert study.to_json()["expected"]["by"] == "bootstrap bias-corrected cross-validation"
    assert "Expected on new samples: " in str(study)


def test_saves_only_what_differs_from_what_was_borrowed(network, problem, fresh, tmp_path):
    study = compare(problem, judge=ONCE, backbone=network)
    folder = study.save(tmp_path / "thin", thin=True)
    assert {file.name for file in folder.iterdir()} >= {"study.json", "weights.safetensors"}
    assert torch.equal(load(folder, backbone=network).logits(fresh), study.model.logits(fresh))
    with pytest.raises(InputError, match="only what differs from rings"):
        load(folder)


def test_saves_the_model_with_the_study(network, problem, tmp_path):
    study = compare(problem, judge=ONCE, backbone=network)
    study.save(tmp_path / "rings")
    told = json.loads((tmp_path / "rings" / "study.json").read_text())
    assert told["handed_over"] == study.handed_over.candidate.name
    assert told["results"][0]["accuracy"]["low"] <= told["results"][0]["accuracy"]["value"]
    again = load(tmp_path / "rings", backbone=network)
    assert again.provenance["study"]["verdict"]["outcome"] == "helps"


def test_same_seed_same_study(network, problem):
    one, two = (compare(problem, judge=ONCE, backbone=network).to_json() for _ in range(2))
    for told in (one, two):
        told.pop("seconds")
        for row in told["results"]:
            row.pop("seconds")
    assert one == two


@pytest.mark.parametrize("kind", ["vectors", "table"])
def test_other_kinds_of_samples(kind, tmp_path):
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(40, 2, generator=generator)
    names = ["low" if v < 0.5 else "high" for v in x[:, 0]]
    if kind == "vectors":
        domain = Domain(x, names)
    else:
        from regraft.readers import read_table

        lines = [
            f"{a:.3f},{'red' if b < 0.5 else ''},{n}" for (a, b), n in zip(x.tolist(), names, strict=True)
        ]
        (tmp_path / "t.csv").write_text("\n".join(["size,colour,label", *lines]))
        domain = read_table(tmp_path / "t.csv")
    study = compare(Problem(target_labelled=domain), judge=ONCE)
    assert study.transfer is None
    assert study.handed_over.scores.value("accuracy") > 0.8
    study.save(tmp_path / "model")
    assert load(tmp_path / "model").predict(domain) == study.model.predict(domain)


def test_every_reading_of_a_test_set_is_noted(network, problem, fresh, tmp_path):
    one, two = (compare(problem, judge=ONCE, backbone=network) for _ in range(2))
    assert one.read_test(fresh, tmp_path).value("accuracy") == evaluate(one.model, fresh).value("accuracy")
    assert "read for the first time" in str(one)
    order = torch.randperm(len(fresh))
    two.read_test(fresh[order], tmp_path)  # the same samples in another order
    assert "read 2 times" in str(two)
    told = two.to_json()["test_readings"]
    assert [reading["score"] for reading in told] == pytest.approx([one.test.value("accuracy")] * 2)
    two.read_test(fresh[order[1:]], tmp_path)  # others
    assert len(two.readings) == 1
    two.read_test(fresh)
    assert "readings not recorded" in str(two)


def test_a_torn_line_hides_no_reading(network, problem, fresh, tmp_path):
    study = compare(problem, judge=ONCE, backbone=network)
    study.read_test(fresh, tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_text(file.read_text() + '{"test": "x", "wh')
    study.read_test(fresh, tmp_path)
    study.read_test(fresh, tmp_path)
    assert len(study.readings) == 3


def test_what_was_fitted_is_not_tested_on(network, problem, fresh, tmp_path):
    study = compare(problem, judge=ONCE, backbone=network)
    mixed = Domain(
        torch.cat([fresh.x, problem.target_labelled.x[:7]]),
        [
            *fresh.classes.decode(fresh.y),
            *problem.target_labelled.classes.decode(problem.target_labelled.y[:7]),
        ],
    )
    study.read_test(mixed)
    assert len(study.test.y) == len(fresh)
    assert f"left out of the test: 7 of {len(mixed)} samples, copies of labelled ones" in str(study)
    with pytest.raises(InputError, match="every test sample is among the labelled ones"):
        study.read_test(problem.target_labelled)


def pictures(rows):
    """Soft pictures by number, the even ones of one class and brighter; equal where the numbers are."""
    rough = torch.randint(0, 200, (40, 3, 5, 5), generator=torch.Generator().manual_seed(0)).float()
    rough[::2] += 40
    fine = torch.nn.functional.interpolate(rough, size=(40, 40), mode="bilinear").byte().permute(0, 2, 3, 1)
    return Domain(fine[rows].contiguous(), ["light" if i % 2 == 0 else "dark" for i in rows])


def test_copies_of_a_picture_are_on_one_side_of_every_fold(monkeypatch):
    held_out = []
    splits = CrossValidation.splits

    def watched(judge, labelled, trained=False):
        made = splits(judge, labelled, trained)
        held_out.extend(rows for repeat in made for rows in repeat)
        return made

    monkeypatch.setattr(CrossValidation, "splits", watched)
    labelled = pictures([*range(20), 3, 3, 8])
    labelled = labelled.with_(x=torch.cat([labelled.x[:-1], labelled.x[-1:] // 2]))  # a darker copy
    study = compare(Problem(target_labelled=labelled), judge=ONCE, backbone="glyphs")
    assert all(
        sum(i in rows for i in (3, 20, 21)) in (0, 3) for rows in map(set, map(torch.Tensor.tolist, held_out))
    )
    assert all(
        sum(i in rows for i in (8, 22)) in (0, 2) for rows in map(set, map(torch.Tensor.tolist, held_out))
    )
    assert held_out
    assert "by group" in study.judge
    assert {f.check for f in study.examination.findings} >= {"duplicates", "near duplicates"}
    assert "Data: warning: labelled: 2 pictures show 1 thing" in str(study)
    assert study.to_json()["examination"]["findings"]


def test_without_copies_nothing_is_grouped():
    study = compare(Problem(target_labelled=pictures(range(20))), backbone="glyphs")
    assert study.labelled.group is None
    assert "by group" not in study.judge


def test_equal_rows_of_numbers_are_not_grouped(network, problem):
    labelled = problem.target_labelled[[*range(30), 0, 1]]
    study = compare(Problem(target_labelled=labelled), judge=ONCE, backbone=network)
    assert study.labelled.group is None
    assert "duplicates" in [f.check for f in study.examination.findings]
    assert "duplicates" not in [f.check for f in study.examination.urgent]


def test_what_a_source_teaches_is_for_adapt(problem):
    labelled = problem.target_labelled
    given = Problem(target_labelled=labelled, source=labelled, target=labelled.unlabelled())
    with pytest.raises(InputError, match="CORAL learns from a source"):
        compare(given, ["CORAL"])
