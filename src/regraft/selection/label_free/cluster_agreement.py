"""Whether what is told alike lies together."""

from dataclasses import dataclass
from typing import ClassVar, final

from torch.nn.functional import normalize

from ...heads.principal import principal
from ...seeds import seed_of
from ...terms.clusters import k_means
from ...terms.partitions import adjusted_mutual_information
from .trial import LabelFree, Trial


@final
@dataclass(frozen=True)
class ClassAMI(LabelFree):
    """AMI(ŷ, clusters): the adjusted mutual information of what is said of the target and its clusters

    The clusters are those of k-means in the target's features, as many as there are classes; of more than
    `most` samples as many are drawn, and of more than `components` columns the directions of as many
    principal components, which is where features of networks and counts of words have their clusters. The
    features are the frozen network's, so that all candidates on it are held against the same clusters, which
    none of them can have bent to its own answers: the published score takes each candidate's own features.
    Chance gives 0, one class for everything gives 0, and the right clusters under exchanged names give 1:
    names it cannot see. It prefers the classes that the network sees by itself, and misleads where what
    divides the features is not the classes (cameras, sites, styles).

    >>> import torch
    >>> from types import SimpleNamespace
    >>> x = torch.tensor([[0.0], [0.1], [5.0], [5.1]])
    >>> said, rows = torch.eye(2)[[1, 1, 0, 0]], torch.arange(4)
    >>> trial = SimpleNamespace(of_target=said, features=x, seed=0, some=lambda most: rows)
    >>> round(ClassAMI()(trial), 6)
    1.0
    """

    name: ClassVar[str] = "agreement with clusters"
    short: ClassVar[str] = "AMI"
    kind: ClassVar[str] = "clusters"
    reference: ClassVar[str] = "Musgrave, Belongie & Lim 2022, arXiv:2208.07360"
    warning: ClassVar[str] = "misleads where what divides the features is not the classes"

    most: int = 4000
    components: int = 64

    def __call__(self, trial: Trial) -> float:
        rows = trial.some(self.most)
        x = trial.features[rows]
        if x.shape[1] > self.components:
            x = normalize(principal([x], self.components)(x), dim=1)
        clusters = k_means(x, trial.of_target.shape[1], seed=seed_of(trial.seed, "clusters"))
        return adjusted_mutual_information(trial.of_target[rows].argmax(1), clusters)
