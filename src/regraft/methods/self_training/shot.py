"""SHOT: features move until a head that stays as the source left it is sure about the target."""

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, normalize, pad

from ...backbone import Backbone
from ...heads import Linear
from ...method import param
from ...problem import Problem
from ...terms.information import information
from ...terms.risk import risk
from ...trained import Network, Turn
from ...training import Step, Terms
from ..across import BATCH, AcrossDomains, target_of


class Centroids(nn.Module):
    """A mean direction of every class in the target, and how many steps were taken by it.

    target: all of its samples, to be looked at again; they are no part of a checkpoint.
    """

    means: Tensor
    found: Bool[Tensor, " k"]
    steps: Int[Tensor, ""]

    def __init__(self, classes: int, features: int, target: Tensor) -> None:
        super().__init__()
        self.target = target
        self.register_buffer("means", torch.zeros(classes, features + 1))
        self.register_buffer("found", torch.ones(classes, dtype=torch.bool))
        self.register_buffer("steps", torch.zeros((), dtype=torch.long))

    @torch.no_grad()
    def refresh(self, network: Network) -> None:
        """See `class_directions`; the network is asked as it answers, without dropout."""
        modes = {module: module.training for module in network.modules()}
        network.eval()
        z = torch.cat([network.features(x).float() for x in self.target.split(BATCH)])
        means, found = class_directions(z, network.head(z).float().softmax(1))
        self.means.copy_(means)
        self.found.copy_(found)
        for module, mode in modes.items():
            module.training = mode

    def nearest(self, z: Float[Tensor, "m d"]) -> Int[Tensor, " m"]:
        return nearest(directions(z), self.means, self.found)


@final
@dataclass(frozen=True, kw_only=True)
class SHOT(AcrossDomains):
    """First min_{η,β} R_S(φ_η, β), then min_η λ ( (1/m) Σ H(p_j) − H(p̄) + b (1/m) Σ CE(ŷ_j, p_j) ), β fixed

    p_j is what the network says of sample j of the target, p̄ the mean of the batch: all are to be sure, and
    not all of the same class. ŷ_j is the class whose mean direction among the target's features is nearest to
    j's; the means are taken anew every `refresh` steps, weighted by what is said and then once more by what
    that comes to. After the share `source_first` of training no sample of the source is looked at: it could
    be gone. It helps where classes are clusters in the target that the source mostly names right; it
    harms where classes are not about equally frequent, because it makes them so. λ = 0 is SourceTuned.

    The paper gives every sample the label of the last refresh; here means are kept, and a sample is given the
    nearest at every step. Label smoothing and the normalised last layers of the paper are left out.

    >>> from regraft import Domain, Problem
    >>> from regraft.backbones import small_mlp
    >>> lab = Domain([[0.0], [0.1], [1.0], [1.1]], ["low", "low", "high", "high"])
    >>> field = Domain([[0.2], [1.2]])
    >>> SHOT().fit(Problem(source=lab, target=field), small_mlp(1)).predict(field)
    ['low', 'high']
    """

    reference: ClassVar[str] = "Liang, Hu & Feng, ICML 2020, arXiv:2002.08546, section 3"
    map: ClassVar[tuple[str, ...]] = ("M26",)
    weighted: ClassVar[str] = "adaptation"

    adaptation: float = param(1.0, "λ: how much the target counts", search=(0.0, 0.3, 1.0))
    source_first: float = param(0.5, "share of training that the source has, at first", (0.3, 0.5, 0.7))
    labels_weight: float = param(0.3, "b: how much the nearest means count", search=(0.0, 0.1, 0.3, 1.0))
    refresh: int = param(20, "steps after which the means are taken anew", search=(10, 20, 100))

    def network(self, backbone: Backbone, head: Linear, problem: Problem) -> Network:
        if self.weight == 0:
            return Network(backbone, head)
        target = problem.domains["target"].x
        assert isinstance(target, Tensor)
        classes, features = head.weight.shape
        return Network(backbone, head, following={"centroids": Centroids(classes, features, target)})

    def turns_across(self, network: Network) -> list[Turn]:
        return [Turn(self.learn_source), Turn(self.adapt, list(network.backbone.stages))]

    def learn_source(self, network: Network, step: Step) -> Terms:
        if step.progress >= self.source_first:
            return {"risk": torch.zeros(())}
        source = step.batch.domains["source"]
        assert isinstance(source.x, Tensor)
        return {"risk": risk(network(source.x), source)}

    def adapt(self, network: Network, step: Step) -> Terms:
        if step.progress < self.source_first:
            return {"information": torch.zeros(()), "labels": torch.zeros(())}
        z = network.features(target_of(step))
        scores = network.head(z)
        label = nearest_labels(network, z, self.refresh)
        return {
            "information": -self.weight * information(scores),
            "labels": self.weight * self.labels_weight * cross_entropy(scores, label),
        }


def nearest_labels(network: Network, z: Float[Tensor, "m d"], refresh: int) -> Int[Tensor, " m"]:
    """The classes that a batch is nearest to, by means that are taken anew every so many steps."""
    centroids = network.following["centroids"]
    assert isinstance(centroids, Centroids)
    if int(centroids.steps) % refresh == 0:
        centroids.refresh(network)
    centroids.steps += 1
    return centroids.nearest(z.detach())


def directions(z: Float[Tensor, "m d"]) -> Float[Tensor, "m d1"]:
    """(z, 1) at length 1."""
    return normalize(pad(z.float(), (0, 1), value=1.0), dim=1)


def nearest(
    u: Float[Tensor, "m d1"], means: Float[Tensor, "k d1"], found: Bool[Tensor, " k"]
) -> Int[Tensor, " m"]:
    """The class of the largest cosine, of those that were found."""
    return (u @ normalize(means, dim=1).T).masked_fill(~found, -torch.inf).argmax(1)


def class_directions(
    z: Float[Tensor, "m d"], p: Float[Tensor, "m k"]
) -> tuple[Float[Tensor, "k d1"], Bool[Tensor, " k"]]:
    """For every class the mean of the samples nearest to  Σ_i p_ik u_i / Σ_i p_ik,  and whether it has any

    u_i is the direction of (z_i, 1).

    >>> means, found = class_directions(torch.tensor([[0.0], [0.0]]), torch.tensor([[0.9, 0.1], [0.6, 0.4]]))
    >>> means.tolist(), found.tolist()
    ([[0.0, 1.0], [0.0, 0.0]], [True, False])
    """
    u = directions(z)
    said = p.sum(0)
    first = p.T @ u / said[:, None].clamp_min(1e-8)
    label = nearest(u, first, torch.ones_like(said, dtype=torch.bool))
    one_hot = torch.nn.functional.one_hot(label, p.shape[1]).float()
    count = one_hot.sum(0)
    return one_hot.T @ u / count[:, None].clamp_min(1), count > 0
