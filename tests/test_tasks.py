"""Many tasks, of which few are labelled."""

import pytest
import scipy.optimize
import torch

from regraft.backbones import vectors
from regraft.domain import Domain
from regraft.errors import InputError
from regraft.methods.features.learners import learner_of
from regraft.model_folder import load
from regraft.pooling import pooled
from regraft.tasks import learn_tasks, tasks_worth_labelling
from regraft.training import Training


def turned(degrees, n, seed, labelled=True):
    """Two classes on either side of a line, which turns with the task, as the cloud of samples moves."""
    luck = torch.Generator().manual_seed(seed)
    angle = torch.tensor(degrees * torch.pi / 180)
    across, along = torch.stack([angle.cos(), angle.sin()]), torch.stack([-angle.sin(), angle.cos()])
    y = torch.arange(n) % 2
    x = (2.0 * y - 1)[:, None] * across + 0.8 * torch.randn(n, 2, generator=luck) + 3 * along
    return Domain(x, ["owl" if c else "crow" for c in y.tolist()] if labelled else None)


@pytest.fixture(scope="module")
def tasks():
    given = {f"{d}": turned(d, 30, d) for d in (0, 40, 180, 220)}
    return given | {f"{d}": turned(d, 200, d, labelled=False) for d in (20, 200)}


def accuracy(model, degrees):
    fresh = turned(degrees, 2000, 999)
    return (model.logits(fresh.x).argmax(1) == fresh.y).double().mean().item()


def test_beats_all_tasks_together_and_the_nearest_one(tasks):
    ours, nearest = (learn_tasks(tasks, strength=s) for s in (3.0, 0.0))
    labelled = pooled({name: d for name, d in tasks.items() if d.y is not None})
    network = ours.models["20"].backbone
    z = network(network.preprocessing(labelled.x)).double()
    head = learner_of("probe", labelled.asked).head(labelled.with_(x=z), Training())
    for d in (20, 200):
        assert set(ours.weights(str(d))) == {f"{d - 20}", f"{d + 20}"}
        fresh = turned(d, 2000, 999)
        said = head(network(network.preprocessing(fresh.x)).double()).argmax(1)
        together = (said == fresh.y).double().mean().item()
        assert accuracy(ours.models[str(d)], d) > together + 0.1
        assert accuracy(ours.models[str(d)], d) > accuracy(nearest.models[str(d)], d)
        assert len(nearest.weights(str(d))) == 1


def test_weights_minimise_the_bound(tasks):
    found = learn_tasks(tasks, strength=2.0)
    names, sizes = list(tasks), torch.tensor([len(d) for d in tasks.values()]).double()
    i = names.index("20")
    apart, m = found.discrepancy[i][:4].numpy(), sizes[:4].numpy()

    def bound(alpha):
        return alpha @ apart + 2.0 * ((alpha**2 / m).sum()) ** 0.5

    best = scipy.optimize.minimize(
        bound,
        [0.25] * 4,
        bounds=[(0, 1)] * 4,
        constraints={"type": "eq", "fun": lambda a: a.sum() - 1},
        options={"ftol": 1e-12},
    )
    assert found.choice.weights[i][:4].tolist() == pytest.approx(best.x.tolist(), abs=2e-3)
    assert found.discrepancy.diagonal().abs().max() == 0
    assert torch.equal(found.discrepancy, found.discrepancy.T)


def test_each_loss_counts_by_its_weight(tasks):
    """α over the size of the task, in whatever unit."""
    found = learn_tasks(tasks, strength=3.0, learner="ridge")
    parts = [tasks[name] for name in found.weights("20")]
    shares = list(found.weights("20").values())
    both = pooled(dict(zip("ab", parts, strict=True)))
    network = found.models["20"].backbone
    z = network(network.preprocessing(both.x)).double()
    weight = torch.tensor(shares)[both.origin] / 30
    head = learner_of("ridge", both.asked).head(both.with_(x=z, weight=7 * weight, origin=None), Training())
    fresh = turned(20, 50, 5)
    expected = head(network(network.preprocessing(fresh.x)).double())
    ours = found.models["20"].logits(fresh.x)
    assert torch.equal(ours.argmax(1), expected.argmax(1))


def test_weights_and_groups_of_a_task_reach_the_learner(tasks):
    """Wrong labels that weigh nothing teach nothing, and copies of a sample are in no other fold."""
    given, n = tasks["0"], 30
    wrong = torch.arange(n) < n // 2
    spoiled = given.with_(y=torch.where(wrong, 1 - given.y, given.y), weight=(~wrong).float())
    clean = given[~wrong]
    fresh = turned(0, 200, 5)
    for learner in ("probe", "ridge"):
        ours, theirs = (
            learn_tasks({"0": domain, "20": tasks["20"]}, learner=learner).models["0"].logits(fresh.x)
            for domain in (spoiled, clean)
        )
        assert (ours.argmax(1) == theirs.argmax(1)).double().mean() > 0.97
    copies = given[torch.arange(n).repeat(3)].with_(group=torch.arange(n).repeat(3))
    once, thrice, split = (
        learn_tasks({"0": domain, "20": tasks["20"]}).models["0"].logits(fresh.x).softmax(1)
        for domain in (given, copies, copies.with_(group=None))
    )
    assert (once - thrice).abs().mean() <= (once - split).abs().mean()


def test_labels_choose_no_task_to_label(tasks):
    plain = {name: d.unlabelled() for name, d in tasks.items()}
    chosen = tasks_worth_labelling(tasks, 2)
    assert chosen == tasks_worth_labelling(plain, 2)
    assert len({int(name) // 100 for name in chosen}) == 2  # one of each side


def test_a_model_can_be_saved(tasks, tmp_path):
    model = learn_tasks(tasks).models["200"]
    again = load(model.save(tmp_path / "m"))
    x = turned(200, 20, 1).x
    assert torch.equal(again.logits(x), model.logits(x))
    assert again.provenance["task"] == "200"


def test_bad_input_is_one_line(tasks):
    with pytest.raises(InputError, match="has labels: label some"):
        learn_tasks({name: d.unlabelled() for name, d in tasks.items()})
    with pytest.raises(InputError, match="give two or more"):
        learn_tasks({"0": tasks["0"]}, vectors())
    with pytest.raises(InputError, match="has 5 samples"):
        learn_tasks({"0": tasks["0"], "few": tasks["20"][:5]})
    with pytest.raises(InputError, match="7 of 6 tasks"):
        tasks_worth_labelling(tasks, 7)
    with pytest.raises(InputError, match="number is 'two': give how many"):
        tasks_worth_labelling(tasks, "two")
    for asked in (tasks_worth_labelling, learn_tasks):
        with pytest.raises(InputError, match="tasks are a list: give domains by name"):
            asked([*tasks.values()], 2)
    for strength in (-1.0, float("nan")):
        with pytest.raises(InputError, match="give a number from 0"):
            learn_tasks(tasks, strength=strength)
