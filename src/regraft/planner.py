"""From what is given to what is worth trying, each candidate with a reason and a reference."""

from dataclasses import fields, replace
from typing import Any

from torch import Tensor

from .adaptation_rules import ACROSS_RULES, LEAST_TARGET, TOO_FEW, AcrossFacts
from .backbone import Backbone
from .backbones import neighbourhoods, open_backbone, pyramid, small_convnet, small_mlp, small_text
from .candidates import Candidate, Plan
from .domain import Domain
from .errors import InputError
from .method import Method
from .methods import METHODS, method_named
from .methods.across import AcrossDomains
from .methods.features.probe import probe_of
from .methods.fine_tuning.tuned import Tuned
from .methods.self_training.source_free_shot import SourceFreeSHOT, must_move
from .model import Model
from .output import Classes, Mask
from .problem import LABELLED, Problem
from .provenance import ancestors_of, told
from .rules import FEW, MOST_NEIGHBOURS, POOL_RULES, RULES, Facts, Rule
from .samples import kind_of
from .text import some_of

MOST_WITH_FEW = 3
MOST_SCORES = 50_000_000  # of every sample for every class: 400 MB for each candidate and round of folds
SMALL_PICTURE = 48  # pixels a side up to which a network from scratch looks at 32


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
    if "target_labelled" not in problem.given and {"source", "target"} <= problem.given:
        return plan_across(problem, backbone, methods, budget)
    if not problem.domains.keys() & set(LABELLED) and {"source_model", "target"} <= problem.given:
        return plan_without_source(problem, methods)
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
        if any(c.tunes or c.adapts for c in tried):
            masks = isinstance(labelled.output, Mask)
            probe = METHODS["PixelProbe"]() if masks else probe_of(labelled.asked)
            rival = "a changed network" if any(c.tunes for c in tried) else "who learns from a pool"
            _add(Candidate(probe, network, f"what {rival} has to beat"), tried)
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
            and (name == "NearestMean" or facts.labels <= MOST_NEIGHBOURS)
        ]
    if methods is None:
        pooling = [rule for rule in POOL_RULES if rule.fits(facts)]
        left_out += [(rule.method, rule.otherwise) for rule in pooling if not rule.when(facts)]
        for rule in pooling:
            if rule.when(facts):
                method = METHODS[rule.method](**rule.recipe(facts))
                phi = _network_for(method, network, labelled)
                tried.append(Candidate(method, phi, rule.reason, variant=rule.variant, rival=not method.semi))
    if facts.smallest == 1 and isinstance(labelled.output, Classes):
        counts = labelled.classes.counts(labelled.labels).tolist()
        alone = [name for name, n in zip(labelled.classes.names, counts, strict=True) if n == 1]
        notes.append(
            f"{len(alone)} classes have a single sample ({', '.join(alone[:5])}): trained on, but not judged"
        )
    return Plan(tuple(tried), tuple(left_out), tuple(notes))


def plan_across(
    problem: Problem, backbone: Any = None, methods: list[Any] | None = None, budget: float | None = None
) -> Plan:
    """What is worth trying where a source has the labels and the target none, or a few.

    Source only comes first. Of few labels of the target, which judge all candidates, some learn as well.
    """
    source = problem.domains["source"]
    network = open_backbone(backbone, domain=source)
    facts = AcrossFacts.of(problem, network, budget)
    rules = [r for r in ACROSS_RULES if facts.output in METHODS[r.method].outputs and r.fits(facts)]
    alone, *others = [(rule, METHODS[rule.method](**rule.recipe(facts))) for rule in rules]
    tried = [Candidate(alone[1], network, alone[0].reason)]
    if methods is not None:
        for method in (r if isinstance(r, Method) else _across(str(r), facts) for r in methods):
            method.must_learn(source.asked)
            _add(
                Candidate(method, _untrained(method, network, source), "you asked for it", asked=True), tried
            )
        return Plan(_to_beat_first(tried))
    tried += [
        Candidate(method, _untrained(method, network, source), rule.reason)
        for rule, method in others
        if rule.when(facts)
    ]
    left_out = [(rule.method, rule.otherwise) for rule, _ in others if not rule.when(facts)]
    return Plan(tuple(tried), tuple(left_out))


def _to_beat_first(tried: list[Candidate]) -> tuple[Candidate, ...]:
    """The candidates, before them what was trained on the source alone, if the network's weights are random.

    A head on random features is nobody's classifier. It is foretold from these features better than any that
    is worth having, so that judges who look through them would have everything else refused.
    """
    network = tried[0].backbone
    random = not network.pretrained and any(True for _ in network.parameters())
    alone = [c for c in tried if c.asked and c.trained and c.baseline][:1] if random else []
    return (*alone, *(c for c in tried if c not in alone))


def plan_without_source(problem: Problem, methods: list[Any] | None = None) -> Plan:
    """What is worth trying where nothing is left of the source but a model, on the network that it has.

    The model as it is comes first. Its adaptation is a training, and there is nothing else to try, so that no
    time has to be named for it.

    >>> from regraft.backbones import small_mlp
    >>> lab = Domain([[0.0], [0.1], [1.0], [1.1]], ["low", "low", "high", "high"])
    >>> model = METHODS["FineTune"](least_steps=9).fit(Problem(target_labelled=lab), small_mlp(1))
    >>> field = Problem(source_model=model, target=Domain([[0.1]] * 30))
    >>> [type(candidate.method).__name__ for candidate in plan_without_source(field).candidates]
    ['SourceModelOnly', 'SourceFreeSHOT']
    """
    model, asked = problem.source_model, problem.output
    if not isinstance(model, Model):
        raise InputError("there is no source_model: give a Model, such as regraft.load(…) of a saved one")
    recipes = [r if isinstance(r, Method) else method_named(str(r))() for r in methods or ()]
    if methods is None:
        must_move(model)
    network = model.backbone.prepared_by(model.backbone.preprocessing)  # the same stages, told of their past
    network.ancestors = ancestors_of(model.provenance, model.output.names)
    alone = METHODS["SourceModelOnly"]()
    tried = [Candidate(alone, network, "the model as it is: what its adaptation has to beat")]
    left_out = []
    for method in recipes:
        method.must_learn(asked)
        _add(Candidate(method, network, "you asked for it", asked=True), tried)
    if methods is None:
        shot = SourceFreeSHOT(trained=_last_with_weights(network))
        shot.must_learn(asked)
        if len(problem.domains["target"]) < LEAST_TARGET:
            left_out.append((type(shot).__name__, TOO_FEW))
        else:
            why = (
                "where classes are clusters that the model mostly names right, features move until it is sure"
            )
            tried.append(Candidate(shot, network, why))
    return Plan(tuple(tried), tuple(left_out))


def _last_with_weights(network: Backbone) -> int:
    """How many of the last stages have to learn for any weight to."""
    return next(n for n in range(1, len(network) + 1) if any(True for _ in network[-n:].parameters()))


def _across(name: str, facts: AcrossFacts) -> Method:
    """The method of that name, with the learner that all share where it has one to choose."""
    method = method_named(name)
    chosen = next((f for f in fields(method) if f.name == "learner"), None)
    if chosen is None or facts.learner not in chosen.metadata["search"]:
        return method()
    recipe: dict[str, Any] = {"learner": facts.learner}
    return method(**recipe)


def _untrained(method: Method, network: Backbone, source: Domain) -> Backbone:
    """What a method works on: a network to be trained where there is none to borrow, and it trains one."""
    nothing_to_train = not any(True for _ in network.parameters())
    return _small(source) if isinstance(method, AcrossDomains) and nothing_to_train else network


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
    return open_backbone(
        {"images": "pixels", "vectors": "vectors", "sparse": "words", "table": "table", "texts": "text"}[
            kind_of(domain.x)
        ]
    )


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
        untrained = _small(labelled)
        return pyramid(untrained) if isinstance(labelled.output, Mask) else untrained
    return _untrained(method, network, labelled) if method.borrows else raw_backbone(labelled)


def _small(domain: Domain) -> Backbone:
    """A small network that has learned nothing, for such samples."""
    if kind_of(domain.x) == "images":
        small = isinstance(domain.x, Tensor) and max(domain.x.shape[1:3]) <= SMALL_PICTURE
        return small_convnet(size=(32, 32) if small else (64, 64), colour="rgb")
    if isinstance(domain.x, Tensor):
        return small_mlp(int(domain.x[0].numel()))
    if kind_of(domain.x) == "texts":
        return small_text()
    raise InputError("a network from scratch takes images, vectors or texts, not tables: use Boosting")
