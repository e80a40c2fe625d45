"""Photographs, paintings and cartoons; reviews of books, films and electronics: labels of one for another.

    pip install skada pot
    python benchmarks/pacs_amazon.py --pairs 1 --seeds 2
    python benchmarks/pacs_amazon.py --into pacs_amazon --results pacs_amazon.jsonl

PACS: the features of MobileNetV2 1.0 on pictures of 160 pixels; what is scored are the pictures of the target
that were seen without labels, as is usual there. Amazon: counts of 5,000 words, 2,000 reviews of each side to
learn from; what is scored are the target's test reviews. All six pairs of each. A seed draws 80 % of the
source, stratified, and 80 % of the target. Labels of the target go into nothing but scores.

In the same run, on the same features and one thread, the same methods of skada, and of adapt where it can be
imported (it needs TensorFlow), behind 128 principal components (`peers_across.py`). Seconds are the
processor's from features to a fitted classifier. Ours choose their strength by cross-validation, which is why
peers have two columns: scikit-learn's logistic regression as it comes, and with its strength chosen as well.

`pacs_mean` is the mean accuracy of `regraft` over the pairs of PACS. `worst_loss` is by how many points it is
behind `source only, ridge` on the worst of all pairs, the mean over seeds (below 0: ahead on each); its
95 % interval holds for all pairs at once (Bonferroni, Student's t over seeds, whose samples overlap).
`share_of_oracle` is its mean gain over source only in percent of the oracle's. `seconds_ratio` is the
geometric mean, over runs and methods, of the seconds of the peer with the plain head over ours, and
`seconds_ratio_same_work` with the head that chooses its strength, as ours does.
"""

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import permutations
from pathlib import Path

import numpy as np
import scipy.sparse
import scipy.stats
import torch
import torchvision  # noqa: F401  brings Triton, which ends the process if TensorFlow was there before it
from threadpoolctl import threadpool_limits

import regraft as rg
from data import DATA, missing, pacs, smaller, there, weights
from peers_across import COMPONENTS, HEADS, Adapter, Given, of_adapt, of_skada, told
from record import record
from regraft.candidates import Candidate
from regraft.methods import METHODS
from regraft.methods.both_sides import OnBothSides
from regraft.selection.label_free import Trials
from setting import setting, table

SELECTED = """How a number was selected:

- a method's: by nothing; it has its default hyper-parameters. `source only, ridge` is the source's classifier
  that `rg.adapt` keeps where it refuses, `source only, logistic` what the methods have at their defaults.
- `regraft`: what `rg.adapt` hands over by its own plan and rules, without labels of the target. These rules
  were made with an eye on PACS and Amazon: that LatentSemantics stands in SelfPaced's place for words was
  decided on other draws (seeds 100 and 101) after SelfPaced had lost 1.1 points on a pair of these.
- `oracle`: in each run the best of our methods, of the plan and of `regraft` by the labels that score it."""
SIDE, PART, SEEDS, PAIRS = 160, 0.8, 5, 6
BASE, LOGISTIC, CHOICE = "source only, ridge", "source only, logistic", "regraft"
DOMAINS = {"pacs": ("photo", "art_painting", "cartoon"), "amazon": ("books", "dvd", "electronics")}
CLOSED = [
    name
    for name, method in METHODS.items()
    if issubclass(method, OnBothSides) and method.needs == {"source", "target"} and name != "SourceOnly"
]
PLAIN, CHOSEN = HEADS
ALONE = f"{COMPONENTS} components alone"


@dataclass(frozen=True)
class Pair:
    """Labels of one domain of a data set for another one."""

    data: str
    source: str
    target: str

    def __str__(self) -> str:
        return f"{self.source.split('_')[0]} → {self.target.split('_')[0]}"


@dataclass(frozen=True)
class Measured:
    """The accuracy and the processor's seconds of one method in one run."""

    accuracy: float
    seconds: float


@dataclass(frozen=True)
class Run:
    """All methods on one pair and seed.

    ours: at their defaults. planned: those of the plan. choice: of `adapt`, with all that it tried; chosen:
    the candidate. peers: by library and head, then by our name of the method, less what failed.
    """

    pair: Pair
    seed: int
    ours: dict[str, Measured]
    planned: dict[str, Measured]
    choice: Measured
    chosen: str
    peers: dict[str, dict[str, Measured]]
    failed: dict[str, str] = field(default_factory=dict)

    @classmethod
    def from_json(cls, line: str) -> "Run":
        saved = json.loads(line)
        pair, choice = Pair(**saved.pop("pair")), Measured(**saved.pop("choice"))
        ours, planned = (_measured(saved.pop(name)) for name in ("ours", "planned"))
        peers = {name: _measured(rows) for name, rows in saved.pop("peers").items()}
        return cls(pair, ours=ours, planned=planned, choice=choice, peers=peers, **saved)

    @property
    def base(self) -> float:
        return self.ours[BASE].accuracy

    @property
    def gain(self) -> float:
        return self.choice.accuracy - self.base

    @property
    def oracle(self) -> float:
        """The best by the labels that score it."""
        return max(m.accuracy for m in (*self.ours.values(), *self.planned.values(), self.choice))


def _measured(saved: dict[str, dict[str, float]]) -> dict[str, Measured]:
    return {name: Measured(**row) for name, row in saved.items()}


class Data:
    """The domains of a data set, read once, and the network that looks at them."""

    def __init__(self, name: str, into: Path) -> None:
        self.name = name
        self.store = rg.Store(into / "features")
        if name == "pacs":
            self.domains = {domain: rg.read_images(pacs(domain, into)) for domain in DOMAINS[name]}
            self.network = rg.open_backbone(weights=smaller(weights("1.0"), SIDE, into / "weights"))
        else:
            files = {domain: there(DATA / "amazon_bow" / f"{domain}.npz") for domain in DOMAINS[name]}
            self.domains = {domain: reviews(file, "train") for domain, file in files.items()}
            self.tests = {domain: reviews(file, "test") for domain, file in files.items()}
            self.network = rg.open_backbone("words")

    def drawn(self, pair: Pair, seed: int) -> tuple[rg.Problem, rg.Domain]:
        """What is given, and the labelled samples of the target that score it."""
        luck = np.random.default_rng(seed)
        source, target = self.domains[pair.source], self.domains[pair.target]
        y = source.labels.numpy()
        kept = np.concatenate([some(luck, np.flatnonzero(y == c)) for c in np.unique(y)])
        seen = target[torch.from_numpy(some(luck, np.arange(len(target))))]
        problem = rg.Problem(source=source[torch.from_numpy(np.sort(kept))], target=seen.unlabelled())
        return problem, seen if self.name == "pacs" else self.tests[pair.target]


def some(luck: np.random.Generator, rows: np.ndarray) -> np.ndarray:
    """80 % of the rows, in order."""
    return np.sort(luck.permutation(rows)[: round(PART * len(rows))])


def reviews(file: Path, part: str) -> rg.Domain:
    """Counts of words with "1" for praise and "-1" for blame."""
    with np.load(file) as saved:
        rows = [saved[f"{part}_{name}"] for name in ("data", "indices", "indptr")]
        y = saved[f"y_{part}"]
    counts = scipy.sparse.csr_array((rows[0], rows[1].astype(int), rows[2]), shape=(len(y), 5000))
    return rg.Domain(counts, y.astype(int).astype(str))


def run(data: Data, pair: Pair, seed: int, libraries: dict[str, dict[str, Adapter]]) -> Run:
    """Everything on one draw."""
    problem, test = data.drawn(pair, seed)
    training = rg.Training(seed=seed)
    trials = Trials(problem, training, data.store)
    y_test = test.labels

    def measured(candidate: Candidate) -> Measured:
        entry = trials.entries.of(candidate)
        seen = trials.seen(candidate, test)
        start = time.process_time()
        model = entry.fitted()
        seconds = time.process_time() - start
        return Measured(float((model.logits(seen.x).argmax(1) == y_test).double().mean()), seconds)

    def of(name: str, **recipe: str) -> Measured:
        return measured(Candidate(METHODS[name](**recipe), data.network, ""))

    ours = {BASE: of("SourceOnly", learner="ridge"), LOGISTIC: of("SourceOnly")}
    ours |= {name: of(name) for name in CLOSED}
    start = time.process_time()
    study = rg.adapt(problem, backbone=data.network, training=training, store=data.store)
    model = study.model
    seconds = time.process_time() - start
    right = model.logits(test, data.store).argmax(1) == y_test
    planned = {c.name: measured(c) for c in study.plan.candidates}
    alone = Candidate(METHODS["SourceOnly"](), data.network, "")
    seen = trials.entries.of(alone).seen
    given = Given(
        x=flat(seen.domains["source"]),
        y=seen.domains["source"].labels.numpy(),
        x_target=flat(trials.seen(alone, problem.domains["target"])),
        x_test=flat(trials.seen(alone, test)),
    )
    peers, failed = of_peers(given, y_test.numpy(), libraries)
    return Run(
        pair,
        seed,
        ours=ours,
        planned=planned,
        choice=Measured(float(right.double().mean()), seconds),
        chosen=study.handed_over.candidate.name,
        peers=peers,
        failed=failed,
    )


def flat(domain: rg.Domain) -> np.ndarray:
    assert isinstance(domain.x, torch.Tensor)
    return domain.x.flatten(1).double().numpy()


def of_peers(
    given: Given, y_test: np.ndarray, libraries: dict[str, dict[str, Adapter]]
) -> tuple[dict[str, dict[str, Measured]], dict[str, str]]:
    """By library and head the methods of the peers, and why some gave no result."""
    found: dict[str, dict[str, Measured]] = {}
    failed: dict[str, str] = {}
    everything: list[tuple[str, str, Adapter | None]] = [("scikit-learn", ALONE, None)]
    everything += [(lib, name, adapt) for lib, those in libraries.items() for name, adapt in those.items()]
    for library, name, adapt in everything:
        try:
            for head, y, seconds in list(told(adapt, given)):
                rows = found.setdefault(f"{library}, {head}", {})
                rows[name] = Measured(float((y == y_test).mean()), seconds)
        except (ValueError, ArithmeticError, np.linalg.LinAlgError, TypeError) as reason:
            failed[f"{library}, {name}"] = f"{type(reason).__name__}: {reason}"
    return found, failed


def report(runs: Sequence[Run], left_out: Sequence[str]) -> str:
    """Accuracies by pair, what was chosen, methods beside the peers', and the four figures."""
    pairs = list(dict.fromkeys(run.pair for run in runs))
    parts = [accuracies([run for run in runs if run.pair.data == data]) for data in DOMAINS if of(runs, data)]
    parts += ["Accuracy in percent, the mean over seeds.", SELECTED]
    rows, worst = choices(runs, pairs)
    header = [
        "pair",
        "handed over",
        "source only, ridge",
        CHOICE,
        "gain, simultaneous 95 % interval",
        "oracle",
    ]
    parts += [table([*header, "share of its gain, %", "seconds"], rows), worst.told]
    parts += [side_by_side(of(runs, data), data) for data in DOMAINS if of(runs, data)]
    parts.append(
        "Ours at their defaults, which choose a strength, beside the peers': accuracy in percent and seconds "
        "of a processor, means of all runs. The difference is ours less the better of the peer's two heads, "
        "with a 95 % interval over pairs. The ratios are the seconds of the peer with either head over ours."
    )
    failed = Counter(name for run in runs for name in run.failed)
    parts += [f"No result: {name}, in {n} of {len(runs)} runs." for name, n in failed.items()]
    parts += left_out
    mean = np.mean([run.choice.accuracy for run in of(runs, "pacs")]) if of(runs, "pacs") else np.nan
    gains = np.mean([[run.gain, run.oracle - run.base] for run in runs], 0)
    parts.append(
        "\n".join(
            [
                f"pacs_mean: {100 * mean:.1f}",
                f"worst_loss: {worst.loss:+.2f}",
                f"share_of_oracle: {100 * gains[0] / gains[1]:.0f}",
                f"seconds_ratio: {geometric(ratios(runs, PLAIN)):.2f}",
                f"seconds_ratio_same_work: {geometric(ratios(runs, CHOSEN)):.2f}",
            ]
        )
    )
    return "\n\n".join(parts)


def of(runs: Sequence[Run], data: str) -> list[Run]:
    return [run for run in runs if run.pair.data == data]


def accuracies(runs: Sequence[Run]) -> str:
    """A row for each of our methods and a column for each pair."""
    pairs = list(dict.fromkeys(run.pair for run in runs))

    def row(name: str, value: Callable[[Run], float]) -> list[str]:
        means = [100 * float(np.mean([value(run) for run in runs if run.pair == pair])) for pair in pairs]
        return [name, *(f"{mean:.1f}" for mean in means), f"{np.mean(means):.1f}"]

    rows = [row(name, lambda run, n=name: run.ours[n].accuracy) for name in runs[0].ours]  # type: ignore[misc]
    always = [name for name in runs[0].planned if all(name in run.planned for run in runs)]
    rows += [row(f"plan: {n}", lambda run, n=n: run.planned[n].accuracy) for n in always]  # type: ignore[misc]
    rows.append(row(f"**{CHOICE}**", lambda run: run.choice.accuracy))
    rows.append(row("oracle", lambda run: run.oracle))
    return table([runs[0].pair.data, *map(str, pairs), "mean"], rows)


@dataclass(frozen=True)
class Worst:
    """The points by which the choice is behind source only on the worst pair, and what is told of it."""

    loss: float
    told: str


def choices(runs: Sequence[Run], pairs: Sequence[Pair]) -> tuple[list[list[str]], Worst]:
    """What was handed over for each pair, and how much worse than source only it is at the worst."""
    rows, losses = [], {}
    for pair in pairs:
        mine = [run for run in runs if run.pair == pair]
        low, mean, high = simultaneous([100 * run.gain for run in mine], len(pairs))
        losses[pair] = (0.0 - mean, 0.0 - high, 0.0 - low)
        base, choice, best = np.mean([[run.base, run.choice.accuracy, run.oracle] for run in mine], 0)
        share = f"{100 * (choice - base) / (best - base):.0f}" if best > base else "—"
        cells = [f"{100 * base:.1f}", f"{100 * choice:.1f}", f"{mean:+.1f} [{low:+.1f}, {high:+.1f}]"]
        taken = ", ".join(f"{name} {n}" for name, n in Counter(run.chosen for run in mine).most_common())
        seconds = np.mean([run.choice.seconds for run in mine])
        rows.append([str(pair), taken, *cells, f"{100 * best:.1f}", share, f"{seconds:.1f}"])
    worst = max(losses, key=lambda pair: losses[pair][0])
    loss, low, high = losses[worst]
    name, bound = max(((str(pair), found[2]) for pair, found in losses.items()), key=lambda each: each[1])
    text = (
        f"The worst pair is {worst}: {loss:+.2f} points below source only, and with 95 % for all "
        f"{len(pairs)} pairs at once between {low:+.2f} and {high:+.2f}. No pair is, at that level, more "
        f"than {bound:+.2f} points below it ({name})."
    )
    return rows, Worst(float(loss), text)


def simultaneous(values: Sequence[float], many: int) -> tuple[float, float, float]:
    """(low, mean, high) of a mean by Student's t, so that `many` such intervals hold at once with 95 %."""
    n, mean = len(values), float(np.mean(values))
    if n < 2:
        return -np.inf, mean, np.inf
    reach = scipy.stats.t.ppf(1 - 0.05 / (2 * many), n - 1) * np.std(values, ddof=1) / np.sqrt(n)
    return mean - reach, mean, mean + reach


def side_by_side(runs: Sequence[Run], data: str) -> str:
    """Each method beside the same one of the peers."""
    columns = list(dict.fromkeys(column for run in runs for column in run.peers))
    libraries = list(dict.fromkeys(column.rsplit(", ", 1)[0] for column in columns))
    rows = []
    for library in libraries:
        heads = [f"{library}, {head}" for head in HEADS]
        for name in dict.fromkeys(name for run in runs for name in run.peers.get(heads[0], {})):
            both = [run for run in runs if name in run.peers.get(heads[0], {})]
            ours = [run.ours[LOGISTIC if name == ALONE else name] for run in both]
            theirs = [[run.peers[head][name] for run in both] for head in heads]
            better = max(theirs, key=lambda found: np.mean([m.accuracy for m in found]))
            differences = {
                pair: np.mean(
                    [
                        a.accuracy - b.accuracy
                        for run, a, b in zip(both, ours, better, strict=True)
                        if run.pair == pair
                    ]
                )
                for pair in dict.fromkeys(run.pair for run in both)
            }
            low, mean, high = simultaneous([100 * float(d) for d in differences.values()], 1)
            faster = [
                geometric([b.seconds / a.seconds for a, b in zip(ours, found, strict=True)])
                for found in theirs
            ]
            shown = [cell(found) for found in (ours, *theirs)]
            rows.append(
                [
                    f"{name} ({library})",
                    *shown,
                    f"{mean:+.1f} [{low:+.1f}, {high:+.1f}]",
                    " / ".join(f"{ratio:.2f}" for ratio in faster),
                ]
            )
    return table(
        [data, "ours", *(f"theirs, {head}" for head in HEADS), "difference, points", "seconds over ours"],
        rows,
    )


def cell(found: Sequence[Measured]) -> str:
    """Mean accuracy in percent and mean seconds."""
    return f"{100 * np.mean([m.accuracy for m in found]):.1f}, {np.mean([m.seconds for m in found]):.2f} s"


def ratios(runs: Sequence[Run], head: str) -> list[float]:
    """Seconds of the peers with a head over ours, of the same methods."""
    return [
        theirs.seconds / run.ours[name].seconds
        for run in runs
        for column, rows in run.peers.items()
        if column.endswith(head)
        for name, theirs in rows.items()
        if name in run.ours
    ]


def geometric(values: Sequence[float]) -> float:
    return float(np.exp(np.mean(np.log(values)))) if values else float("nan")


def main() -> None:
    ask = argparse.ArgumentParser(
        description=f"{__doc__}\n{SELECTED}", formatter_class=argparse.RawDescriptionHelpFormatter
    )
    ask.add_argument("--pairs", type=int, default=PAIRS, help="of each data set; all six are recorded")
    ask.add_argument("--seeds", type=int, default=SEEDS, help="of each pair; five are recorded")
    ask.add_argument("--data", default=",".join(DOMAINS))
    ask.add_argument(
        "--into", type=Path, help="where pictures and features are kept; a temporary folder otherwise"
    )
    ask.add_argument(
        "--results", type=Path, help="a file of results to add to; what is in it is not run again"
    )
    asked = ask.parse_args()
    try:
        libraries = {"skada": of_skada()}
    except ImportError as reason:
        missing(f"{reason.name} is not installed (pip install skada pot)")
    left_out = []
    try:
        libraries["adapt"] = of_adapt()
    except ImportError as reason:
        left_out.append(f"adapt was left out: {reason}.")
    torch.set_num_threads(1)
    done: list[Run] = []
    if asked.results and asked.results.is_file():
        done = [Run.from_json(line) for line in asked.results.read_text().splitlines()]
    had = {(run.pair, run.seed) for run in done}
    wanted = [
        (Pair(data, *names), seed)
        for data in asked.data.split(",")
        for names in list(permutations(DOMAINS[data], 2))[: asked.pairs]
        for seed in range(asked.seeds)
    ]
    opened: dict[str, Data] = {}
    with tempfile.TemporaryDirectory() as temporary, threadpool_limits(1):
        for pair, seed in wanted:
            if (pair, seed) in had:
                continue
            if pair.data not in opened:
                opened[pair.data] = Data(pair.data, asked.into or Path(temporary))
            start = time.perf_counter()
            one = run(opened[pair.data], pair, seed, libraries)
            done.append(one)
            print(f"{pair}, {seed}: {time.perf_counter() - start:.0f} s, {one}", file=sys.stderr, flush=True)
            if asked.results:
                with asked.results.open("a") as file:
                    file.write(json.dumps(asdict(one)) + "\n")
    text = report([one for one in done if (one.pair, one.seed) in set(wanted)], left_out)
    print(text)
    if asked.pairs >= PAIRS and asked.seeds >= SEEDS and set(asked.data.split(",")) == set(DOMAINS):
        record("pacs_amazon", f"## Across domains\n\n`benchmarks/pacs_amazon.py`, {setting()}\n\n{text}")


if __name__ == "__main__":
    main()
