"""How many layers to reuse, and how many of them to change: found step by step."""

from dataclasses import dataclass, fields
from typing import ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor

from ...backbone import Backbone
from ...backbones.pool import Pool, shortened
from ...domain import Domain
from ...errors import InputError
from ...features import embed
from ...heads.ridge import fit_known_numbers, fit_ridge
from ...heads.scaling import scaled
from ...method import param
from ...model import Model
from ...output import Classes, Mask, Real
from ...output.entries import known_entries
from ...problem import Problem
from ...schedule import Schedule
from ...training import Training
from ...units import Units
from .frozen_layers import FrozenLayers
from .tuned import Tuned


@final
@dataclass(frozen=True, kw_only=True)
class ReuseDepth(Tuned):
    """min_{c,t,η,β} (1/n) Σ ℓ(φ_{≤c}(xᵢ)ᵀβ, yᵢ)  over the cut c and the parameters of t stages before it

    First the cut: at every stage the pooled features get a ridge classifier (of numbers a regression),
    judged by leaving samples out; stages behind the best cut are dropped, unless what they add up to is as
    good. Then upwards in freedom: all frozen, then one stage trained, then two, as long as the loss on
    held-out labels falls by a share of
    `pays` each time. With little data it ends with frozen features, of an earlier stage where the task is not
    that of pretraining; with more it ends deeper. What is frozen runs once, so a step costs what it trains.

    >>> import torch
    >>> from regraft import Backbone, Domain, Problem
    >>> phi = Backbone([("a", torch.nn.Linear(1, 8)), ("b", torch.nn.Linear(8, 8))], name="toy")
    >>> data = Domain(torch.linspace(0, 1, 20)[:, None], ["low"] * 10 + ["high"] * 10)
    >>> ReuseDepth(least_steps=50).fit(Problem(target_labelled=data), phi).predict([[0.2], [0.9]])
    ['low', 'high']
    """

    reference: ClassVar[str] = "Yosinski et al., NeurIPS 2014, arXiv:1411.1792; Howard & Ruder, ACL 2018"
    outputs: ClassVar[frozenset[str]] = Tuned.outputs - {Mask.kind}  # cuts are judged by pooled features
    map: ClassVar[tuple[str, ...]] = ("M02", "M03", "M05")

    deepest: int = param(3, "stages trained at the most", search=(1, 3, 5))
    pays: float = param(
        0.02, "share by which the held-out loss has to fall for a step", search=(0.0, 0.02, 0.1)
    )

    def schedule(self, stages: int) -> Schedule:
        return Schedule(self.rate, self.stage_rate, (0.0,) * stages)

    def timetable(self, backbone: Backbone) -> Schedule | None:
        return None  # found while fitting

    def _fitted(self, problem: Problem, backbone: Backbone, training: Training) -> Model:
        if self.held_out == 0:
            raise InputError("ReuseDepth chooses by held-out labels, and held_out is 0: give it a share")
        problem, backbone = self._given(problem, backbone)
        at_cut = self._judged_cuts(problem.domains["target_labelled"], backbone, training)
        best = min(at_cut, key=lambda c: at_cut[c])
        cut = len(backbone) if at_cut[len(backbone)] <= (1 + self.pays) * at_cut[best] else best
        network = shortened(backbone, cut)
        lowest = max(0, cut - self.deepest)
        at = {lowest: self.at_the_cut(network[:lowest], problem, training)}
        for k in range(lowest, cut):
            at[k + 1] = self.at_the_cut(network.cut(k)[1][:1], at[k], training)
        shared = {f.name: getattr(self, f.name) for f in fields(FrozenLayers) if f.name != "trained"}
        if network.old_head is None and backbone.old_head is not None:
            shared["head"] = "probe"  # the stages that the old head sat behind are gone
        found: Model | None = None
        losses: list[float] = []
        for k in range(cut, lowest - 1, -1):
            front, rest = network.cut(k)
            recipe = FrozenLayers(trained=len(rest), **shared)
            model = recipe.learn(at[k], rest, training)
            losses.append(model.provenance["held_out_loss"])
            if found is not None and not losses[-1] < (1 - self.pays) * min(losses[:-1]):
                break
            found = model.behind(front)
            found.provenance |= {"schedule": recipe.shaped(rest).behind(k).to_json()}
        assert found is not None
        found.engine = training.engine
        found.provenance |= {
            "loss_at_cut": {backbone.names[c - 1]: loss for c, loss in at_cut.items()},
            "cut": backbone.names[cut - 1],
            "held_out_loss_by_trained_stages": losses,
        }
        return found

    def _judged_cuts(self, labelled: Domain, backbone: Backbone, training: Training) -> dict[int, float]:
        """The left-out loss of least squares on the pooled features of every cut."""
        losses, pool = {}, Pool()
        seen = embed(backbone[:0], labelled, None, training.engine)
        for k in range(len(backbone)):
            stage = backbone.cut(k)[1][:1]
            seen = embed(stage, seen, None, training.engine)
            assert isinstance(seen.x, Tensor)
            z = pool(seen.x.float()) if k + 1 < len(backbone) else seen.x.flatten(1)
            u, _, _ = scaled(z)
            losses[k + 1] = left_out_loss(u, labelled)
        return losses


def left_out_loss(u: Float[Tensor, "n d"], labelled: Domain) -> float:
    """The loss of least squares on u when single samples are left out: log loss, or squared error in units of
    the numbers' own variance; of several labels the mean of their log losses."""
    y, observed = labelled.labels, labelled.observed
    if isinstance(labelled.output, Classes):
        return float(fit_ridge(u, y, labelled.classes.width).losses.nan_to_num(torch.inf).min())
    if isinstance(labelled.output, Real):
        standard = Units.of(labelled).standard(labelled)
        [fit] = fit_known_numbers(u, standard.labels, [torch.arange(len(u))], observed)
        return float(fit.loss.mean())
    losses = []
    for column, known in zip(y.T.long(), known_entries(y, observed).bool().T, strict=True):
        if column[known].unique().numel() == 2:
            losses.append(float(fit_ridge(u[known], column[known], 2).losses.nan_to_num(torch.inf).min()))
    return sum(losses) / max(len(losses), 1)
