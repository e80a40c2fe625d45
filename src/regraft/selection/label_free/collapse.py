"""Reasons why a candidate must not be taken, whatever judges say of it."""

import torch
from jaxtyping import Float
from torch import Tensor

from ...errors import InputError
from ...intervals import Interval, paired_gain
from ...terms.partitions import entropy
from ...text import some_of
from .trial import Trial

VARIETY = 1 / 3  # of the classes beyond the first; collapsed runs have a handful of dozens, sound ones half
RARE = 1 / 4  # of a class's even share: a class that is rarer may well be missed
CHANCE = 0.01  # with which a class that is there would not be among the samples
DEPENDENCE = 0.1  # of what answers vary with the sample on the source, or at the most
WORSE = 0.02  # of source accuracy: what adapts may pay so much for the target
EVENED = 0.15  # of the target's samples, by which proportions may move where the source's are not there


def collapse(
    trial: Trial,
    baseline: Trial | None = None,
    expected: Float[Tensor, " k"] | None = None,
    keeps_source: bool = True,
) -> list[str]:
    """What speaks against a candidate in plain words; nothing where it did not collapse.

    baseline: source only on the same split. What it does as well is no fault of the adaptation.
    expected: the shares of the classes in the target, where somebody has estimated them; else those of the
    source are expected, so that a target which truly lacks classes needs it, or where no sample of the source
    is left, those that the baseline tells. keeps_source: whether losing the
    source is held against it, which it is not where a part of the source is known to mean something else.

    A candidate is refused if it tells too few classes of the target (`classes_told`), if it never tells some
    that should be there (`unheard`), if what it says hardly depends on the sample (`dependence`), or if it
    surely lost more than two points of accuracy on held-out samples of the source. Where none are left, it is
    refused instead if it tells the classes in clearly other proportions than the baseline (`moved_share`): to
    mend a classifier that a shift made partial, and to force even classes on a target that has others, look
    the same without the source. Surely: of few samples the
    bound of no loss at all is far below −2 points, and what wins fifteen points of the target may cost two of
    the source. On candidates that give up parts of the source on purpose, as weighted ones do, the last is
    hard.
    """
    said, m = _counts(trial), len(trial.of_target)
    usual = None if baseline is None else _counts(baseline)
    shares = _expected(trial, usual).double() if expected is None else expected.double()
    shares = shares / shares.sum()
    reasons = []

    # of samples that may all be of one class by chance, nothing is proven by their being told alike
    many = float((shares**m).sum()) < CHANCE
    told, wanted = classes_told(said), min(classes_told(shares), m / 2)  # few samples cannot show many
    if many and told - 1 < VARIETY * (wanted - 1) and (usual is None or told < classes_told(usual)):
        reasons.append(
            f"it tells {told:.1f} classes of the target, counted by how often, and {wanted:.1f} are expected"
        )
    if missing := [
        trial.problem.output.names[c]
        for c in unheard(said, shares)
        if usual is None or usual[c] > 0  # whom source only misses as well, the shift hides
    ]:
        reasons.append(f"it never says {some_of(missing)}, which should be in the target")

    least = DEPENDENCE * (1.0 if trial.held_out is None else dependence(trial.held_out.said))
    here = dependence(trial.of_target)
    if many and here < least and (baseline is None or here < dependence(baseline.of_target)):
        reasons.append("what it says of the target hardly depends on the sample")

    if baseline is not None and trial.held_out is not None and keeps_source:
        gain = source_gain(trial, baseline)
        if gain.high < -WORSE:
            reasons.append(f"it lost the source: {gain.points()} of accuracy against source only")
    if usual is not None and trial.held_out is None and (moved := moved_share(said, usual)) > EVENED:
        reasons.append(
            f"it moves {100 * moved:.0f} % of the target to other classes on balance, and without the source "
            "nobody can tell whether its proportions are such"
        )
    return reasons


def moved_share(said: Tensor, usual: Tensor) -> float:
    """½ Σ |p_c − q_c|: the total variation between the proportions of what two candidates tell.

    >>> moved_share(torch.tensor([5, 5]), torch.tensor([8, 2]))
    0.3
    """
    return round(float((said / said.sum() - usual / usual.sum()).abs().sum()) / 2, 6)


def classes_told(counts: Float[Tensor, " k"] | Tensor) -> float:
    """exp H of their shares: how many classes, each as frequent, would be as varied.

    >>> classes_told(torch.tensor([3, 3, 0])), classes_told(torch.tensor([6, 0, 0]))
    (2.0, 1.0)
    """
    return round(torch.tensor(entropy(counts)).exp().item(), 6)


def unheard(said: Tensor, shares: Float[Tensor, " k"]) -> list[int]:
    """The classes that are never said although they are neither rare nor likely to be absent.

    A share of at least a quarter of 1/k, and a chance (1 − share)^m below one in a hundred that m samples
    have none.

    >>> unheard(torch.tensor([50, 50, 0, 0]), torch.tensor([0.4, 0.4, 0.19, 0.01]))
    [2]
    """
    k, m = len(shares), int(said.sum())
    due = (shares >= RARE / k) & ((1 - shares) ** m < CHANCE) & (said == 0)
    return [int(c) for c in due.nonzero().squeeze(1)]


def dependence(log_p: Float[Tensor, "m k"]) -> float:
    """(1/m) Σ ‖pᵢ − p̄‖² / (1 − ‖p̄‖²): 0 where all samples are told the same, 1 where all are certain.

    >>> dependence(torch.eye(2).log()), dependence(torch.full((3, 2), 0.5).log())
    (1.0, 0.0)
    """
    p = log_p.double().exp()
    mean = p.mean(0)
    most = float(1 - mean.square().sum())
    return float((p - mean).square().sum(1).mean()) / most if most > 1e-12 else 0.0


def source_gain(trial: Trial, baseline: Trial) -> Interval:
    """The paired gain of accuracy on the held-out source."""
    one, other = trial.held_out, baseline.held_out
    assert one is not None
    assert other is not None
    y = one.samples.labels
    if trial.seed != baseline.seed or not torch.equal(y, other.samples.labels):
        raise InputError(
            "the trials are of two splits of the source: compare candidates that were tried on the same one"
        )
    return paired_gain(one.right.float(), other.right.float(), torch.zeros_like(y), one.samples.group)


def _expected(trial: Trial, usual: Tensor | None) -> Tensor:
    """The counts of the source's classes; where none of its samples is left, those that its model, the
    baseline, tells of the target, or all alike."""
    if trial.held_out is not None:
        kept = trial.problem.labelled
        return kept.classes.counts(kept.labels)
    return torch.ones(trial.of_target.shape[1]) if usual is None else usual


def _counts(trial: Trial) -> Tensor:
    """How often each class is said of the target."""
    return torch.bincount(trial.of_target.argmax(1), minlength=trial.of_target.shape[1])
