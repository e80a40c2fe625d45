"""What is worth trying where a source has the labels and the target has none."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from .backbone import Backbone
from .output import Classes
from .problem import Problem
from .rules import WORDS
from .samples import kind_of

FEW_COLUMNS = 20  # up to which a border may have to bend; the features of networks are made for planes
LEAST_TARGET = 30  # samples of the target below which nothing can be said of their distribution
FEW_PICTURES = 1000  # of both domains, over which a network runs a few times more without being asked for it


@dataclass(frozen=True)
class AcrossFacts:
    """What the rules look at."""

    output: str  # the kind of answer
    source: int
    target: int
    kind: str  # images, vectors, sparse, table or texts
    columns: int | None  # of vectors that go in as they are
    pretrained: bool
    stages: int  # of the backbone
    batch_norm: bool
    budget: float | None  # seconds for training networks
    labels: int = 0  # of the target, where it has a few
    repeated: int = 0  # of these, labels of classes that have another one

    @classmethod
    def of(cls, problem: Problem, backbone: Backbone, budget: float | None) -> "AcrossFacts":
        source, target = problem.domains["source"], problem.domains["target"]
        plain = isinstance(source.x, Tensor) and not len(backbone)
        few = problem.domains.get("target_labelled")
        counts = torch.bincount(few.strata) if few is not None else torch.zeros(1, dtype=torch.long)
        return cls(
            output=source.asked.kind,
            source=len(source),
            target=len(target),
            kind=kind_of(source.x),
            columns=int(source.x[0].numel()) if plain else None,
            pretrained=backbone.pretrained,
            stages=len(backbone),
            batch_norm=any(isinstance(module, _BatchNorm) for module in backbone.modules()),
            budget=budget,
            labels=0 if few is None else len(few),
            repeated=int(counts[counts > 1].sum()),
        )

    @property
    def learner(self) -> str:
        """What learns from mapped or weighted features: the same for all candidates."""
        if self.output != Classes.kind:
            return "probe"
        return "kernel" if self.columns is not None and self.columns <= FEW_COLUMNS else "ridge"


@dataclass(frozen=True)
class AcrossRule:
    """A candidate, when it is worth trying, and why (or why not)."""

    method: str
    reason: str
    when: Callable[[AcrossFacts], bool] = lambda f: True
    otherwise: str = ""
    recipe: Callable[[AcrossFacts], dict[str, Any]] = lambda f: {"learner": f.learner}
    fits: Callable[[AcrossFacts], bool] = lambda f: True  # the plan is silent where it cannot be meant


def _enough(f: AcrossFacts) -> bool:
    return f.target >= LEAST_TARGET


def _classes(f: AcrossFacts) -> bool:
    return _enough(f) and f.output == Classes.kind


def _pictures(f: AcrossFacts) -> bool:
    """Whether there is something to train: stages of a network, or a small one from random weights."""
    return f.kind == "images" and (f.stages > 0 or not f.pretrained)


def _has_norms(f: AcrossFacts) -> bool:
    return f.kind == "images" and f.pretrained and f.batch_norm


def _words(f: AcrossFacts) -> bool:
    return f.kind in WORDS and not f.pretrained


def _may_train(f: AcrossFacts) -> bool:
    return _enough(f) and f.budget is not None


def _labelled(f: AcrossFacts) -> bool:
    return f.labels > 0 and f.output == Classes.kind


def _teaches_and_judges(f: AcrossFacts) -> bool:
    return f.repeated > 0


def _as_it_is(f: AcrossFacts) -> dict[str, Any]:
    return {}


NEEDS_TIME = f"needs {LEAST_TARGET} samples of the target, and time: --budget 10m"
LONELY = "needs two labels of some class: one to learn from and one to be judged by"
TOO_FEW = f"needs {LEAST_TARGET} samples of the target"


# in the order in which they are tried, source only first; others are tried when they are asked for
ACROSS_RULES: tuple[AcrossRule, ...] = (
    AcrossRule("SourceOnly", "the source's classifier as it is: what every adaptation has to beat"),
    AcrossRule(
        "Discriminative",
        "where the target is a part of the source, unevenly drawn, its likely samples should count more",
        _enough,
        TOO_FEW,
    ),
    AcrossRule(
        "EMPrior",
        "where only the proportions of the classes moved, putting the target's into the classifier is all",
        _classes,
        TOO_FEW,
    ),
    AcrossRule(
        "MatchedScales",
        "where the target is seen through other brightness or units, means and scales are wrong first",
        _enough,
        TOO_FEW,
    ),
    AcrossRule(
        "CORAL",
        "where it is seen through other correlations too, covariances are matched",
        _enough,
        TOO_FEW,
        lambda f: {"learner": f.learner, "ridge": 10.0 if f.pretrained or f.kind == "sparse" else 0.1},
    ),
    AcrossRule(
        "SharedDirection",
        "where only a part of few columns means the same in both, classes are taken from there",
        lambda f: _classes(f) and f.learner == "kernel",
        f"is for at most {FEW_COLUMNS} columns",
        _as_it_is,
    ),
    AcrossRule(
        "SelfPaced",
        "where the target's classes are clusters that the source half knows, the surest teach the rest",
        lambda f: _classes(f) and f.learner != "kernel" and not _words(f),
        f"is for more than {FEW_COLUMNS} columns, and not for words, of which its surest answers mislead it "
        "now and then and nothing tells when",
        _as_it_is,
    ),
    AcrossRule(
        "LatentSemantics",
        "where the two use other words for the same, a head knows of a word by the company that it keeps",
        _classes,
        TOO_FEW,
        lambda f: {"learner": f.learner, "own_mean": True},
        fits=_words,
    ),
    AcrossRule(
        "AdaptiveBatchNorm",
        "where samples are lit, drawn or measured otherwise, BatchNorm's statistics are wrong first: each "
        "domain is seen by its own, and nothing is trained",
        lambda f: _enough(f) and (f.budget is not None or f.source + f.target <= FEW_PICTURES),
        f"needs {LEAST_TARGET} samples of the target, and time for more than {FEW_PICTURES} pictures, over "
        "which the network runs again: --budget 10m",
        fits=_has_norms,
    ),
    AcrossRule(
        "SourceTuned",
        "the same network trained on the source: what every trained adaptation has to beat",
        _may_train,
        NEEDS_TIME,
        _as_it_is,
        _pictures,
    ),
    AcrossRule(
        "MCC",
        "where classes are clusters in the target too, borders between them move to where it has no samples",
        _may_train,
        NEEDS_TIME,
        _as_it_is,
        _pictures,
    ),
    AcrossRule(
        "SHOT",
        "where classes are clusters that the source mostly names right, features move until its head is sure",
        _may_train,
        NEEDS_TIME,
        _as_it_is,
        _pictures,
    ),
    AcrossRule(
        "LinearProbe",
        "what the few labels of the target teach alone",
        _teaches_and_judges,
        LONELY,
        _as_it_is,
        _labelled,
    ),
    AcrossRule(
        "Joint",
        "where the source is much like the target, its samples count beside the few, as much as these allow",
        _teaches_and_judges,
        LONELY,
        _as_it_is,
        _labelled,
    ),
    AcrossRule(
        "FeatureAugmentation",
        "where the domains agree on most features and disagree on some, each has weights of its own",
        _teaches_and_judges,
        LONELY,
        _as_it_is,
        _labelled,
    ),
    AcrossRule(
        "SourceThenTarget",
        "where the target asks nearly the same as the source, the few labels move the source's classifier",
        _teaches_and_judges,
        LONELY,
        _as_it_is,
        _labelled,
    ),
)
