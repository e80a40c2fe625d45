"""The model card: what somebody has to know who is handed the folder, and nothing else."""

import re
from typing import Any

from .model import Model
from .output.metrics import title
from .preprocessing.tokens import takes_texts
from .provenance import told, told_of_head
from .text import plain

# letters, digits and what has no meaning in any dialect; the group catches the rest
INERT = re.compile(r"[^\W_]|[ ,;()'\"+\-−%?/…]|(?<![wW]{3})\.|:(?= |$)|(?<=[^\W_])_(?=[^\W_])|(.)", re.DOTALL)
MOST_LISTED = 200  # classes in the table of recalls; more are in study.json


def card(model: Model, needed: str | None = None) -> str:
    """The card of a model in Markdown, from what the model itself remembers.

    needed: the name of the network without which the folder is not the model, if it is thin.

    Names of classes, networks and columns come from the user's files, and are written so that no renderer
    takes them for markup.

    >>> from regraft import Domain, Problem
    >>> from regraft.backbones import vectors
    >>> from regraft.methods import METHODS
    >>> data = Domain([[0.0], [1.0]], ["<b>low</b>", "high"])
    >>> text = card(METHODS["NearestMean"]().fit(Problem(target_labelled=data), vectors()))
    >>> print(text.splitlines()[4])
    It tells apart 2 classes: &#60;b&#62;low&#60;/b&#62;, high.
    """
    study = model.provenance.get("study")
    parts = ["# Model card", _purpose(model)]
    parts += (
        [_score(study), *([_recalls(study)] if study.get("recall") else [])]
        if study
        else ["## How good it is\n\n" + UNJUDGED]
    )
    parts += [_reading(model), _use(model, needed), _origin(model), _limits(model)]
    return "\n\n".join(parts) + "\n"


UNJUDGED = (
    "Nobody judged it: it was fitted by itself, not by `regraft fit` or `compare`. "
    "`regraft evaluate FOLDER labelled-samples/` does."
)


def escaped(text: Any) -> str:
    """Text that Markdown shows as it is within a line: what may mean something becomes a character reference.

    >>> escaped("a|b *c* <i> snow_owl www.x http://x"), escaped("cröw: 2 (old), v1.2")
    ('a&#124;b &#42;c&#42; &#60;i&#62; snow_owl www&#46;x http&#58;//x', 'cröw: 2 (old), v1.2')
    """
    return INERT.sub(lambda c: c[0] if c[1] is None else f"&#{ord(c[1])};", plain(str(text)))


def _purpose(model: Model) -> str:
    made = model.provenance
    names = model.output.names
    listed = ", ".join(map(escaped, names[:20])) + (", …" if len(names) > 20 else "")
    counted = {role.replace("_", " "): n for role, n in made.get("samples", {}).items()}
    given = ", ".join(f"{n} samples ({role})" for role, n in counted.items())
    return (
        "## What it is for\n\n"
        f"{model.output.purpose}: {listed}.\n\n"
        f"Made by {escaped(made.get('method', 'an unknown method'))} on {escaped(model.backbone.name)} from "
        f"{given or 'samples that it does not remember'}."
    )


def _score(study: dict[str, Any]) -> str:
    metric = title(study["metric"])
    lines = ["## How good it is", ""]
    if expected := study.get("expected"):
        lines += [
            f"Expected on new samples: **{metric} {_interval(expected)}**, by {escaped(expected['by'])}."
        ]
    lines += [f"Its row in the comparison: {_interval(study['score'])}, by {escaped(study['judge'])}."]
    if test := study.get("test"):
        lines += [f"On a test set of {test['samples']} samples{_read(test)}: {_interval(test)}."]
    if sentence := study.get("sentence"):
        standing = study.get("standing") or ("as was asked" if study["unproven"] else "")
        unproven = f" It was handed over unproven: {escaped(standing)}." if standing else ""
        lines += ["", f"Verdict: {escaped(sentence)}{unproven}"]
    if tried := study.get("candidates"):
        lines += ["", f"| tried | {metric} | starts from |", "|---|---|---|"]
        for row in tried:
            kept = " (this model)" if row["name"] == study["candidate"] else ""
            start = row.get("starts_from", "pretrained" if row["borrows"] else "these labels alone")
            lines.append(f"| {escaped(row['name'])}{kept} | {row['score']:.2f} | {start} |")
    if left := study.get("left_out"):
        lines += ["", "Not tried:", ""]
        lines += [f"- {escaped(row['candidate'])}: {escaped(row['reason'])}" for row in left]
    if unreadable := study.get("unreadable"):
        lines += ["", f"{unreadable} samples could not be used; study.json names them."]
    return "\n".join(lines)


def _recalls(study: dict[str, Any]) -> str:
    recalls, labels = study.get("recall", {}), study.get("labels", {})
    lines = [
        "## Class by class",
        "",
        "| class | labelled samples | recall on held-out folds |",
        "|---|---|---|",
    ]
    for name in list(recalls)[:MOST_LISTED]:
        seen = _interval(recalls[name]) if recalls[name] else "not judged"
        lines.append(f"| {escaped(name)} | {labels.get(name, '')} | {seen} |")
    if len(recalls) > MOST_LISTED:
        lines += ["", f"{len(recalls) - MOST_LISTED} more classes are in study.json."]
    return "\n".join(lines)


def _reading(model: Model) -> str:
    preprocessing = model.backbone.preprocessing
    rule = {k: v for k, v in preprocessing.to_json().items() if k not in ("kind", "plan", "words")}
    lines = ["## How samples are read", "", f"Kind: {escaped(preprocessing.kind)}. model.json has all of it."]
    if told := {**preprocessing.reading, **rule}:
        lines += ["", "| step | rule |", "|---|---|"]
        lines += [f"| {escaped(name)} | {escaped(_said(value))} |" for name, value in told.items()]
    return "\n".join(lines)


def _use(model: Model, needed: str | None) -> str:
    own = ", backbone=module" if "module" in str(model.backbone.spec) else ""
    apart = (
        f"This folder holds only what differs from {escaped(needed)}, and needs that very network: it is "
        "looked for where it was, or handed in (`--backbone` or `--weights`; in Python `backbone=…`).\n\n"
        if needed
        else ""
    )
    if model.backbone.preprocessing.kind == "images":
        command, sample = "regraft predict FOLDER new-photos/\n", '["new.jpg"]'
    elif model.backbone.preprocessing.kind == "table":
        command, sample = "regraft predict FOLDER new.csv\n", 'rg.read_table("new.csv", labelled=False)'
    elif takes_texts(model.backbone.preprocessing):
        command, sample = "regraft predict FOLDER new.csv --text COLUMN\n", '["a text"]'
    else:
        command, sample = "", "rows"
    export = "" if takes_texts(model.backbone.preprocessing) else "regraft export FOLDER --to onnx\n"
    shell = f"```console\n{command}{export}```\n\n" if command and not own else ""
    return (
        f"## How to use it\n\n{apart}{shell}```python\nimport regraft as rg\n\n"
        f'model = rg.load("FOLDER"{own})\nprint(model.predict({sample}))\n```'
    )


def _origin(model: Model) -> str:
    made = model.provenance
    rows = {"network": model.backbone.name, "its weights": model.backbone.licence_line}
    earlier = made.get("ancestors") or []
    rows |= {f"fitted before ({i})": told(ancestor) for i, ancestor in enumerate(earlier, 1)}
    if head := made.get("head"):
        rows["head"] = told_of_head(head)
    rows |= {
        "method": made.get("method", ""),
        **{f"method: {k}": v for k, v in made.get("recipe", {}).items()},
    }
    if trained := made.get("trained_parameters"):
        network = made.get("network_parameters", 0)
        share = f", {100 * trained / network:.3g} % of the network's {network:,}" if network else ""
        rows["trained parameters"] = f"{trained:,}{share}"
    rows |= {"seed": made.get("seed", ""), "computed on": str(model.engine)}
    rows |= {f"data, {role.replace('_', ' ')} (SHA-256)": sha for role, sha in made.get("data", {}).items()}
    rows |= {"network before fitting (BLAKE2b)": made.get("network", "")}
    rows |= made.get("versions", {})
    lines = ["## How to make it again", "", "| what | value |", "|---|---|"]
    lines += [f"| {escaped(name)} | {escaped(value)} |" for name, value in rows.items() if value != ""]
    return "\n".join([*lines, "", "The same data, network, seed and versions give the same model."])


def _limits(model: Model) -> str:
    if model.certainty is None:
        sure = "It answers with one of its classes whatever it is shown."
    else:
        sure = (
            'An answer is accepted or means "not sure" (`accepted` in what `predict` writes): '
            f"{model.certainty}. A novelty above 1 marks a sample that is unlike all that was labelled."
        )
    return (
        "## Limits\n\n"
        "- Its scores hold for samples like those it was fitted to; on others nothing is known.\n"
        f"- {sure}\n"
        f"- The weights come with terms: {escaped(model.backbone.licence_line)}."
    )


def _read(test: dict[str, Any]) -> str:
    return f" ({escaped(test['read'])})" if test.get("read") else ""


def _interval(seen: dict[str, float]) -> str:
    return f"{seen['value']:.2f} [{seen['low']:.2f}, {seen['high']:.2f}]"


def _said(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
