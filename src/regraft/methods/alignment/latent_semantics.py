"""Latent semantics: directions along which many samples vary say what few labels cannot."""

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize

from ...heads.affine import Affine
from ...heads.principal import principal
from ...heads.semantics import Semantics, beside_axes
from ...method import param
from ...output import Classes
from ...training import Training
from ..both_sides import OnBothSides, Seen, Sides
from ..features.learners import LEARNERS


@final
@dataclass(frozen=True, kw_only=True)
class LatentSemantics(OnBothSides):
    """min_h Σ_s ℓ(h([w_s, a v_s]), y_s),  w = W z / ‖W z‖,  v = Vᵀ(w − w̄) / ‖Vᵀ(w − w̄)‖

    V are the first `components` principal axes of w of all samples, labelled or not, a is `share`, and
    W = diag(log((1 + n) / (1 + n_j)) + 1), n_j of the n samples not being 0 in column j: a word that is
    rare counts more. Words that occur together come to lie along one axis, so that a head knows of a word
    that no labelled sample has, by its company; beside it stand the words themselves, for what is told apart
    by few of them. With `own_mean` w̄ is that of each side: domains that use words otherwise lie apart along
    the axes, and where classes are as frequent in both, that is taken away.

    It helps with counts of words: of reviews by 5,000 words, with 4, 10 and 25 labels a class and a pool,
    six, seven and eight points; with the labels of other reviews, around own means, one to six points on each
    of six pairs. Where classes differ along no axis on which the samples differ much, as praise and blame in
    single sentences do, it is worth one or two. It harms where own means are taken and a class is more
    frequent on one side: then what differs is taken away.

    >>> from regraft import Domain, Problem
    >>> from regraft.backbones import vectors
    >>> few = Domain([[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]] * 2, ["sea", "desert"] * 2)
    >>> pool = Domain([[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]] * 5)
    >>> model = LatentSemantics(components=1).fit(Problem(target_labelled=few, unlabelled=pool), vectors())
    >>> model.predict([[0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
    ['sea', 'desert']
    """

    reference: ClassVar[str] = (
        "Deerwester et al., Indexing by latent semantic analysis, JASIS 1990, with the weights of "
        "Spärck Jones, Journal of Documentation 1972"
    )
    outputs: ClassVar[frozenset[str]] = frozenset({Classes.kind})
    semi: ClassVar[bool] = True
    map: ClassVar[tuple[str, ...]] = ("M27",)

    learner: str = param(
        "probe", "what learns: auto, the probe of the output, cautious, ridge, or kernel", LEARNERS
    )
    components: int = param(16, "principal axes of all samples; 0 keeps them all", search=(8, 16, 32, 64))
    share: float = param(0.5, "of a place on the axes, beside words of length 1", (0.25, 0.5, 1.0, 2.0))
    own_mean: bool = param(False, "whether each side lies around its own mean", search=(False, True))
    rare: bool = param(True, "whether what few samples have counts more", search=(False, True))

    def sides(self, seen: Seen, training: Training) -> Sides:
        sides = seen.source.x, seen.target
        weight = rareness(sides) if self.rare else torch.ones_like(sides[0][0])
        words = [normalize(z.double() * weight, dim=1) for z in sides]
        axes = principal(words, self.components)
        source, target = (around(w, axes) if self.own_mean else axes for w in words)
        learned = seen.source.with_(x=beside_axes(seen.source.x, weight, source, self.share))
        head = self.taught_by(learned, training)
        of_target, of_source = (Semantics.of(weight, each, self.share, head) for each in (target, source))
        return Sides(of_target, of_source, {"axes": len(axes.weight)})


def around(w: Float[Tensor, "n d"], axes: Affine) -> Affine:
    """The same axes, on which the mean of these samples is at 0.

    >>> moved = around(torch.tensor([[1.0, 5.0], [3.0, 5.0]]).double(), Affine.identity(2))
    >>> moved(torch.tensor([[2.0, 6.0]])).tolist()
    [[0.0, 1.0]]
    """
    return Affine(axes.weight, -torch.mv(axes.weight, w.mean(0)))


def rareness(samples: tuple[Float[Tensor, "n d"], ...]) -> Float[Tensor, " d"]:
    """log((1 + n) / (1 + n_j)) + 1, n_j the samples that are not 0 in column j.

    >>> rareness((torch.tensor([[1.0, 0.0]]), torch.tensor([[2.0, 3.0]]))).tolist()
    [1.0, 1.4054651081081644]
    """
    n = sum(map(len, samples))
    present = torch.stack([(z != 0).sum(0) for z in samples]).sum(0).double()
    return ((1 + n) / (1 + present)).log() + 1
