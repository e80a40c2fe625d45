"""Regraft as a scikit-learn estimator."""

from typing import Any, final

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from .backbones import open_backbone
from .domain import Domain
from .errors import InputError
from .method import Method
from .methods import method_named
from .output import Classes, label_name
from .problem import Problem
from .training import Training


@final
class TransferClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Any method, or the whole comparison, with `fit(X, y)`, `predict` and `predict_proba`.

    method: a name, a recipe, or "compare" for the judged choice among what the plan finds worth trying.
    backbone: anything that `open_backbone` takes; None is the columns themselves for vectors.
    source, unlabelled: domains for methods that need more than X and y.
    budget: seconds for training networks while comparing. seed: for whatever is random.

    X is n × d numbers, or uint8 images n × h × w (× 3).

    >>> X, y = np.array([[0.0], [0.1], [1.0], [1.1]]), np.array(["low", "low", "high", "high"])
    >>> TransferClassifier().fit(X, y).predict([[0.2], [0.9]]).tolist()
    ['low', 'high']
    """

    def __init__(
        self,
        method: Any = "LinearProbe",
        *,
        backbone: Any = None,
        source: Domain | None = None,
        unlabelled: Domain | None = None,
        budget: float | None = None,
        seed: int = 0,
    ) -> None:
        self.method = method
        self.backbone = backbone
        self.source = source
        self.unlabelled = unlabelled
        self.budget = budget
        self.seed = seed

    def fit(self, X: Any, y: Any) -> "TransferClassifier":
        """Fit on n labelled samples; `model_` is the Regraft model, `study_` the comparison if any."""
        X, y = validate_data(self, X, y, allow_nd=True)
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise InputError(
                f"y has only one class, {self.classes_[0]!r}: give samples of at least two classes"
            )
        names = tuple(map(label_name, self.classes_))
        if len(set(names)) < len(names):  # 1 and "1", say: told apart by their order
            names = tuple(f"{name} ({i})" for i, name in enumerate(names))
        labelled = Domain(X, torch.from_numpy(codes), Classes(names))
        problem = Problem(target_labelled=labelled, source=self.source, unlabelled=self.unlabelled)
        training = Training(seed=self.seed)
        if self.method == "compare":
            from .selection import compare

            self.study_ = compare(problem, backbone=self.backbone, training=training, budget=self.budget)
            self.model_ = self.study_.model
            return self
        recipe = self.method if isinstance(self.method, Method) else method_named(str(self.method))()
        self.model_ = recipe.fit(problem, open_backbone(self.backbone, domain=labelled), training)
        return self

    def predict(self, X: Any) -> Any:
        """The class of each sample, as it was given in y."""
        chances = self.predict_proba(X)
        return self.classes_[chances.argmax(1)]

    def predict_proba(self, X: Any) -> Any:
        """n × k probabilities, columns in the order of `classes_`."""
        check_is_fitted(self)
        X = validate_data(self, X, allow_nd=True, reset=False)
        return self.model_.probabilities(Domain(X)).numpy()
