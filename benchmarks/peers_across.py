"""The methods of skada and of adapt that Regraft has too, behind 128 principal components of both domains.

The components are in one unit, in which their variance is 1 on average: defaults of peers are made for that.
Both learn by scikit-learn's logistic regression: as it comes, and with its strength chosen by five folds of
the source, as Regraft's probe chooses its own. What is fitted before is timed once and counted for both.
"""

import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from sklearn import config_context
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV

COMPONENTS = 128
HEADS: dict[str, Callable[[], Any]] = {
    "C = 1": lambda: LogisticRegression(max_iter=1000),
    "C chosen": lambda: LogisticRegressionCV(Cs=10, cv=5, max_iter=1000),
}
FACTORS = (0.1, 1.0, 10.0)  # on the usual γ, that KLIEP chooses among
SOURCE, TARGET = 1, -2  # skada's marks of domains


@dataclass(frozen=True)
class Given:
    """Features of both domains, those that are told at the end, and the source's classes as numbers."""

    x: np.ndarray
    y: np.ndarray
    x_target: np.ndarray
    x_test: np.ndarray


class Adapted(NamedTuple):
    """What a head learns from and what it is asked, in a space of their own; weight: of the source."""

    x: np.ndarray
    x_test: np.ndarray
    weight: np.ndarray | None = None


class Told(NamedTuple):
    """What a head says of the test samples, and the processor's seconds from features to a fitted head."""

    head: str
    y: np.ndarray
    seconds: float


Adapter = Callable[[Given], Adapted]


def skadas(made: Callable[[Given], Any]) -> Adapter:
    """An adapter of skada, of the parameters that `made` gives it."""

    def adapt(given: Given) -> Adapted:
        n, m = len(given.x), len(given.x_target)
        both = np.concatenate([given.x, given.x_target])
        y = np.concatenate([given.y, np.full(m, -1)])
        adapter = made(given)
        found = adapter.fit_transform(both, y, sample_domain=np.repeat([SOURCE, TARGET], [n, m]))
        if isinstance(found, tuple):
            return Adapted(given.x, given.x_test, found[1]["sample_weight"][:n])
        test = adapter.transform(given.x_test, sample_domain=np.full(len(given.x_test), TARGET))
        return Adapted(found[:n], test)

    return adapt


def usual_gamma(given: Given) -> float:
    """1 / (d · variance) of all samples."""
    both = np.concatenate([given.x, given.x_target])
    return float(1 / (both.shape[1] * both.var()))


def of_skada() -> dict[str, Adapter]:
    """Regraft's name of a method -> skada's: its defaults, and Regraft's numbers where it has none or where a
    default would ask for another method (all axes, or distances as large as they happen to be)."""
    import skada

    return {
        "CORAL": skadas(lambda _: skada.CORALAdapter()),
        "LinearTransport": skadas(lambda _: skada.LinearOTMappingAdapter()),
        "EntropicTransport": skadas(lambda _: skada.EntropicOTMappingAdapter(norm="median", reg_e=0.05)),
        "SubspaceAlignment": skadas(lambda _: skada.SubspaceAlignmentAdapter(n_components=32)),
        "TCA": skadas(lambda _: skada.TransferComponentAnalysisAdapter(n_components=64)),
        "KMM": skadas(lambda _: skada.KMMReweightAdapter()),
        "KLIEP": skadas(
            lambda given: skada.KLIEPReweightAdapter(
                gamma=[factor * usual_gamma(given) for factor in FACTORS]
            )
        ),
        "Discriminative": skadas(lambda _: skada.DiscriminatorReweightAdapter()),
    }


def adapts_features(made: Callable[[], Any]) -> Adapter:
    """What adapt calls feature-based."""

    def adapt(given: Given) -> Adapted:
        found = made()
        x = found.fit_transform(given.x, given.x_target, ys=given.y)
        return Adapted(np.asarray(x), np.asarray(found.transform(given.x_test, domain="tgt")))

    return adapt


def adapts_weights(made: Callable[[Given], Any]) -> Adapter:
    """What adapt calls instance-based."""

    def adapt(given: Given) -> Adapted:
        weight = np.asarray(made(given).fit_weights(given.x, given.x_target)).ravel()
        return Adapted(given.x, given.x_test, weight)

    return adapt


def of_adapt() -> dict[str, Adapter]:
    """Regraft's name of a method -> adapt's, with the same numbers as skada's."""
    from adapt.feature_based import CORAL, SA, TCA
    from adapt.instance_based import KLIEP, KMM

    return {
        "CORAL": adapts_features(lambda: CORAL(verbose=0)),
        "SubspaceAlignment": adapts_features(lambda: SA(n_components=32, verbose=0)),
        "TCA": adapts_features(lambda: TCA(n_components=64, verbose=0)),
        "KMM": adapts_weights(lambda given: KMM(gamma=usual_gamma(given), verbose=0)),
        "KLIEP": adapts_weights(
            lambda given: KLIEP(
                gamma=[factor * usual_gamma(given) for factor in FACTORS], random_state=0, verbose=0
            )
        ),
    }


def told(adapt: Adapter | None, given: Given) -> Iterator[Told]:
    """What each head says behind an adapter, or of the components alone."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of solvers that end before they converge, and of what is deprecated
        start = time.process_time()
        both = np.concatenate([given.x, given.x_target])
        space = PCA(min(COMPONENTS, both.shape[1]), random_state=0).fit(both)
        unit = np.sqrt(space.explained_variance_.mean())
        x, x_target, x_test = (
            space.transform(some) / unit for some in (given.x, given.x_target, given.x_test)
        )
        z = Given(x, given.y, x_target, x_test)
        seen = Adapted(z.x, z.x_test) if adapt is None else adapt(z)
        before = time.process_time() - start
        for name, made in HEADS.items():
            start = time.process_time()
            with config_context(enable_metadata_routing=False):  # skada turns it on for everybody
                head = made().fit(seen.x, given.y, sample_weight=seen.weight)
            seconds = before + time.process_time() - start
            yield Told(name, head.predict(seen.x_test), seconds)
