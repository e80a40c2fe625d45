"""How well a candidate knows the part of the source that looks like the target."""

from typing import ClassVar, final

from .trial import LabelFree, Trial


@final
class ImportanceWeighted(LabelFree):
    """Σ wᵢ 1[argmax_c p_c(xᵢ) = yᵢ] / Σ wᵢ over the held-out samples of the source, w = p_target / p_source

    The target's accuracy, as far as samples of the source tell it: if P(y | x) is the same on both sides and
    the target lies within the source. Where it lies outside, a few samples have all of the weight and the
    score is chance; where P(y | x) changed, it prefers what knew the old one. Of 232 pairs of a deep method
    and a shift in SKADA-Bench's recorded results, what it chose was 3.4 points below source only on average,
    and worse in more than half.

    >>> import torch
    >>> from types import SimpleNamespace
    >>> held = SimpleNamespace(right=torch.tensor([True, False, True]), ratio=torch.tensor([0.5, 2.0, 0.5]))
    >>> round(ImportanceWeighted()(SimpleNamespace(held_out=held)), 3)
    0.333
    """

    name: ClassVar[str] = "importance weighted"
    short: ClassVar[str] = "IWV"
    kind: ClassVar[str] = "source"
    asks_source: ClassVar[bool] = True
    reference: ClassVar[str] = "Sugiyama, Krauledat & Müller, JMLR 2007; Lalou et al. 2024, arXiv:2407.11676"
    warning: ClassVar[str] = "is chance where the target lies outside the source"

    def __call__(self, trial: Trial) -> float:
        assert trial.held_out is not None
        w = trial.held_out.ratio.double()
        return float((w * trial.held_out.right).sum() / w.sum())
