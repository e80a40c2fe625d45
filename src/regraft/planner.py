"""From what is given to what is worth trying, each candidate with a reason and a reference."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from .backbone import Backbone
from .backbones import neighbourhoods, open_backbone, pyramid, small_convnet, small_mlp
from .candidates import Candidate, Plan
from .domain import Domain
from .errors import InputError
from .method import Method
from .methods import METHODS, method_named
from .methods.features.probe import probe_of
from .methods.fine_tuning.tuned import Tuned
from .output import Classes, Mask
from .problem import Problem
from .provenance import told
from .samples import kind_of
from .text import some_of

DEEP = 0.6  # share of the stages that are trained before all of them are
FEW = 50  # labels below which picking the best of many candidates costs more than it can win
MOST_WITH_FEW = 3
MANY = 200  # labels a class from which the lowest stages may have something to learn
MOST_NEIGHBOURS = 20_000  # samples that are all compared with all
MOST_SCORES = 50_000_000  # of every sample for every class: 400 MB for each candidate and round of folds
SMALL_PICTURE = 48  # pixels a side up to which a network from scratch looks at 32


@dataclass(frozen=True)
class Facts:
    """What the rules look at."""

    output: str  # the kind of answer
    labels: int
    smallest: int  # labels of the rarest class; all of them where there are no classes
    classes: int  # or labels, or numbers: what is asked of each sample
    kind: str  # images, vectors or table
    pretrained: bool
    stages: int  # of the backbone
    batch_norm: bool  # whether it has statistics that can be counted anew
    budget: float | None  # seconds for training networks
    known: bool  # whether the head of pretraining has all the classes, by name

    @classmethod
    def of(cls, problem: Problem, backbone: Backbone, budget: float | None) -> "Facts":
        labelled = problem.domains["target_labelled"]
        old, counts = backbone.old_head, torch.bincount(labelled.strata, minlength=labelled.asked.width)
        classes = isinstance(labelled.output, Classes)
        return cls(
            output=labelled.asked.kind,
            labels=len(labelled),
            smallest=int(counts.min()) if classes else len(labelled),
            classes=labelled.asked.width,
            kind=kind_of(labelled.x),
            pretrained=backbone.pretrained,
            stages=len(backbone),
            batch_norm=any(isinstance(module, _BatchNorm) for module in backbone.modules()),
            budget=budget,
            known=classes
            and old is not None
            and len(old.known(labelled.classes.names)) == labelled.asked.width,
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


def _may_train(f: Facts) -> bool:
    return f.budget is not None


def _worth_training(f: Facts) -> bool:
    return _may_train(f) and f.smallest >= 10


def _has_depth(f: Facts) -> bool:
    return _lent(f) and f.stages > 2 and f.output != Mask.kind


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
        lambda f: f.kind != "table",
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


def plan(
    problem: Problem,
    *,
    backbone: Any = None,
    methods: list[Any] | None = None,
    budget: float | None = None,
) -> Plan:
    """What is worth trying on this problem; nothing is trained.

    backbone: anything that `open_backbone` takes. methods: names or recipes to try instead of the rules'
    choice; the baselines are there in any case. budget: seconds for training networks; None trains none.

    >>> import torch
    >>> birds = Domain(torch.rand(20, 3), ["owl", "crow"] * 10)
    >>> print(plan(Problem(target_labelled=birds)).candidates[1].name)
    LinearProbe (columns)
    """
    labelled = solvable(problem)
    network = open_backbone(backbone, domain=labelled)
    if isinstance(labelled.output, Mask):
        network = pyramid(network)
    facts = Facts.of(problem, network, budget)
    able = [rule for rule in RULES if facts.output in METHODS[rule.method].outputs]
    fitting = [rule for rule in able if rule.fits(facts)]
    unfit = [r for r in fitting if not r.when(facts) and (r.raw or methods is None)]
    left_out = list(dict.fromkeys((r.method, r.otherwise) for r in unfit))  # of variants once
    notes = [f"{network.name} was fitted before: {told(ancestor)}" for ancestor in network.ancestors]
    notes += _of_old_head(network, labelled)
    tried: list[Candidate] = []
    for rule in fitting:
        if rule.raw and rule.when(facts):
            _add_baseline(rule, labelled, tried, left_out)
    if methods is not None:
        for method in (r if isinstance(r, Method) else method_named(str(r))() for r in methods):
            method.must_learn(labelled.asked)
            _add(
                Candidate(method, _network_for(method, network, labelled), "you asked for it", asked=True),
                tried,
            )
        if any(c.tunes for c in tried):
            masks = isinstance(labelled.output, Mask)
            probe = METHODS["PixelProbe"]() if masks else probe_of(labelled.asked)
            _add(Candidate(probe, network, "what a changed network has to beat"), tried)
    elif facts.pretrained:
        lending = [rule for rule in fitting if not rule.raw and rule.when(facts)]
        if facts.labels < FEW:
            left_out += [
                (r.method, f"with {facts.labels} labels three are enough") for r in lending[MOST_WITH_FEW:]
            ]
            lending = lending[:MOST_WITH_FEW]
            notes.append(
                f"{facts.labels} labels: at most {MOST_WITH_FEW} candidates besides the baselines, "
                "because the best of many looks better than it is"
            )
        tried += [Candidate(_recipe(r, facts), network, r.reason, variant=r.variant) for r in lending]
    else:
        tried += [
            Candidate(METHODS[name](), network, "nothing is borrowed: one more way to use the labels alone")
            for name in ("NearestMean", "NearestNeighbours")
            if facts.output in METHODS[name].outputs
        ]
    if facts.smallest == 1 and isinstance(labelled.output, Classes):
        counts = labelled.classes.counts(labelled.labels).tolist()
        alone = [name for name, n in zip(labelled.classes.names, counts, strict=True) if n == 1]
        notes.append(
            f"{len(alone)} classes have a single sample ({', '.join(alone[:5])}): trained on, but not judged"
        )
    return Plan(tuple(tried), tuple(left_out), tuple(notes))


def _recipe(rule: Rule, facts: Facts) -> Method:
    """The method of a rule; what is trained starts from the old head where that knows all classes better."""
    method = METHODS[rule.method](**rule.recipe(facts))
    return replace(method, head="better") if facts.known and isinstance(method, Tuned) else method


def solvable(problem: Problem) -> Domain:
    """The labelled target, where there is one and it has something to tell apart."""
    if "target_labelled" not in problem.given:
        raise InputError("the problem has no target_labelled: give some labelled samples of your own task")
    labelled = problem.domains["target_labelled"]
    labelled.asked.must_teach(labelled.labels, labelled.observed)
    if (scores := len(labelled) * labelled.asked.width) > MOST_SCORES:
        raise InputError(
            f"{len(labelled):,} samples of {labelled.asked.width:,} {labelled.asked.noun} have "
            f"{scores:,} scores, and {MOST_SCORES:,} are compared: "
            "is this the column or folder that names the class?"
        )
    return labelled


def raw_backbone(domain: Domain) -> Backbone:
    """The samples themselves as vectors, or as the colours around every place, for the baselines."""
    if isinstance(domain.output, Mask):
        return neighbourhoods()
    return open_backbone({"images": "pixels", "vectors": "vectors", "table": "table"}[kind_of(domain.x)])


def _of_old_head(network: Backbone, labelled: Domain) -> list[str]:
    """Which of the classes the head of pretraining has, and which it might have under another name."""
    if network.old_head is None or not isinstance(labelled.output, Classes):
        return []
    names = labelled.classes.names
    known, singular = network.old_head.known(names), network.old_head.singular(names)
    notes = []
    if known:
        more = (
            ""
            if len(known) == len(names)
            else "; with head='old' fine-tuning starts from what it knows of them"
        )
        number = f"{len(known)} of {len(names)} classes"
        notes.append(f"the old head of {network.name} knows {some_of(known)}: {number}{more}")
    if singular:
        notes.append(
            f"the old head of {network.name} knows {some_of(singular.values())}: "
            f"where {some_of(singular)} means the same, name it so"
        )
    return notes


def _add_baseline(
    rule: Rule, labelled: Domain, tried: list[Candidate], left_out: list[tuple[str, str]]
) -> None:
    method = METHODS[rule.method]()
    if rule.method == "Boosting":
        from .heads.boosting import import_xgboost

        if labelled.observed is not None:
            left_out.append(
                (rule.method, "some of the numbers are unknown, and it needs all of every sample")
            )
            return

        try:
            import_xgboost()
        except InputError as reason:
            left_out.append((rule.method, str(reason)))
            return
    tried.append(Candidate(method, _network_for(method, raw_backbone(labelled), labelled), rule.reason))


def _add(candidate: Candidate, tried: list[Candidate]) -> None:
    """Try it, unless the same recipe on the same network is tried already."""
    if (candidate.method, candidate.backbone.name) not in [(c.method, c.backbone.name) for c in tried]:
        tried.append(candidate)


def _network_for(method: Method, network: Backbone, labelled: Domain) -> Backbone:
    """What the method works on: an untrained network for training from scratch, columns for boosting."""
    if type(method) is METHODS["FromScratch"]:
        if kind_of(labelled.x) == "images":
            small = isinstance(labelled.x, Tensor) and max(labelled.x.shape[1:3]) <= SMALL_PICTURE
            untrained = small_convnet(size=(32, 32) if small else (64, 64), colour="rgb")
            return pyramid(untrained) if isinstance(labelled.output, Mask) else untrained
        if isinstance(labelled.x, Tensor):
            return small_mlp(int(labelled.x[0].numel()))
        raise InputError("FromScratch takes images or vectors, not tables: use Boosting")
    return network if method.borrows else raw_backbone(labelled)
