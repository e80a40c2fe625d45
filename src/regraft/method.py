"""What a method is: a recipe of hyper-parameters with `fit(problem, backbone, training) -> Model`."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, ClassVar, NamedTuple, final

import torch
from torch import Tensor, nn

from .augmentation import Augmentation
from .backbone import Backbone
from .domain import Domain
from .engine import one_thread
from .errors import InputError
from .features import Store, behind, embed, with_views
from .folds import Rows, complement
from .model import Model
from .output import OUTPUTS, Mask, Output
from .pooling import joined
from .problem import Problem
from .provenance import origin
from .recipe import Recipe
from .schedule import Schedule
from .training import Training

SMALL = 2_000_000  # numbers in a feature matrix up to which one thread solves a head sooner than several


def param(default: Any, help: str, search: Sequence[Any]) -> Any:
    """A hyper-parameter, said once: its default, the line that explains it, the values to search over."""
    return field(default=default, metadata={"help": help, "search": tuple(search)})


class Both(NamedTuple):
    """What a recipe says of samples of the target, and of samples of the source."""

    target: Model
    source: Model


@dataclass(frozen=True, kw_only=True)
class Method(Recipe, ABC):
    """A recipe. Fitting never changes it; what is fitted is the model.

    needs: the parts of the problem without which it cannot work. What needs a source and a target takes
        labelled samples and a pool for them where these are what is given (`Problem.casting`).
    semi: whether it is of use there.
    taught: the part whose labels it learns: those of the task itself, or of a source.
    source_alone: whether what the source taught is used on the target as it is; adaptations have to beat it.
    outputs: the kinds of answer that it can learn to give; masks need a head of their own.
    borrows: whether it uses what a pretrained network knows (a transfer) or not (a baseline).
    reference: where it comes from. map: the rows of the project's map that it serves.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"target_labelled"})
    taught: ClassVar[str] = "target_labelled"
    source_alone: ClassVar[bool] = False
    semi: ClassVar[bool] = False
    outputs: ClassVar[frozenset[str]] = frozenset(OUTPUTS) - {Mask.kind}
    borrows: ClassVar[bool] = True
    reference: ClassVar[str] = ""
    map: ClassVar[tuple[str, ...]] = ()

    @final
    def fit(self, problem: Problem, backbone: Backbone, training: Training | None = None) -> Model:
        """The model that this recipe makes of the problem, on top of the backbone.

        The part of the backbone that the recipe never trains is run once over every sample. Raises
        InputError where a part of the problem that the method needs is missing. The model remembers what
        made it (`provenance`).
        """
        training = training or Training()
        model = self._fitted(problem, backbone, training)
        timetable = self.timetable(backbone)
        if timetable is not None:
            timetable = timetable.times(model.provenance.get("rate_factor", 1.0))
        model.provenance = {
            "method": type(self).__name__,
            "recipe": self.recipe(),
            "seed": training.seed,
            **({} if timetable is None else {"schedule": timetable.to_json()}),
            **origin(problem.needed(self.needs), backbone),
            **model.provenance,
        }
        return model

    def _fitted(self, problem: Problem, backbone: Backbone, training: Training) -> Model:
        """What `fit` makes, without a note of what made it."""
        problem, backbone = self._given(problem, backbone)
        prefix, suffix = backbone.cut(self.lowest_trained(backbone))
        model = self.learn(self.at_the_cut(prefix, problem, training), suffix, training)
        model.engine = training.engine
        return model.behind(prefix)

    def fit_both(self, problem: Problem, backbone: Backbone, training: Training) -> Both:
        """The model that `fit` makes, and what the recipe says of samples of the source.

        These are one model unless the recipe sees the two domains through different maps. Neither carries
        provenance: it is for judges without target labels, which ask what became of what the source taught.
        """
        model = self._fitted(problem, backbone, training)
        return Both(model, model)

    def fit_without(
        self, held_out: Sequence[Rows], problem: Problem, backbone: Backbone, training: Training
    ) -> Iterator[Model]:
        """For each fold the model that `fit` makes without its rows; recipes may share work between them.

        What is only judged carries no provenance.
        """
        if "target_labelled" not in problem.casting(self.needs).values():  # no fold changes anything
            model = self._fitted(problem, backbone, training)
            yield from (model for _ in held_out)
            return
        n = len(problem.domains["target_labelled"])
        for rows in held_out:
            yield self._fitted(problem.restricted(complement(rows, n)), backbone, training)

    def _given(self, problem: Problem, backbone: Backbone) -> tuple[Problem, Backbone]:
        """What the recipe needs of the problem, and the backbone with a preprocessing that has seen it."""
        seen = problem.cast(self.needs)
        if missing := sorted(self.needs - seen.given):
            pooled = ", or target_labelled and unlabelled" * self.semi
            raise InputError(
                f"{type(self).__name__} needs {' and '.join(missing)}{pooled}, and the problem has "
                f"{', '.join(sorted(problem.given)) or 'nothing'}: add what is missing"
            )
        self.must_learn(problem.output)
        if not backbone.preprocessing.fitted:
            # a pool is of the same kind as the samples beside it: a rule fitted to both knows more
            of_a_pool = problem.casting(self.needs).get(self.taught) != self.taught
            shown = [seen.domains[role].x for role in (self.taught, "target")[: 1 + of_a_pool]]
            backbone = backbone.prepared_by(backbone.preprocessing.fit(joined(shown)))
        return seen, backbone

    def must_learn(self, output: Output) -> None:
        """InputError where such answers are none that the recipe can learn to give."""
        if output.kind not in self.outputs:
            raise InputError(
                f"{type(self).__name__} learns {' or '.join(sorted(self.outputs))}, and what is asked is "
                f"{output.kind}, {output.describe()}: take another method (regraft methods lists all)"
            )

    def lowest_trained(self, backbone: Backbone) -> int:
        """The first stage that the recipe ever changes: everything before it is frozen and computed once."""
        return len(backbone)

    @property
    def augmented(self) -> frozenset[str]:
        """The parts of the problem whose samples may be changed while it learns."""
        return frozenset({self.taught})

    @property
    def many_views(self) -> tuple[Augmentation, int] | None:
        """What is changed about these samples before the frozen part runs, and in how many copies."""
        return None

    @final
    def at_the_cut(
        self,
        prefix: Backbone,
        problem: Problem,
        training: Training,
        store: Store | None = None,
    ) -> Problem:
        """The problem seen from behind the frozen part, with the views that the recipe wants of it."""
        through = partial(embed, store=store, engine=training.engine, progress=training.progress)
        plays = problem.casting(self.needs)
        changed = {plays.get(role, role) for role in self.augmented}

        def seen(role: str, domain: Domain) -> Domain:
            viewed = domain.views is not None or not len(prefix)
            if role not in changed or self.many_views is None or viewed:
                return behind(prefix, domain, through)
            return with_views(prefix, domain, *self.many_views, training.seed, through)

        left = problem.source_model
        if isinstance(left, Model):  # sees what the recipe sees, from behind the same stages
            problem = replace(problem, source_model=left.from_stage(len(prefix)))
        return problem.mapped_by_role(seen)

    def timetable(self, backbone: Backbone) -> Schedule | None:
        """When every stage of the backbone and the head learns how fast, where training decides it."""
        return None

    @abstractmethod
    def learn(self, problem: Problem, backbone: Backbone, training: Training) -> Model:
        """Fit on activations: x is what crosses the cut, and `backbone` holds the stages behind it."""


@dataclass(frozen=True, kw_only=True)
class OnFeatures(Method):
    """A head solved in closed form on the features of the frozen network.

    A recipe has `head`, or `heads` where subsets of the samples have work to share; each is the other's
    default.
    """

    @final
    def learn(self, problem: Problem, backbone: Backbone, training: Training) -> Model:
        seen = problem.domains["target_labelled"]
        assert isinstance(seen.x, Tensor)
        z = seen.x.flatten(1)
        with one_thread(small=z.numel() < SMALL):
            head = self.head(seen.with_(x=z), training)
        return Model(backbone, head, seen.asked)

    @final
    def fit_without(
        self, held_out: Sequence[Rows], problem: Problem, backbone: Backbone, training: Training
    ) -> Iterator[Model]:
        """As `Method.fit_without`; features that no fold changes go to `heads` for all folds at once."""
        if len(backbone) or not backbone.preprocessing.fitted:
            yield from super().fit_without(held_out, problem, backbone, training)
            return
        seen = problem.domains["target_labelled"]
        assert isinstance(seen.x, Tensor)
        features = seen.with_(x=backbone.preprocessing(seen.x).flatten(1))
        kept = [complement(rows, len(seen)) for rows in held_out]
        with one_thread(small=features.x.numel() < SMALL):
            heads = self.heads(features, kept, training)
        for head in heads:
            yield Model(backbone, head, seen.asked, engine=training.engine)

    def heads(self, features: Domain, kept: Sequence[Rows], training: Training) -> list[nn.Module]:
        """The head fitted to features (n × d in x) and labels, for each of several subsets of the rows."""
        return [self.head(features[rows], training) for rows in kept]

    def head(self, features: Domain, training: Training) -> nn.Module:
        """The head fitted to all of them."""
        return self.heads(features, [torch.arange(len(features))], training)[0]
