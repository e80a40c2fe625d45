"""Whether samples without labels look like those with labels that they are to be learned with."""

from dataclasses import dataclass
from typing import Any, final

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import normalize

from ..certainty import Novelty
from ..clustering import LEAST, lying_together
from ..doctor import Finding, Sample
from ..domain import Domain
from ..heads.principal import principal
from ..intervals import Interval, share
from ..samples import sample_names
from ..shift.apart import told_apart
from ..text import counted

COMPONENTS = 32  # principal ones of all samples, in which both are compared
FEWEST_LABELLED, FEWEST_POOLED = 8, 20  # samples below which nobody can say what is usual
MOST = 2000  # samples of the pool that are looked at
TOLD = 0.55  # area under the curve, above which the pool is told from the labelled samples
OFTEN = 0.12  # share of the pool far from every class, above which it holds something else
MOSTLY = 0.5  # share of zeros, above which columns are counts of what is rare
CHANCE = 0.001  # of such a share where few labelled samples happen to lie near one another


@final
@dataclass(frozen=True, eq=False)
class Belonging:
    """What tells a pool from the labelled samples beside it.

    auc: of a linear classifier that is to tell which samples are of the pool, held out; 0.5 where they are of
    one kind. novel: the share of the pool that is farther from every class than labelled samples are from
    their own; about 0.05 where they are of one kind, and a little more with few labels. strangers: those of
    them that lie together, in groups, as rows of the pool, the nearest to a group's centre first. often: the
    novel share above which the pool holds something else.
    """

    auc: Interval
    novel: Interval
    strangers: tuple[tuple[int, ...], ...] = ()
    often: float = OFTEN

    @property
    def alike(self) -> bool:
        """Whether nothing proves that the pool is of another kind.

        >>> chance = Interval(0.5, 0.4, 0.6)
        >>> Belonging(chance, Interval(0.06, 0.02, 0.1)).alike
        True
        >>> Belonging(chance, Interval(0.4, 0.35, 0.45)).alike
        False
        """
        return self.auc.low <= TOLD and self.novel.low <= self.often

    def __str__(self) -> str:
        says = "looks" if self.alike else "does not look"
        return (
            f"{says} like the labelled samples: told from them with an area under the curve of {self.auc}, "
            f"where 0.50 is chance; {100 * self.novel.value:.0f} % far from all of them, where {self.usual}"
        )

    @property
    def usual(self) -> str:
        """How much of a pool of the same kind is far, in words."""
        return f"5 % are usual and {100 * self.often:.0f} % may be chance"

    def findings(self, pool: Domain) -> tuple[Finding, ...]:
        """What there is to say of it, and what to do."""
        found = []
        if self.auc.low > TOLD:
            found.append(
                Finding(
                    "pool",
                    "warning",
                    f"the pool does not look like the labelled samples: a linear classifier tells it from "
                    f"them with an area under the curve of {self.auc} (0.50 is chance): its samples are "
                    "others, or its classes come in other proportions; regraft shift tells more",
                )
            )
        if self.novel.low > self.often:
            names = sample_names(pool.x)
            groups = (
                f"; {counted(sum(map(len, self.strangers)), 'sample')} of these lie in "
                f"{counted(len(self.strangers), 'group')}"
                if self.strangers
                else ""
            )
            found.append(
                Finding(
                    "strangers",
                    "warning",
                    f"the pool holds samples of other classes: {100 * self.novel.value:.0f} % of it are far "
                    f"from all labelled ones, where {self.usual}{groups}: leave them out, or label some",
                    tuple(
                        tuple(Sample("unlabelled", row, names[row]) for row in rows)
                        for rows in self.strangers
                    ),
                    same=False,
                )
            )
        return tuple(found)

    def to_json(self) -> dict[str, Any]:
        return {
            "alike": self.alike,
            "auc": self.auc.to_json(),
            "novel": self.novel.to_json(),
            "often": self.often,
            "strangers": [len(rows) for rows in self.strangers],
        }


def belonging(
    labelled: Domain, pool: Float[Tensor, "m d"], directions: bool, seed: int = 0
) -> Belonging | None:
    """Of labelled features (n × d in x) and the features of a pool; None for fewer than 8 or 20 of these.

    directions: whether features are compared as directions, as a network's are (`certainty.Novelty`). Of a
    pool of more than 2,000, as many are drawn. Of counts of words, which are mostly zeros, few samples do not
    tell how much a column usually varies: they are compared along 32 components of both sides. What is not
    noticed: a pool that lies closer together than the labelled samples, around the same middle.

    >>> luck = torch.Generator().manual_seed(0)
    >>> x = torch.randn(460, 4, generator=luck)
    >>> x[:, 0] += torch.arange(460) % 2 * 9
    >>> few = Domain(x[:60], [f"class {i % 2}" for i in range(60)])
    >>> belonging(few, x[60:], directions=False).alike
    True
    >>> other = torch.cat([x[60:300], x[300:] + torch.tensor([0.0, 30.0, 0.0, 0.0])])
    >>> found = belonging(few, other, directions=False)
    >>> found.alike, [len(rows) for rows in found.strangers]
    (False, [80, 80, 11])
    """
    if len(labelled) < FEWEST_LABELLED or len(pool) < FEWEST_POOLED:
        return None
    drawn = torch.randperm(len(pool), generator=torch.Generator().manual_seed(seed))[:MOST].sort().values
    z, few = pool[drawn].flatten(1).double(), labelled.with_(x=labelled.x.flatten(1).double())
    space = principal([few.x, z], COMPONENTS)
    apart = told_apart(few.with_(x=space(few.x)), Domain(space(z)), seed)
    seen, there = (few, z) if directions or not mostly_zeros(z) else (few.with_(x=space(few.x)), space(z))
    far = Novelty.of(seen, directions)(there) > 1
    novel = share(far.double(), torch.zeros(len(far), dtype=torch.long))
    alike = few.asked.alike(few.labels).unique(return_inverse=True, return_counts=True)[2]
    often = max(OFTEN, by_chance(int(alike[alike > 1].sum())))  # what is alone of its kind has no distance
    found = Belonging(apart.auc, novel, often=often)
    if novel.low <= often or int(far.sum()) < LEAST:
        return found
    return Belonging(apart.auc, novel, groups_of(z[far], drawn[far], seed), often)


def mostly_zeros(z: Float[Tensor, "n d"]) -> bool:
    """Whether columns are of things that most samples have none of."""
    return bool((z == 0).double().mean() > MOSTLY)


def by_chance(n: int) -> float:
    """1 − p^(1/n): the share of new samples that are farther than the farthest of n, which chance exceeds
    with p, one in a thousand. Of none everything may be far.

    >>> [round(by_chance(n), 2) for n in (8, 40, 200)]
    [0.58, 0.16, 0.03]
    """
    return float(1 - CHANCE ** (1 / n)) if n else 1.0


def groups_of(z: Float[Tensor, "f d"], rows: Int[Tensor, " f"], seed: int) -> tuple[tuple[int, ...], ...]:
    """Samples that lie together, the largest group first; what lies nearest to its centre comes first."""
    at = normalize(principal([z], COMPONENTS)(z), dim=1)
    clusters = lying_together(Domain(at), "", at, None, seed)
    found = []
    for c, nearest in enumerate(clusters.exemplars):
        mine = (clusters.cluster == c).nonzero().squeeze(1).tolist()
        ordered = [*nearest, *(row for row in mine if row not in nearest)]
        found.append(tuple(rows[ordered].tolist()))
    return tuple(found)
