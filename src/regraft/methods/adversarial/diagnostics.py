"""What a run with a target tells of itself, and what a reader should make of it."""

import math
from collections.abc import Sequence
from typing import Any

CHANCE = 0.55  # accuracy up to which a critic knows nothing
CERTAIN = 0.95  # and from which it knows all
DROWNED = 10.0  # times as hard as the risk that the target's terms pull
FAR_OFF = 1.0  # error of a way there and back, which the mean of all samples would have as well
OTHERWISE = 0.7  # share of translations of which the source's classifier says the same, below which few do
COLLAPSED = 0.3  # share of the target that would have to be called otherwise to have the source's classes


def messages(diagnostics: dict[str, Any]) -> list[str]:
    """What went wrong in a run, as far as it can be seen without labels of the target, and what to try.

    weight: the name of the hyper-parameter by which the target's terms count. course: the mean of every tenth
    of training, by quantity: the terms, and as far as they are there "critic accuracy" (of both sides alike)
    and "gradient ratio" (how hard the target's terms pull at the features, in units of the risk's pull); of
    translations "discriminators right" (as the critic's accuracy), "cycle error" (of a way there and back, in
    units of how far samples are from their mean) and "semantic agreement" (the share of which the source's
    classifier says the same as before).
    source, predicted: the share of every class in the source's labels, and in what is said of the target.

    >>> messages({"weight": "adversary", "course": {"critic accuracy": [0.6, 0.9, 0.99]}})
    ['the critic tells 99 % right to the end: raise adversary, or train longer']
    """
    weight: str = diagnostics["weight"]
    course: dict[str, list[float]] = diagnostics.get("course", {})
    source: dict[str, float] = diagnostics.get("source", {})
    predicted: dict[str, float] = diagnostics.get("predicted", {})
    return [
        *_of_the_critic(course.get("critic accuracy", ()), weight),
        *_of_translations(course),
        *_of_the_pull(course, len(source), weight),
        *_of_classes(source, predicted, weight),
    ]


def summary(course: dict[str, list[float]]) -> str:
    """The last tenth in a line.

    >>> summary({"critic accuracy": [0.5, 0.75], "strength": [0.0, 1.0]})
    'critic accuracy 0.75, strength 1'
    """
    return ", ".join(f"{name} {values[-1]:.3g}" for name, values in course.items())


def _of_the_critic(accuracy: Sequence[float], weight: str) -> list[str]:
    if not accuracy:
        return []
    if accuracy[-1] >= CERTAIN:
        return [
            f"the critic tells {100 * accuracy[-1]:.0f} % right to the end: raise {weight}, or train longer"
        ]
    if max(accuracy) <= CHANCE:
        return [
            f"the critic never told more than {100 * max(accuracy):.0f} % right: the domains look alike to "
            "this network, and there is nothing to hide, or it does not learn: raise rate or critic_width"
        ]
    return []


def _of_translations(course: dict[str, list[float]]) -> list[str]:
    told, error, same = (
        course.get(name, [usual])[-1]
        for name, usual in (
            ("discriminators right", 0.5),
            ("cycle error", 0.0),
            ("semantic agreement", 1.0),
        )
    )
    lines = []
    if told >= CERTAIN:
        lines.append(
            f"the discriminators tell {100 * told:.0f} % right to the end: translations do not look like the "
            "target; train longer, or lower cycle or semantic"
        )
    if error >= FAR_OFF:
        lines.append(
            f"there and back is off by {error:.2f} times how far samples are from their mean: translations "
            "lose what samples hold; raise cycle, or train longer"
        )
    if same <= OTHERWISE:
        lines.append(
            f"the source's classifier says the same of {100 * same:.0f} % of translations as before: they "
            "are not what they were, or it cannot read their look; raise semantic, and look at the answers"
        )
    return lines


def _of_the_pull(course: dict[str, list[float]], classes: int, weight: str) -> list[str]:
    ratio, risk = course.get("gradient ratio"), course.get("risk")
    # where the source is learned its risk pulls no more, and a large ratio is nobody's fault
    if not ratio or not risk or classes < 2 or ratio[-1] <= DROWNED or risk[-1] < 0.5 * math.log(classes):
        return []
    return [
        f"the target's terms pull at the features {ratio[-1]:.0f} times as hard as the source's risk, which "
        f"ends at {risk[-1]:.2f}, where guessing has {math.log(classes):.2f}: lower {weight}"
    ]


def _of_classes(source: dict[str, float], predicted: dict[str, float], weight: str) -> list[str]:
    if 0.5 * sum(abs(share - source[name]) for name, share in predicted.items()) <= COLLAPSED:
        return []
    most = max(predicted, key=lambda name: predicted[name] - source[name])
    return [
        f"{100 * predicted[most]:.0f} % of the target are called {most}, and {100 * source[most]:.0f} % of "
        f"the source are: classes collapsed (lower {weight}), or have other proportions in the target "
        "(take a method for label shift)"
    ]
