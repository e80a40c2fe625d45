"""Many tasks, of which few are labelled: each learned from those that are, by how near they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, final

import torch
from jaxtyping import Float
from torch import Tensor

from .backbone import Backbone
from .backbones import open_backbone
from .domain import Domain
from .engine import one_thread
from .errors import InputError
from .features import Store, embed
from .heads.principal import principal
from .method import SMALL
from .methods.features.learners import learner_of
from .model import Model
from .pooling import joined, pooled
from .shift.apart import told_apart
from .terms.tasks import TaskChoice, tasks_to_label, weighted_tasks
from .text import some_of
from .training import Training

COMPONENTS = 64  # principal ones of two tasks, in which they are told apart
LEAST = 10  # samples of a task


@final
@dataclass(frozen=True, eq=False)
class Tasks:
    """A model for every task, by name, and what each was learned from.

    discrepancy: of the samples of every pair, without labels. choice: the tasks that are labelled and what
    each of them weighs for every task.
    """

    models: dict[str, Model]
    discrepancy: Float[Tensor, "t t"]
    choice: TaskChoice

    def weights(self, name: str) -> dict[str, float]:
        """What the model of that task learned from: the labelled tasks that count, and how much of it."""
        names = list(self.models)
        row = self.choice.weights[names.index(name)].tolist()
        return {other: share for other, share in zip(names, row, strict=True) if share > 0}


def learn_tasks(
    tasks: Mapping[str, Domain],
    backbone: Any = None,
    training: Training | None = None,
    *,
    strength: float = 1.0,
    learner: str = "probe",
    store: Store | None = None,
) -> Tasks:
    """min_h Σᵢ αᵢ Rᵢ(h) for every task t, i among the labelled;  α = argmin Σᵢ αᵢ disc(t, i) + λ √(Σᵢ αᵢ²/mᵢ)

    tasks: domains of one kind, by name, of which some have labels of classes. Rᵢ is the mean loss on the mᵢ
    samples of task i, disc(t, i) how well half-spaces tell the samples of two tasks apart, without labels
    (`shift.apart.told_apart`), and λ `strength`: 0 takes the nearest labelled task alone, a large one all of
    them by their sizes. learner: as in `OnBothSides`. Weights of a task's samples count in its mean, and no
    group of them is split where the learner chooses its strength. It helps where tasks that look alike are
    alike. Two tasks of the same samples and other labels look the same, and nothing here sees that they are
    not; the labels of a task that has some are a part like any other's.

    Pentina & Lampert, Multi-task learning with labeled and unlabeled tasks, ICML 2017, arXiv:1602.06518.

    >>> x = torch.linspace(-1, 1, 40)[:, None]
    >>> def task(move, labelled):
    ...     return Domain(x + move, ["-" if v < 0 else "+" for v in x] if labelled else None)
    >>> found = learn_tasks({"a": task(0.0, True), "b": task(0.1, False), "c": task(9.0, True)})
    >>> found.weights("b"), found.models["b"].predict([[-0.5], [0.7]])
    ({'a': 1.0}, ['-', '+'])
    """
    _check(tasks, strength)
    training = training or Training()
    names, labelled = list(tasks), [i for i, d in enumerate(tasks.values()) if d.y is not None]
    if not labelled:
        raise InputError(f"none of the tasks {some_of(names)} has labels: label some (tasks_worth_labelling)")
    seen, network = _seen(tasks, backbone, training, store)
    apart = _discrepancies(seen, training.seed)
    choice = weighted_tasks(apart, _sizes(tasks), labelled, strength)
    known = {names[i]: tasks[names[i]] for i in labelled}
    together = pooled(known)  # of which the classes are those of all
    x = torch.cat([seen[i] for i in labelled])
    sizes = torch.tensor([len(tasks[names[i]]) for i in labelled])
    of_task = torch.cat([_of_mean_one(domain) for domain in known.values()])
    models: dict[str, Model] = {}
    for name, row in zip(names, choice.weights, strict=True):
        alpha = row[labelled]
        weight = torch.repeat_interleave(alpha / sizes, sizes) * of_task
        kept = weight > 0
        taught = together.with_(x=x, views=None, origin=None, weight=weight / weight[kept].mean())[kept]
        with one_thread(small=x.numel() < SMALL):
            head = learner_of(learner, together.asked).head(taught, training)
        told = {other: float(a) for other, a in zip(known, alpha, strict=True) if a > 0}
        provenance = {"method": "learn_tasks", "task": name, "tasks": told, "strength": strength}
        models[name] = Model(network, head, together.asked, engine=training.engine, provenance=provenance)
    return Tasks(models, apart, choice)


def tasks_worth_labelling(
    tasks: Mapping[str, Domain],
    number: int,
    backbone: Any = None,
    training: Training | None = None,
    *,
    strength: float = 1.0,
    store: Store | None = None,
) -> list[str]:
    """The names of so many tasks whose labels would teach all of them best; no label is looked at.

    >>> x = torch.linspace(-1, 1, 40)[:, None]
    >>> tasks_worth_labelling({"a": Domain(x), "b": Domain(x + 9), "c": Domain(x + 9.1)}, 2)
    ['a', 'b']
    """
    _check(tasks, strength)
    if not isinstance(number, int):
        raise InputError(f"number is {number!r}: give how many tasks are to be labelled")
    training = training or Training()
    seen, _ = _seen(tasks, backbone, training, store)
    choice = tasks_to_label(_discrepancies(seen, training.seed), _sizes(tasks), number, strength)
    names = list(tasks)
    return [names[i] for i in choice.labelled]


def _seen(
    tasks: Mapping[str, Domain], backbone: Any, training: Training, store: Store | None
) -> tuple[list[Float[Tensor, "m d"]], Backbone]:
    """The features of every task, and the network with a preprocessing that has seen the samples of all."""
    if len(tasks) < 2:
        raise InputError(f"{len(tasks)} tasks were given: give two or more")
    for name, domain in tasks.items():
        if len(domain) < LEAST:
            raise InputError(f"task {name} has {len(domain)} samples: give at least {LEAST} of each")
    plain = [domain.unlabelled() for domain in tasks.values()]
    network = open_backbone(backbone, domain=plain[0])
    if not network.preprocessing.fitted:
        network = network.prepared_by(network.preprocessing.fit(joined([d.x for d in plain])))
    found = []
    for domain in plain:
        x = embed(network, domain, store, training.engine, training.progress).x
        assert isinstance(x, Tensor)
        found.append(x.flatten(1).double())
    return found, network


def _discrepancies(seen: Sequence[Float[Tensor, "m d"]], seed: int) -> Float[Tensor, "t t"]:
    """disc of every pair of tasks, in their common principal components."""
    apart = torch.zeros(len(seen), len(seen), dtype=torch.float64)
    for i, j in combinations(range(len(seen)), 2):
        space = principal([seen[i], seen[j]], COMPONENTS)
        with one_thread(small=seen[i].numel() + seen[j].numel() < SMALL):
            found = told_apart(Domain(space(seen[i])), Domain(space(seen[j])), seed).discrepancy.value
        apart[i, j] = apart[j, i] = found
    return apart


def _check(tasks: Any, strength: float) -> None:
    if not isinstance(tasks, Mapping):
        raise InputError(f"tasks are a {type(tasks).__name__}: give domains by name, {{'a': Domain(x), …}}")
    if not 0 <= strength < float("inf"):
        raise InputError(f"strength is {strength}: give a number from 0, the nearest task alone, upwards")


def _sizes(tasks: Mapping[str, Domain]) -> Float[Tensor, " t"]:
    return torch.tensor([len(domain) for domain in tasks.values()], dtype=torch.float64)


def _of_mean_one(domain: Domain) -> Float[Tensor, " n"]:
    """What the samples of a task weigh, by which a mean over them is weighted."""
    weight = torch.ones(len(domain)) if domain.weight is None else domain.weight
    return weight.double() / weight.double().mean()
