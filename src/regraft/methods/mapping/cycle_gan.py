"""CycleGAN: the labelled source, translated into the look of the target, is what the network learns."""

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import cross_entropy

from ...backbone import Backbone
from ...errors import InputError
from ...heads import Linear
from ...method import param
from ...problem import Problem
from ...terms.least_squares import taken_for_real, told_apart
from ...terms.risk import risk
from ...trained import Network, Turn
from ...training import Step, Terms
from ..across import AcrossDomains, critic_accuracy, target_of
from .translators import Generator, Look, SourceClassifier, discriminator, translatable


@final
@dataclass(frozen=True, kw_only=True)
class CycleGAN(AcrossDomains):
    """First min_{η,β} R(x_s), then  min_{η,β} (1 − λ) R(x_s) + λ R(G(x_s))  and  min_{G,F} A + c C + s S

    R is the risk of the source's labels. G gives a sample of the source the look of the target, F the way
    back. A = mean (D_t(G(x_s)) − 1)² + mean (D_s(F(x_t)) − 1)², where the discriminators in turn learn to
    score 1 for real samples and 0 for made ones, by least squares. C = mean |F(G(x_s)) − x_s| + mean
    |G(F(x_t)) − x_t|: what cannot be undone lost something. S = CE(f(G(x_s)), class that f says of x_s), with
    f the network as it was after the share `source_first` of training, in which it learned the source alone;
    from then on all learn jointly. λ = 0 is SourceTuned.

    What is translated is what the stages that learn take: pictures where all of them learn, otherwise vectors
    or maps behind the frozen ones. G and F start as the identity, from which C is no way out: a weight of 10,
    as in the paper, kept them near it in tests where 1 did not. The paper's buffer of earlier translations is
    left out (its batches were of one sample), and of CyCADA's two halves of S the one of the target, where f
    is not to be trusted.

    It helps where the target is the source in other colours or units. It harms where light and dark change
    places: digits that are dark on light were drawn as light strokes on grey, which f reads as before, and
    the network learned to look for the wrong ones. It harms where classes have other proportions in the
    target, which translations take on while they keep their labels, and where one sample may look many ways
    (backgrounds) G has to choose one. It took 8 to 25 times as long as the source alone.

    >>> from regraft import Domain, Problem
    >>> from regraft.backbones import small_mlp
    >>> lab = Domain([[0.0], [0.1], [1.0], [1.1]], ["low", "low", "high", "high"])
    >>> field = Domain([[0.2], [1.2]])
    >>> CycleGAN().fit(Problem(source=lab, target=field), small_mlp(1)).predict(field)
    ['low', 'high']
    """

    reference: ClassVar[str] = (
        "Zhu et al., ICCV 2017, arXiv:1703.10593, eq. 1 to 3 and section 4; "
        "S: Hoffman et al., CyCADA, ICML 2018, arXiv:1711.03213, section 3"
    )
    map: ClassVar[tuple[str, ...]] = ("M32",)
    weighted: ClassVar[str] = "translated"

    translated: float = param(1.0, "λ: share of the risk that is of translations", search=(0.0, 0.5, 1.0))
    cycle: float = param(1.0, "c: how much a way there and back has to restore", search=(0.3, 1.0, 3.0, 10.0))
    semantic: float = param(0.1, "s: how much classes are to stay the same", search=(0.0, 0.1, 1.0))
    source_first: float = param(0.3, "share of training that the source has, at first", (0.1, 0.3, 0.5))
    generator_width: int = param(16, "channels of the generators at full resolution", search=(16, 32))
    critic_width: int = param(32, "hidden units of the discriminators", search=(32, 64))

    def network(self, backbone: Backbone, head: Linear, problem: Problem) -> Network:
        if not 0 <= self.weight <= 1:
            raise InputError(f"translated is {self.weight}: give a share of the risk, from 0 to 1")
        if self.weight == 0:
            return Network(backbone, head)
        source, target = (translatable(problem.domains[r].x, "CycleGAN") for r in ("source", "target"))
        look = Look(source, target)
        like = look.inside(source[:1])
        return Network(
            backbone,
            head,
            beside={
                "to_target": Generator(like, self.generator_width),
                "to_source": Generator(like, self.generator_width),
                "critic_of_target": discriminator(like, self.critic_width),
                "critic_of_source": discriminator(like, self.critic_width),
            },
            following={"look": look, "classifier": SourceClassifier(Network(backbone, head))},
        )

    def turns_across(self, network: Network) -> list[Turn]:
        g, f, d_t, d_s = network.beside.values()
        return [
            Turn(self.translate, [*network.backbone.stages, network.head, g, f]),
            Turn(self.tell_apart, [d_t, d_s]),
        ]

    def translate(self, network: Network, step: Step) -> Terms:
        source = step.batch.domains["source"]
        assert isinstance(source.x, Tensor)
        if step.progress < self.source_first:
            nothing = dict.fromkeys(("adversary", "cycle", "semantic"), torch.zeros(()))
            return {"risk": risk(network(source.x), source), **nothing}
        look, classifier = look_of(network), classifier_of(network)
        classifier.take(network)
        g, f, d_t, d_s = network.beside.values()
        s, t = look.inside(source.x), look.inside(target_of(step))
        as_target, as_source = g(s), f(t)
        translation = look.outside(as_target)

        learned = self.translated * risk(network(translation.detach()), source)
        if self.translated < 1:
            learned = learned + (1 - self.translated) * risk(network(source.x), source)
        adversary = taken_for_real(d_t(as_target)) + taken_for_real(d_s(as_source))
        cycle = (f(as_target) - s).abs().mean() + (g(as_source) - t).abs().mean()
        with torch.no_grad():
            was = classifier.scores(source.x.to(s.device), network).argmax(1)
        scores = classifier.scores(translation, network)
        step.note("cycle error", cycle / (deviation(s) + deviation(t)).clamp_min(1e-12))
        step.note("semantic agreement", (scores.argmax(1) == was).float().mean())
        return {
            "risk": learned,
            "adversary": adversary,
            "cycle": self.cycle * cycle,
            "semantic": self.semantic * cross_entropy(scores.float(), was),
        }

    def tell_apart(self, network: Network, step: Step) -> Terms:
        if step.progress < self.source_first:
            return {"discriminators": torch.zeros(())}
        x = step.batch.domains["source"].x
        assert isinstance(x, Tensor)
        look = look_of(network)
        g, f, d_t, d_s = network.beside.values()
        s, t = look.inside(x), look.inside(target_of(step))
        with torch.no_grad():
            as_target, as_source = g(s), f(t)
        of_target, of_source = (d_t(t), d_t(as_target)), (d_s(s), d_s(as_source))
        step.note("discriminators right", (share_right(*of_target) + share_right(*of_source)) / 2)
        return {"discriminators": told_apart(*of_target) + told_apart(*of_source)}


def look_of(network: Network) -> Look:
    """The units of its translations."""
    look = network.following["look"]
    assert isinstance(look, Look)
    return look


def classifier_of(network: Network) -> SourceClassifier:
    """Who says what a translation has to remain."""
    classifier = network.following["classifier"]
    assert isinstance(classifier, SourceClassifier)
    return classifier


def deviation(u: Tensor) -> Float[Tensor, ""]:
    """mean |u − ū|, the error of whoever knows the mean alone."""
    return (u - u.mean(0)).abs().mean()


def share_right(real: Tensor, made: Tensor) -> Float[Tensor, ""]:
    """The mean over both kinds of the share that a discriminator's mean score of a sample tells right.

    >>> share_right(torch.tensor([[0.9], [0.2]]), torch.tensor([[0.1], [0.3]])).item()
    0.75
    """
    scores = torch.cat([real, made]).flatten(1).mean(1)
    sides = torch.cat([torch.ones(len(real)), torch.zeros(len(made))]).to(scores.device)
    return critic_accuracy(scores - 0.5, sides)
