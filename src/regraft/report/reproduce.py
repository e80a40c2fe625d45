"""How to come to the same page again."""

import json

from ..selection import Study
from ..text import seconds_text
from .blocks import SENTENCE, cell, column, facts, head, name_of, numbers, table
from .markup import Content, short, tag


def reproduce(study: Study) -> Content:
    """Command, versions, seeds, hashes, engines and threads."""
    setting = dict(study.setting)
    engines, versions = setting.get("engines", {}), setting.get("versions", {})
    by_hand = setting.get("command", "regraft.compare(problem, …)")
    hashes = study.hashes
    used = [
        [
            head(name_of(name)),
            cell(tag("code", fingerprint)),
            cell(engines.get(name, "")),
            cell(seconds_text(study.timing.get(name, 0.0)), study.timing.get(name, 0.0)),
        ]
        for name, fingerprint in hashes["backbones"].items()
    ]
    recipes = [
        [
            head([tag("span", "▸ ") if r is study.handed_over else None, name_of(r.candidate.name)]),
            cell(tag("code", json.dumps(r.candidate.method.recipe())), class_="text"),
        ]
        for r in study.results
    ]
    return [
        facts(
            [
                ("Command", tag("code", short(by_hand, 4 * SENTENCE))),
                ("Seed", str(setting.get("seed", "not recorded"))),
                ("Samples and labels", tag("code", hashes["data"])),
                ("Versions", ", ".join(f"{name} {number}" for name, number in versions.items()) or None),
                ("System", setting.get("system")),
                ("Threads", str(setting["threads"]) if "threads" in setting else None),
            ]
        ),
        table(
            "Networks",
            [
                column("network"),
                column("BLAKE2b of weights and structure"),
                column("engine"),
                numbers("seconds to extract"),
            ],
            used,
        ),
        table("Recipes", [column("candidate"), column("hyper-parameters")], recipes),
        tag(
            "p",
            "The hash of the samples is SHA-256 over sorted lines, one for each sample: the BLAKE2b of its "
            "own bytes, and its label as JSON. "
            "Features may differ in the last bits between machines and engines. All numbers of this page "
            "are in study.json beside the model.",
            class_="note",
        ),
    ]
