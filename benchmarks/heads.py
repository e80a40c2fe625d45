"""The linear heads against scikit-learn: seconds to choose a strength and refit, and the choice's worth.

    python benchmarks/heads.py [--quick]

Both sides get the same features, folds and strengths and one thread. The logistic one chooses among 10
values of C by the log loss of 5 folds, against `LogisticRegressionCV` (iterations enough to converge) with
whichever of its solvers was fastest at a single fit; the ridge chooses among 10 values of α by leaving one
out, against `RidgeClassifierCV`. Seconds are CPU seconds, the best of a few runs taken in turns. The last
line is the logistic ratio at n = 250 with 10 classes.
"""

import argparse
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import sklearn
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV, RidgeClassifierCV
from threadpoolctl import threadpool_limits
from torch import Tensor

from record import record
from regraft.heads.fit import LinearFit
from regraft.heads.logistic import STRENGTHS, fit_logistic
from regraft.heads.ridge import fit_ridge
from regraft.heads.scaling import scaled
from setting import setting, table

COLUMNS = 1280
TEST = 3000


@dataclass(frozen=True)
class Features:
    """Training and test features and labels, scaled as the probes do it."""

    x: Tensor
    y: Tensor
    x_test: Tensor
    y_test: Tensor
    classes: int


@dataclass(frozen=True)
class Row:
    head: str
    n: int
    classes: int
    ours: float
    theirs: float
    solver: str
    strengths: tuple[float, float]
    accuracies: tuple[float, float]

    @property
    def ratio(self) -> float:
        return self.theirs / self.ours

    @property
    def cells(self) -> list[str]:
        (ours, theirs), (a, b) = self.strengths, self.accuracies
        return [
            self.head,
            f"{self.n:,}",
            str(self.classes),
            f"{self.ours:.3f}",
            f"{self.theirs:.2f} ({self.solver})",
            f"{self.ratio:.1f}",
            f"{ours:.3g} / {theirs:.3g}",
            f"{100 * a:.1f} / {100 * b:.1f}",
        ]


def relu_features(n: int, classes: int, seed: int = 0) -> Features:
    """Features like a pooled last layer's: correlated, many at 0, the classes in 64 directions."""
    random = torch.Generator().manual_seed(seed)
    spread = torch.randn(64, COLUMNS, generator=random) / 8
    centres = torch.randn(classes, 64, generator=random)
    y = torch.arange(n + TEST) % classes
    inner = centres[y] + 3.0 * torch.randn(n + TEST, 64, generator=random)
    x = torch.relu(inner @ spread + 0.5 * torch.randn(n + TEST, COLUMNS, generator=random) - 0.5)
    u, centre, scale = scaled(x[:n])
    return Features(u, y[:n], (x[n:].double() - centre) / scale, y[n:], classes)


def logistic(data: Features, runs: int) -> Row:
    n = len(data.y)
    # dealt out class by class, so that every fold trains on every class even where there are two of each
    dealt = data.y.argsort(stable=True)
    folds = [dealt[i::5].sort().values for i in range(5)]
    splits = [(np.setdiff1d(np.arange(n), rows), rows.numpy()) for rows in folds]
    solver, dtype = fastest_solver(data)

    def theirs() -> Any:
        model = LogisticRegressionCV(
            Cs=np.array(STRENGTHS), cv=splits, scoring="neg_log_loss", solver=solver, max_iter=1000
        )
        return model.fit(data.x.numpy().astype(dtype), data.y.numpy())

    def ours() -> LinearFit:
        return fit_logistic(data.x, data.y, data.classes, folds=folds)

    (fit, seconds), (model, their_seconds) = in_turns(ours, theirs, runs)
    chosen = (fit.strength, float(np.ravel(model.C_)[0]))
    name = f"{solver} {np.dtype(dtype).name}"
    return Row(
        "logistic", n, data.classes, seconds, their_seconds, name, chosen, accuracies(data, fit, model)
    )


def fastest_solver(data: Features) -> tuple[str, type]:
    """The solver and precision with the quickest single fit; those that need a Hessian only where it fits."""
    rivals: list[tuple[str, type]] = [("lbfgs", np.float32), ("lbfgs", np.float64)]
    if len(data.y) <= 1000 and data.classes <= 10:
        rivals.append(("newton-cg", np.float64))
    seconds = {}
    for solver, dtype in rivals:
        model = LogisticRegression(C=STRENGTHS[4], solver=solver)
        x, y = data.x.numpy().astype(dtype), data.y.numpy()
        seconds[solver, dtype] = timed(lambda m=model, x=x, y=y: m.fit(x, y))[1]
    return min(seconds, key=seconds.__getitem__)


def ridge(data: Features, runs: int) -> Row:
    strengths = (float(data.x.square().sum()) / min(data.x.shape) * np.logspace(-3, 3, 10)).tolist()
    results = []
    for dtype in (np.float32, np.float64):
        x, y = data.x.numpy().astype(dtype), data.y.numpy()
        pair = in_turns(
            lambda: fit_ridge(data.x, data.y, data.classes, strengths=strengths),
            lambda x=x, y=y: RidgeClassifierCV(alphas=strengths).fit(x, y),
            runs,
        )
        results.append((pair[1][1], np.dtype(dtype).name, pair))
    their_seconds, name, ((fit, seconds), (model, _)) = min(results, key=lambda result: result[0])
    chosen = (fit.strength, float(model.alpha_))
    return Row(
        "ridge", len(data.y), data.classes, seconds, their_seconds, name, chosen, accuracies(data, fit, model)
    )


def accuracies(data: Features, fit: LinearFit, model: Any) -> tuple[float, float]:
    ours = (data.x_test @ fit.weight.T + fit.bias).argmax(1) == data.y_test
    theirs = model.predict(data.x_test.numpy()) == data.y_test.numpy()
    return float(ours.double().mean()), float(theirs.mean())


def in_turns(ours: Callable[[], Any], theirs: Callable[[], Any], runs: int) -> Any:
    """The result and the best time of each, measured alternately so that both see the same machine."""
    pairs = [(timed(ours), timed(theirs)) for _ in range(runs)]
    return tuple(min(side, key=lambda result: result[1]) for side in zip(*pairs, strict=True))


def timed(fit: Callable[[], Any]) -> tuple[Any, float]:
    start = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        warnings.simplefilter("ignore", ConvergenceWarning)
        result = fit()
    return result, time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description="The linear heads against scikit-learn.")
    parser.add_argument(
        "--quick", action="store_true", help="only n = 250 with 10 classes; nothing is recorded"
    )
    quick = parser.parse_args().quick
    torch.set_num_threads(1)
    sizes = (
        [(250, 10)] if quick else [(250, 10), (250, 100), (1000, 10), (1000, 100), (5000, 10), (5000, 100)]
    )
    header = ["head", "n", "classes", "Regraft, s", "scikit-learn, s", "ratio", "strength", "accuracy, %"]
    rows = []
    with threadpool_limits(1):
        fit_logistic(torch.randn(20, 5), torch.arange(20) % 2, 2)  # the first call loads libraries
        for n, classes in sizes:
            data = relu_features(n, classes)
            for row in (logistic(data, 1 if n * classes > 50_000 else 3), ridge(data, 2)):
                rows.append(row)
                print(*row.cells, flush=True)
    ratio = next(row.ratio for row in rows if (row.head, row.n, row.classes) == ("logistic", 250, 10))
    text = "\n".join(
        [
            "## heads.py",
            "",
            f"CPU seconds, d = {COLUMNS}, scikit-learn {sklearn.__version__}, {setting()}. "
            "Strength and held-out accuracy: Regraft's / scikit-learn's.",
            "",
            table(header, [row.cells for row in rows]),
            "",
            f"ratio: {ratio:.1f}",
        ]
    )
    if not quick:
        record("heads", text)
    print(text)


if __name__ == "__main__":
    main()
