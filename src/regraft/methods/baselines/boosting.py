"""Boosted trees on the columns as they are."""

from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
from torch import Tensor, nn

from ...domain import Domain
from ...errors import InputError
from ...heads.boosting import Trees, import_xgboost
from ...method import OnFeatures, param
from ...output import Classes, Real
from ...training import Training


@final
@dataclass(frozen=True, kw_only=True)
class Boosting(OnFeatures):
    """f = Σ_m ν t_m,  each tree t_m one Newton step on  Σ ℓ(f(xᵢ), yᵢ) + ½ λ Σ_m ‖leaves(t_m)‖²

    ν is the learning rate and λ the weight on the leaves; ℓ is the cross-entropy, or the squared error of
    numbers. On tables it is the
    baseline to beat. It needs some tens of labels, cannot extrapolate, and does poorly on raw pixels.

    >>> import pytest, torch
    >>> _ = pytest.importorskip("xgboost")
    >>> from regraft.backbones import vectors
    >>> from regraft.problem import Problem
    >>> x = torch.arange(40.0)[:, None]
    >>> data = Domain(x, ["low" if v < 20 else "high" for v in x[:, 0]])
    >>> Boosting().fit(Problem(target_labelled=data), vectors()).predict([[3.0], [33.0]])
    ['low', 'high']
    """

    borrows: ClassVar[bool] = False
    reference: ClassVar[str] = "Chen & Guestrin, KDD 2016, arXiv:1603.02754, eq. 3"
    outputs: ClassVar[frozenset[str]] = frozenset({Classes.kind, Real.kind})
    map: ClassVar[tuple[str, ...]] = ("M53", "N1")

    trees: int = param(100, "m: rounds of boosting", search=(50, 100, 300))
    depth: int = param(4, "splits between root and leaf", search=(2, 4, 6))
    rate: float = param(0.1, "ν: how much of each tree is added", search=(0.03, 0.1, 0.3))
    leaf_weight: float = param(1.0, "λ: how strongly leaves are pulled to 0", search=(0.3, 1.0, 10.0))

    def head(self, features: Domain, training: Training) -> nn.Module:
        xgboost = import_xgboost()
        assert isinstance(features.x, Tensor)
        settings: dict[str, Any] = {
            "max_depth": self.depth,
            "eta": self.rate,
            "lambda": self.leaf_weight,
            "seed": training.seed,
            "nthread": 1,  # the same sums in the same order on every machine
        }
        if isinstance(features.output, Real):
            if features.observed is not None:
                raise InputError(
                    "some of the numbers are unknown, and Boosting needs all of every sample: leave it out"
                )
            y, present = features.labels.numpy(), range(features.asked.width)
            settings |= {"objective": "reg:squarederror"}
        else:
            found, y = np.unique(features.labels.numpy(), return_inverse=True)
            present = found.tolist()
            settings |= {"objective": "multi:softprob", "num_class": len(present)}
        weight = None if features.weight is None else features.weight.numpy()
        data = xgboost.DMatrix(features.x.double().numpy(), label=y, weight=weight)
        booster = xgboost.train(settings, data, num_boost_round=self.trees)
        text, numbers = bytes(booster.save_raw("json")), isinstance(features.output, Real)
        return Trees(features.asked.width, list(present), text=text, numbers=numbers)
