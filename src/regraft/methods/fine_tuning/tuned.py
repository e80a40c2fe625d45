"""What all fine-tuning starts from, and what every kind of it may do besides."""

from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.distributions import Beta

from ...backbone import Backbone
from ...domain import Domain
from ...errors import InputError
from ...features import embed
from ...folds import complement, stratified_folds
from ...heads import Linear
from ...method import param
from ...output import OUTPUTS, Classes, Mask
from ...pretrained_head import PretrainedHead
from ...problem import Problem
from ...schedule import Schedule
from ...terms.risk import risk
from ...terms.smoothing import uniform_risk
from ...trained import Network, Trained
from ...training import Step, Terms, Training
from ..features.old_head import old_head_of
from ..features.probe import probe_of
from ..segmentation.pixel_probe import PixelProbe

JUDGED_IN = 5  # folds
STARTS = ("probe", "old", "better")


@dataclass(frozen=True, kw_only=True)
class Tuned(Trained):
    """A borrowed network and a head that starts as the linear probe; recipes say who learns when.

    Five switches that all of them have: a head that starts as the old one where that knows a class by name,
    and as the probe where it does not (`backbone.old_head`), or as the better of both (`old_is_better`);
    labels of classes smoothed by ε; mixup, where x̃ = λ x + (1 − λ) x′ is to be told as λ y + (1 − λ) y′,
    λ ~ Beta(α, α), which needs some hundreds of labels to help; BatchNorm's statistics counted anew in the
    stages that learn, for samples of another look; and the average of what came out with what it started
    from, θ = (1 − a) θ⁰ + a θ¹ (WiSE-FT, Wortsman et al., CVPR 2022, arXiv:2109.01903), which keeps more of
    what pretraining knew of other looks.
    """

    outputs: ClassVar[frozenset[str]] = frozenset(OUTPUTS)

    rate: float = param(1e-3, "learning rate of the head at its height", search=(3e-4, 1e-3, 3e-3))
    stage_rate: float = param(
        5e-4, "learning rate of the last stage at its height", search=(1e-4, 5e-4, 1e-3)
    )
    head: str = param(
        "probe", "what the head starts as: probe, old where the old head has the class, or the better", STARTS
    )
    smoothing: float = param(0.0, "ε, by which labels are smoothed", search=(0.0, 0.1))
    mixup: float = param(0.0, "α of mixup; 0 mixes nothing", search=(0.0, 0.2))
    mixup_from: int = param(500, "labels below which nothing is mixed", search=(200, 500))
    statistics: bool = param(
        False, "whether BatchNorm of stages that learn takes statistics of the new samples", (False, True)
    )
    average: float = param(
        1.0, "a, the share of the trained network in its average with the start", (0.5, 1.0)
    )

    def lowest_trained(self, backbone: Backbone) -> int:
        return 0

    def shaped(self, learning: Backbone) -> Schedule:
        return replace(super().shaped(learning), statistics=self.statistics)

    def start(self, problem: Problem, backbone: Backbone, training: Training) -> Network:
        if self.head not in STARTS:
            raise InputError(
                f"head is {self.head!r}, and a head starts as one of {', '.join(STARTS)}: name one"
            )
        features = features_of(backbone, problem, training)
        head, told = probed(features, backbone, training), {}
        old = backbone.old_head if self.head == "better" else None
        if self.head == "old" or (old is not None and old_is_better(old, features, training)):
            old = old_head_of(backbone)
            assert isinstance(head, Linear)
            told = {"head": old.told(inherited(head, old, features))}
        network = Started(backbone, head)
        network.told = told
        network.mixes = self.mixup > 0 and len(problem.domains["target_labelled"]) >= self.mixup_from
        return network

    def objective(self, network: Network, step: Step) -> Terms:
        assert isinstance(network, Started)
        labelled = step.batch.domains["target_labelled"]
        assert isinstance(labelled.x, Tensor)
        if network.mixes:
            share = Beta(self.mixup, self.mixup).sample()
            partner = torch.randperm(len(labelled))
            scores = network(share * labelled.x + (1 - share) * labelled.x[partner])
            told = share * risk(scores, labelled) + (1 - share) * risk(scores, labelled[partner])
        else:
            scores = network(labelled.x)
            told = risk(scores, labelled)
        if self.smoothing == 0 or not isinstance(labelled.output, Classes):
            return {"risk": told}
        return {"risk": (1 - self.smoothing) * told, "smoothing": self.smoothing * uniform_risk(scores)}

    def finish(self, network: Network) -> None:
        assert isinstance(network, Started)
        if self.average < 1:
            network.blend(self.average)


class Started(Network):
    """A network that remembers where it started."""

    def __init__(self, backbone: Backbone, head: nn.Module) -> None:
        super().__init__(backbone, head)
        self.mixes = False
        self.began = {name: p.detach().clone() for name, p in self.named_parameters()}

    @torch.no_grad()
    def blend(self, share: float) -> None:
        """θ = (1 − a) θ⁰ + a θ¹ for every parameter."""
        for name, p in self.named_parameters():
            p.lerp_(self.began[name].to(p.device), 1 - share)


def features_of(backbone: Backbone, problem: Problem, training: Training) -> Domain:
    """The labelled samples as the head sees them before training."""
    features = embed(backbone, problem.domains["target_labelled"], None, training.engine)
    assert isinstance(features.x, Tensor)
    return features.with_(x=features.x.flatten(1))


def probed(features: Domain, backbone: Backbone, training: Training) -> nn.Module:
    """The linear probe on what the backbone makes of samples, in float32, free to be trained."""
    if isinstance(features.output, Mask):
        return PixelProbe().heads(features, [torch.arange(len(features))], backbone, training)[0]
    solved = probe_of(features.asked).head(features, training)
    assert isinstance(solved, Linear)
    return Linear.of(solved.weight.detach().float(), solved.bias.detach().float())


@torch.no_grad()
def inherited(head: Linear, old: PretrainedHead, features: Domain) -> dict[str, int]:
    """Put the old head's rows in the place of the probe's where it has the class; which rows these are.

    Softmax is blind to what all rows have in common, so the old ones are counted from the mean of all of
    theirs, as those of a probe are. Where they stand beside rows of the probe, they are made as long as those
    that they replace, all by one factor: the old ones, which saw far more samples, are surer, and would
    otherwise answer for the others (on caltech20, of which ImageNet knows 8 names, with one label a class
    69 % were right and not 85 %).

    >>> head = Linear.of(torch.tensor([[1.0], [-1.0]]), torch.zeros(2))
    >>> old = PretrainedHead(torch.tensor([[2.0], [6.0]]), torch.tensor([0.0, 4.0]), ("emu", "owl"), "birds")
    >>> inherited(head, old, Domain([[0.0], [1.0]], ["kiwi", "owl"]))
    {'owl': 1}
    >>> head.weight.flatten().tolist(), head.bias.tolist()
    ([1.0, 1.0], [0.0, 1.0])
    """
    rows, names = old.rows(features), features.classes.names
    replaced, taken = [names.index(name) for name in rows], list(rows.values())
    if taken:
        weight, bias = old.weight[taken] - old.weight.mean(0), old.bias[taken] - old.bias.mean()
        alone = len(taken) == len(names)
        factor = 1.0 if alone else head.weight[replaced].norm() / weight.norm().clamp(min=1e-12)
        head.weight[replaced] = (factor * weight).to(head.weight.dtype)
        head.bias[replaced] = (factor * bias).to(head.bias.dtype)
    return rows


def old_is_better(old: PretrainedHead, features: Domain, training: Training) -> bool:
    """Whether the old head has all classes and tells at least as many samples right as the probe does.

    The probe is judged in five folds by samples that it was not fitted to; the old head was fitted to none.

    >>> seen = Domain(torch.randn(40, 2), ["crow", "owl"] * 20)
    >>> x = torch.nn.functional.one_hot(seen.labels, 2) + 0.1 * seen.x
    >>> knows, mistakes = torch.eye(2), torch.eye(2).flip(0)
    >>> old = [PretrainedHead(w, torch.zeros(2), ("crow", "owl"), "birds") for w in (knows, mistakes)]
    >>> [old_is_better(one, seen.with_(x=x), Training()) for one in old]
    [True, False]
    """
    if not isinstance(features.output, Classes):
        return False
    rows, y = old.rows(features), features.labels
    if len(rows) < features.classes.width:
        return False
    of = [rows[name] for name in features.classes.names]
    assert isinstance(features.x, Tensor)
    z = features.x.to(old.weight.dtype)
    told = nn.functional.linear(z, old.weight[of], old.bias[of]).argmax(1) == y
    held_out = stratified_folds(features, JUDGED_IN, training.seed)
    if not held_out:
        return True  # with one sample of each class nothing speaks for the probe
    kept = [complement(fold, len(y)) for fold in held_out]
    probes = probe_of(features.asked).heads(features, kept, training)
    right = sum(
        int((probe(features.x[fold]).argmax(1) == y[fold]).sum())
        for probe, fold in zip(probes, held_out, strict=True)
    )
    return int(told[torch.cat(held_out)].sum()) >= right


def as_borrowed(backbone: Backbone) -> Backbone:
    """The backbone in which nothing is marked as learning: what an earlier fit added belongs to it now."""
    for module in backbone.modules():
        if hasattr(module, "learns"):
            del module.learns
    return backbone
