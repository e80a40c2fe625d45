"""What a model remembers of where it came from."""

import hashlib
import json
import platform

import torch

from regraft.backbones import glyphs, vectors
from regraft.domain import Domain
from regraft.methods import METHODS
from regraft.problem import Problem
from regraft.provenance import versions
from regraft.selection import compare


def images():
    x = torch.randint(0, 256, (12, 9, 9), dtype=torch.uint8)
    x[::2] //= 4
    return Domain(x, ["night", "day"] * 6)


def test_a_comparison_remembers_the_samples_and_the_network_and_not_the_features():
    problem, phi = Problem(target_labelled=images()), glyphs()
    alone = METHODS["NearestMean"]().fit(problem, phi)
    study = compare(problem, methods=["NearestMean"], backbone=phi, hand_over="best")
    assert alone.provenance["data"] == {"target_labelled": problem.target_labelled.fingerprint()}
    assert alone.provenance["network"] == phi.fingerprint()
    assert study.model.provenance["data"] == alone.provenance["data"]
    kept = study.handed_over.candidate.backbone
    assert study.model.provenance["network"] == kept.fingerprint()


def test_what_is_learned_is_not_in_the_hash_of_the_network(network, problem):
    before = network.fingerprint()
    model = METHODS["FineTune"](epochs=1, least_steps=5).fit(problem, network)
    assert model.provenance["network"] == before != model.backbone.fingerprint()


def test_the_hash_of_data_is_that_of_sorted_lines():
    d = Domain([[0.5, 1.0], [2.0, 3.0]], ["owl", "crow"])
    head = f"{d.x.dtype}{(2,)}".encode()
    lines = [
        f"{hashlib.blake2b(head + row.numpy().tobytes(), digest_size=16).hexdigest()} {json.dumps(name)}\n"
        for row, name in zip(d.x, ["owl", "crow"], strict=True)
    ]
    assert d.fingerprint() == hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()
    assert d.fingerprint() != d.with_(y=d.y.flip(0)).fingerprint()


def test_versions_are_those_in_use():
    found = versions()
    assert found["torch"] == torch.__version__.split("+")[0] or found["torch"] == torch.__version__
    assert found["python"] == platform.python_version()
    made = METHODS["Majority"]().fit(Problem(target_labelled=Domain([[0.0], [1.0]], ["a", "b"])), vectors())
    assert made.provenance["versions"] == found
