"""What is worth trying when: a rule for each candidate, with a reason."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.modules.batchnorm import _BatchNorm

from .backbone import Backbone
from .output import Classes, Mask
from .preprocessing.images import ImagePreprocessing
from .problem import Problem
from .samples import kind_of

DEEP = 0.6  # share of the stages that are trained before all of them are
FEW = 50  # labels below which picking the best of many candidates costs more than it can win
MANY = 200  # labels a class from which the lowest stages may have something to learn
SCRATCH = 50  # labels a class from which a network from scratch may beat linear models of raw pixels
POOL = 0.5  # samples without labels, for each label, from which they may tell what the labels do not
WORDS = ("sparse", "texts")  # kinds of samples of which most numbers are 0
MOST_NEIGHBOURS = 20_000  # samples that are all compared with all
LIGHT = 64  # pixels a side up to which all stages of a network learn in a minute or two


@dataclass(frozen=True)
class Facts:
    """What the rules look at."""

    output: str  # the kind of answer
    labels: int
    smallest: int  # labels of the rarest class; all of them where there are no classes
    kind: str  # images, vectors, table or texts
    pretrained: bool
    stages: int  # of the backbone
    batch_norm: bool  # whether it has statistics that can be counted anew
    budget: float | None  # seconds for training networks
    known: bool  # whether the head of pretraining has all the classes, by name
    pool: int = 0  # samples of the task without labels
    light: bool = False  # whether all of that network learns in little time: small pictures

    @classmethod
    def of(cls, problem: Problem, backbone: Backbone, budget: float | None) -> "Facts":
        labelled = problem.domains["target_labelled"]
        old, counts = backbone.old_head, torch.bincount(labelled.strata, minlength=labelled.asked.width)
        classes, kind = isinstance(labelled.output, Classes), kind_of(labelled.x)
        learns = any(True for _ in backbone.parameters())
        look = backbone.preprocessing
        small = isinstance(look, ImagePreprocessing) and max(look.size) <= LIGHT
        return cls(
            output=labelled.asked.kind,
            labels=len(labelled),
            smallest=int(counts.min()) if classes else len(labelled),
            kind=kind,
            pretrained=backbone.pretrained,
            stages=len(backbone),
            batch_norm=any(isinstance(module, _BatchNorm) for module in backbone.modules()),
            budget=budget,
            known=classes
            and old is not None
            and len(old.known(labelled.classes.names)) == labelled.asked.width,
            pool=0 if problem.unlabelled is None else len(problem.unlabelled),
            light=kind == "images" and (small or not learns),
        )


@dataclass(frozen=True)
class Rule:
    """A candidate, when it is worth trying, and why (or why not)."""

    method: str
    raw: bool  # on the raw input, as a baseline, instead of on the backbone
    fits: Callable[[Facts], bool]  # whether it can be meant at all; the plan is silent where it cannot
    reason: str
    when: Callable[[Facts], bool] = lambda f: True
    otherwise: str = ""  # what the plan says where it fits and `when` is false
    recipe: Callable[[Facts], dict[str, Any]] = lambda f: {}  # what is not as by default
    variant: str = ""  # what its recipe is called where a method has several


def _always(f: Facts) -> bool:
    return True


def _lent(f: Facts) -> bool:
    return f.pretrained


def _labels_pictures(f: Facts) -> bool:
    return f.kind == "images" and f.output != Mask.kind


def _may_train(f: Facts) -> bool:
    return f.budget is not None


def _worth_training(f: Facts) -> bool:
    return _may_train(f) and f.smallest >= 10


def _has_depth(f: Facts) -> bool:
    return _lent(f) and f.stages > 2 and f.output != Mask.kind


def _pooled(f: Facts) -> bool:
    return f.pool > 0 and f.output == Classes.kind


def _compared(f: Facts) -> bool:
    """Whether neighbours are worth looking for, and not too many samples are all compared with all."""
    return _lent(f) and f.pool + f.labels <= MOST_NEIGHBOURS


def _large_pool(f: Facts) -> bool:
    return f.pool >= POOL * f.labels


def _upper_stages(f: Facts) -> dict[str, Any]:
    return {"trained": round(DEEP * f.stages), "held_out": 0.0}


# In order of preference: with few labels only the first three that borrow are tried.
RULES: tuple[Rule, ...] = (
    Rule("Majority", True, _always, "what looks at nothing gets this; no number below it is worth anything"),
    Rule("LinearProbe", True, _always, "a tuned linear model on the raw input: what no transfer gives"),
    Rule("RidgeProbe", True, _always, "least squares on the raw input, tuned as hard as on the features"),
    Rule(
        "PixelProbe",
        True,
        _always,
        "logistic regression on the colours around every pixel, tuned as hard: what no transfer gives",
    ),
    Rule(
        "Boosting",
        True,
        lambda f: f.kind == "table",
        "on tables boosted trees are the baseline to beat",
        lambda f: f.labels >= 20,
        "needs 20 labels",
    ),
    Rule(
        "FromScratch",
        True,
        _labels_pictures,
        "a small network trained from random weights: what the labels alone can teach",
        lambda f: _may_train(f) and f.smallest >= SCRATCH,
        f"needs {SCRATCH} labels a class, below which linear models of raw pixels are better, and time: "
        "--budget 10m",
    ),
    Rule(
        "FromScratch",
        True,
        lambda f: f.kind != "table" and not _labels_pictures(f),
        "a small network trained from random weights: what the labels alone can teach",
        _worth_training,
        "needs 10 labels a class and time: --budget 10m",
    ),
    Rule(
        "OldHead",
        False,
        lambda f: _lent(f) and f.known,
        "the head of pretraining knows all classes by name, from more samples than are here, and as it fits "
        "nothing it cannot look better than it is",
    ),
    Rule(
        "LinearProbe",
        False,
        _lent,
        "logistic regression on frozen features is the plain recipe to beat at any number of labels",
    ),
    Rule("NearestMean", False, _lent, "class means are the steadiest head with few labels a class"),
    Rule(
        "RidgeProbe",
        False,
        _lent,
        "least squares beats logistic regression on some features by points",
        lambda f: f.smallest >= 3,
        "needs three labels of every class",
    ),
    Rule(
        "NearestNeighbours",
        False,
        _lent,
        "follows classes of any shape once there are neighbours",
        lambda f: FEW <= f.labels <= MOST_NEIGHBOURS,
        f"compares all samples with all: from {FEW} to {MOST_NEIGHBOURS:,} labels",
    ),
    Rule(
        "MLPHead",
        False,
        _lent,
        "with some hundreds of labels a hidden layer can bend the border between classes",
        lambda f: _may_train(f) and f.labels >= 200,
        "needs 200 labels and time: --budget 10m",
    ),
    Rule(
        "PixelProbe",
        False,
        _lent,
        "logistic regression on what all stages of the network show of every pixel: no training",
    ),
    Rule(
        "PyramidHead",
        False,
        _lent,
        "a pyramid on the frozen maps makes masks that hold together",
        lambda f: _may_train(f) and f.labels >= 20,
        "needs 20 masks and time: --budget 10m",
    ),
    Rule(
        "PyramidFineTune",
        False,
        _lent,
        "a mask tells much more than a label: with 20 of them, a little of everything may be changed",
        lambda f: _may_train(f) and f.labels >= 20,
        "needs 20 masks and time: --budget 10m",
    ),
    Rule(
        "FrozenLayers",
        False,
        _has_depth,
        "with ten labels a class or more, training the upper stages can beat the probe, and the lower ones, "
        "which fit any picture, run once; the judge tells whether it does, so no labels are kept to watch",
        _worth_training,
        "needs 10 labels a class and time: --budget 10m",
        _upper_stages,
    ),
    Rule(
        "FrozenLayers",
        False,
        lambda f: _has_depth(f) and f.batch_norm,
        "where samples look otherwise than those of pretraining, BatchNorm's statistics are wrong first: "
        "counted anew they can win several points, and elsewhere lose them",
        _worth_training,
        "needs 10 labels a class and time: --budget 10m",
        lambda f: {**_upper_stages(f), "statistics": True},
        "new statistics",
    ),
    Rule(
        "FineTune",
        False,
        lambda f: _lent(f) and f.output != Mask.kind,
        "head first and then a little of everything, where that many labels have something to tell the "
        "lowest stages",
        lambda f: _worth_training(f) and (f.smallest >= MANY or not _has_depth(f)),
        f"needs {MANY} labels a class, below which the upper stages are enough, and time: --budget 10m",
        lambda f: {"held_out": 0.0},
    ),
)

SMALL_POOL = "needs one sample without a label for every two labels: fewer tell little that these do not"
# what keeps a picture what it is, most of the time; what changes nothing would teach what is known
CHANGED: dict[str, Any] = {"affine": 0.5, "colour": 0.2, "stage_rate": 2e-3}


def _matches(f: Facts) -> bool:
    """Whether there are pictures of which one knows what changes nothing about them, and time to learn it."""
    return _pooled(f) and f.light and _may_train(f) and _large_pool(f)


# One that learns from a pool as well is tried beside all others, the first that fits: few labels do not tell
# which of several is best. What is tried only because that has to beat it stands before it.
POOL_RULES: tuple[Rule, ...] = (
    Rule(
        "FineTune",
        False,
        lambda f: _matches(f) and _lent(f),
        "the network, the changes and the rates of AdaMatch without the pool: what it has to beat",
        recipe=lambda f: {**CHANGED, "least_steps": 500, "held_out": 0.0},
        variant="changed pictures",
    ),
    Rule(
        "FromScratch",
        False,
        lambda f: _matches(f) and not _lent(f),
        "the network, the changes and the rates of AdaMatch without the pool: what it has to beat",
        recipe=lambda f: {"affine": 0.5, "colour": 0.2, "rate": 2e-3, "least_steps": 500, "held_out": 0.0},
        variant="changed pictures",
    ),
    Rule(
        "AdaMatch",
        False,
        lambda f: _pooled(f) and f.light and _large_pool(f),
        "what is surely said of a sample without a label is to be said of it changed as well, so that labels "
        "spread through the pool",
        _may_train,
        "needs time: --budget 10m",
        lambda f: {**CHANGED, "trained": f.stages or 1, "least_steps": 1000},
    ),
    Rule(
        "LabelPropagation",
        False,
        lambda f: _pooled(f) and not _matches(f) and _compared(f),
        "where features are worth borrowing, neighbours are mostly of one class, and labels flow from one to "
        "the next through the pool",
        _large_pool,
        SMALL_POOL,
    ),
    Rule(
        "LatentSemantics",
        False,
        lambda f: _pooled(f) and not _lent(f) and f.kind in WORDS,
        "a pool shows which words are rare and which occur together, so that a few labels tell of many words",
        _large_pool,
        SMALL_POOL,
    ),
    Rule(
        "AdaptedGaussians",
        False,
        lambda f: _pooled(f) and not _matches(f) and not _compared(f) and f.kind not in WORDS,
        "where classes are heaps, a pool shows where these lie and how they are stretched, which few labels "
        "do not",
        _large_pool,
        SMALL_POOL,
    ),
)
