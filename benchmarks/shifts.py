"""Simulated shifts: every method, what each judge without labels would take, and what `adapt` takes.

    pip install skada pot
    python benchmarks/shifts.py --repetitions 2
    python benchmarks/shifts.py --results shifts.jsonl

Four shifts are skada's, made by `make_shifted_datasets`: of where samples are drawn (covariate), of the
proportions of the classes (label), of where the classes are (conditional), of all but a direction (subspace).
Two are of this project (`moved.py`). Each has 5 data sets of 5 random splits: 25 repetitions, half of them
with the settings of skada-bench, half with others and with fewer samples. Methods learn from 80 % of the
source with labels and from 80 % of the target without; accuracies are those on the other 20 % of the target,
of which nothing was seen.

`mean_gain` is by how many points `regraft` is ahead of source only, the mean over the four shifts of skada.
`worst_loss` is by how many points it is behind source only on the worst of all six (below 0: ahead on each).
`right_family` is in how many percent of all repetitions the method handed over is of the family that is made
for the shift: reweighting, label shift, alignment or transport, subspace. A refusal counts as wrong.
"""

import argparse
import json
import multiprocessing
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

import regraft as rg
from data import missing
from moved import FOUR, SHIFTS, Sides
from record import record
from regraft.candidates import Candidate
from regraft.methods import METHODS
from regraft.selection.label_free import LABEL_FREE, Trials
from setting import setting, table

SELECTED = """How a number was selected:

- a method's: by nothing; it has its default hyper-parameters and the kernel learner, as source only has (TCA,
  which is a kernel itself, a linear one).
- `trained on target`: by the target's own labels, from which it learns: a reference, not an adaptation.
- `oracle`: in each repetition the best of the methods by the target labels that score it.
- `by` a judge: in each repetition the method with the highest score of that judge, which sees no label of the
  target.
- `regraft`: what `rg.adapt` hands over by its own plan and its own rules, without labels of the target.

The rules of `regraft` were made with skada's shifts at the usual settings and at others, with seeds below
1000. The seeds from 2000 on, the changed settings and the generators of `moved.py` had no part in that."""
REPETITIONS, SPLITS, FIRST = 25, 5, 2000
BASE = "SourceOnly"
TRIED = (
    BASE,
    "Discriminative",
    "KMM",
    "KLIEP",
    "EMPrior",
    "BBSE",
    "MatchedScales",
    "CORAL",
    "LinearTransport",
    "EntropicTransport",
    "SubspaceAlignment",
    "TCA",
    "SharedDirection",
)


@dataclass(frozen=True)
class Outcome:
    """One repetition of a shift.

    accuracies: of each method. judged: the method that each judge would take. reference: of what learned from
    the target's labels. chosen, family, accuracy: of what `adapt` handed over; kind: of shift that it saw.
    seconds: of the processor, for all methods with their judges and for `adapt`.
    """

    shift: str
    repetition: int
    reference: float
    accuracies: dict[str, float]
    judged: dict[str, str]
    chosen: str
    family: str
    kind: str
    accuracy: float
    seconds: tuple[float, float]

    @property
    def gain(self) -> float:
        return self.accuracy - self.accuracies[BASE]

    @property
    def right(self) -> bool:
        return self.family in SHIFTS[self.shift].right


def made(shift: str, repetition: int) -> tuple[Sides, Sides]:
    """What is learned from in a repetition, and the rest."""
    seed, split = FIRST + repetition // SPLITS, FIRST + repetition % SPLITS
    kind = SHIFTS[shift]
    return (kind.changed if repetition % 2 else kind.usual)(seed).parted(split)


def of_repetition(job: tuple[str, int]) -> Outcome:
    """All methods, their judges and `adapt` on one draw."""
    seen, rest = made(*job)
    seed = FIRST + job[1]
    training = rg.Training(seed=seed)
    given = rg.Problem(source=rg.Domain(seen.x, seen.y.astype(str)), target=rg.Domain(seen.x_target))

    def accuracy(model: rg.Model) -> float:
        return float((np.array(model.predict(rest.x_target)) == rest.y_target.astype(str)).mean())

    start = time.process_time()
    accuracies, judged = methods_on(given, training, accuracy)
    between = time.process_time()
    study = rg.adapt(given, training=training)
    adapted = accuracy(study.model)
    end = time.process_time()
    labelled = rg.Domain(seen.x_target, seen.y_target.astype(str))
    taught = METHODS["KernelProbe"]().fit(
        rg.Problem(target_labelled=labelled), rg.open_backbone("vectors"), training
    )
    taken = study.handed_over.candidate
    return Outcome(
        *job,
        reference=accuracy(taught),
        accuracies=accuracies,
        judged=judged,
        chosen=type(taken.method).__name__,
        family=taken.method.family(),
        kind=study.shift.kind,
        accuracy=adapted,
        seconds=(between - start, end - between),
    )


def methods_on(
    given: rg.Problem, training: rg.Training, accuracy: Callable[[rg.Model], float]
) -> tuple[dict[str, float], dict[str, str]]:
    """The accuracy of each method, and the method that each judge would take."""
    network = rg.open_backbone("vectors")
    recipes: dict[str, Any] = {name: {"learner": "probe" if name == "TCA" else "kernel"} for name in TRIED}
    candidates = [Candidate(METHODS[name](**recipe), network, "") for name, recipe in recipes.items()]
    trials = Trials(given, training)
    accuracies = {name: accuracy(trials.refitted(c)) for name, c in zip(TRIED, candidates, strict=True)}
    tried = trials.on_split(candidates, training.seed).tried
    judged = {}
    for judge in LABEL_FREE:
        scores = {type(c.method).__name__: float(np.nan_to_num(judge(t), nan=-np.inf)) for c, t in tried}
        judged[judge.name] = max(scores, key=lambda name: scores[name])
    return accuracies, judged


def report(outcomes: Sequence[Outcome]) -> str:
    """Accuracies by shift, what was taken, and the three figures."""
    shifts = [name for name in SHIFTS if any(o.shift == name for o in outcomes)]
    of = {name: [o for o in outcomes if o.shift == name] for name in shifts}
    four = [shift.name for shift in FOUR if shift.name in of]

    def row(name: str, value: Callable[[Outcome], float]) -> list[str]:
        means = {shift: 100 * float(np.mean([value(o) for o in of[shift]])) for shift in shifts}
        return [name, *(f"{means[s]:.1f}" for s in shifts), f"{np.mean([means[s] for s in four]):.1f}"]

    rows = [row("source only", lambda o: o.accuracies[BASE])]
    rows += [row(name, lambda o, n=name: o.accuracies[n]) for name in TRIED if name != BASE]  # type: ignore[misc]
    rows += [
        row("trained on target, by its labels", lambda o: o.reference),
        row("oracle, by target labels", lambda o: max(o.accuracies.values())),
    ]
    for judge in (judge.name for judge in LABEL_FREE):
        rows.append(row(f"by {judge}", lambda o, j=judge: o.accuracies[o.judged[j]]))  # type: ignore[misc]
    rows.append(row("regraft, without target labels", lambda o: o.accuracy))
    gains = {shift: 100 * np.array([o.gain for o in of[shift]]) for shift in shifts}
    taken = [
        [
            shift,
            counted(o.kind for o in of[shift]),
            counted(o.chosen for o in of[shift]),
            f"{100 * np.mean([o.right for o in of[shift]]):.0f}",
            " / ".join(share(of[shift], odd) for odd in (0, 1)),
            f"{gains[shift].mean():+.1f}",
            f"{gains[shift].min():+.1f}",
        ]
        for shift in shifts
    ]
    seconds = np.mean([o.seconds for o in outcomes], 0)
    header = ["shift", "told", "handed over", "right family, %", "usual / changed settings, %"]
    return "\n".join(
        [
            table(["selected", *shifts, f"mean of {', '.join(four)}"], rows),
            "",
            f"Accuracy in percent on samples of the target of which nothing was seen, means of "
            f"{len(of[shifts[0]])} repetitions.",
            "",
            SELECTED,
            "",
            table([*header, "gain over source only", "worst repetition"], taken),
            "",
            f"A repetition takes a processor {seconds[0]:.0f} s for the methods and their judges and "
            f"{seconds[1]:.0f} s for `rg.adapt`.",
            "",
            f"mean_gain: {np.mean([gains[s].mean() for s in four]):+.1f}",
            f"worst_loss: {max(-gains[s].mean() for s in shifts) + 0.0:+.1f}",
            f"right_family: {100 * np.mean([o.right for o in outcomes]):.0f}",
        ]
    )


def counted(names: Any) -> str:
    """What there was how often, the most frequent first."""
    return ", ".join(f"{name} {n}" for name, n in Counter(names).most_common())


def share(outcomes: Sequence[Outcome], odd: int) -> str:
    """In how many percent the family was right, of every other repetition."""
    some = [o.right for o in outcomes if o.repetition % 2 == odd]
    return f"{100 * np.mean(some):.0f}" if some else "—"


def main() -> None:
    ask = argparse.ArgumentParser(
        description=f"{__doc__}\n{SELECTED}", formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ask.add_argument("--repetitions", type=int, default=REPETITIONS, help="of each shift; 25 are recorded")
    ask.add_argument("--shifts", default=",".join(SHIFTS))
    ask.add_argument("--results", type=Path, help="keep every outcome here, and go on from there")
    ask.add_argument("--processes", type=int, default=1)
    asked = ask.parse_args()
    try:
        import ot  # noqa: F401
        import skada  # noqa: F401
    except ImportError as reason:
        missing(f"{reason.name} is not installed (pip install skada pot)")
    names = asked.shifts.split(",")
    jobs = [(name, i) for name in names for i in range(asked.repetitions)]
    done: list[Outcome] = []
    if asked.results and asked.results.is_file():
        done = [Outcome(**json.loads(line)) for line in asked.results.read_text().splitlines()]
    had = {(o.shift, o.repetition) for o in done}
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", module="ot|skada|sklearn")
    with multiprocessing.get_context("fork").Pool(asked.processes) as workers:
        for outcome in workers.imap(of_repetition, [job for job in jobs if job not in had]):
            done.append(outcome)
            print(outcome, file=sys.stderr, flush=True)
            if asked.results:
                with asked.results.open("a") as file:
                    file.write(json.dumps(asdict(outcome)) + "\n")
    text = report([o for o in done if (o.shift, o.repetition) in set(jobs)])
    print(text)
    if asked.repetitions == REPETITIONS and set(names) == set(SHIFTS):
        record("shifts", f"## Simulated shifts\n\n`benchmarks/shifts.py`, {setting()}\n\n{text}")


if __name__ == "__main__":
    main()
