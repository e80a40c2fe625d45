"""Model folders of somebody else: no code runs, nothing hangs, memory stays, one line says what is wrong.

The description is signed anew after each change, as an attacker would: the checksum tells damage, not intent.
"""

import hashlib
import json
import os
import pickle
import shutil
import struct
import zipfile

import pytest
import torch
from safetensors.torch import save

from regraft.backbones import small_mlp, small_text, table
from regraft.domain import Domain
from regraft.folder import DESCRIPTION, WEIGHTS
from regraft.methods import METHODS
from regraft.preprocessing.tokens import Tokens
from regraft.problem import Problem
from regraft.readers import Table

ROWS = [[str(i), "red" if i % 3 else "blue"] for i in range(12)]


@pytest.fixture(scope="session")
def good(tmp_path_factory):
    """A small model of a table with two columns, and the table."""
    folder = tmp_path_factory.mktemp("good")
    data = Domain(Table(("size", "colour"), ROWS), ["low"] * 6 + ["high"] * 6)
    METHODS["LinearProbe"]().fit(Problem(target_labelled=data), table()).save(folder / "model")
    lines = ["size,colour", *(",".join(row) for row in ROWS)]
    (folder / "t.csv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture
def model(good, tmp_path):
    shutil.copytree(good / "model", tmp_path / "model")
    shutil.copy(good / "t.csv", tmp_path / "t.csv")
    return tmp_path / "model"


def signed(folder, **values):
    """The description with other values, and the right checksum."""
    saved = json.loads((folder / DESCRIPTION).read_text())
    saved.update(values)
    saved.pop("sha256", None)
    saved["sha256"] = hashlib.sha256(json.dumps(saved, sort_keys=True).encode()).hexdigest()
    (folder / DESCRIPTION).write_text(json.dumps(saved))


def weighed(folder, content):
    """Other weights, and the right checksum."""
    (folder / WEIGHTS).write_bytes(content)
    signed(folder, weights_sha256=hashlib.sha256(content).hexdigest())


def rebuilt(folder, **spec):
    """The description of another network."""
    signed(folder, backbone={"name": "x", "licence": "", "source": "", "stages": [], "spec": spec})


def framed(header, body=b"") -> bytes:
    """A safetensors file of any header."""
    header = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(header)) + header + body


def entry(start, stop, shape=(1,), dtype="F32"):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [start, stop]}


def bomb(canary) -> bytes:
    class Bomb:
        def __reduce__(self):
            return os.system, (f"touch '{canary}'",)

    return pickle.dumps(Bomb())


def zipped(canary) -> bytes:
    """A .pt file as torch.save writes it, with a pickle that runs a command."""
    path = canary.with_name("bomb.pt")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", bomb(canary))
        archive.writestr("archive/version", "3\n")
    return path.read_bytes()


def array(canary) -> bytes:
    """A .npy file whose only element is a pickle."""
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bomb(canary)


def tagged(canary) -> bytes:
    return f"!!python/object/apply:os.system ['touch {canary}']\n".encode()


CODE = [
    pytest.param(bomb, id="S1 pickle and joblib"),
    pytest.param(zipped, id="S1 .pt of torch"),
    pytest.param(array, id="S1 .npy of objects"),
    pytest.param(tagged, id="S1 YAML tag"),
]


@pytest.mark.parametrize("payload", CODE)
def test_code_in_the_place_of_weights(attack, model, canary, payload):
    weighed(model, payload(canary))
    attack("predict", model, "t.csv").refuses("does not describe a model")


@pytest.mark.parametrize("payload", CODE)
def test_code_in_the_place_of_the_description(attack, model, canary, payload):
    (model / DESCRIPTION).write_bytes(payload(canary))
    attack("predict", model, "t.csv").refuses("model.json cannot be read")


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".bin", ".pkl", ".joblib", ".npy", ".h5", ".yaml"])
def test_code_as_weights_of_a_network(attack, model, canary, suffix):
    model.with_name(f"net{suffix}").write_bytes(bomb(canary))
    attack("fit", "t.csv", "--label", "colour", "--weights", f"net{suffix}").refuses("can execute code")


@pytest.mark.parametrize(
    "value",
    ["os.system", "builtins.eval", {"__reduce__": ["os.system", "x"]}, ["os.system"], None, "__import__"],
    ids=str,
)
@pytest.mark.parametrize("part", ["head", "preprocessing", "output"])
def test_names_of_code(attack, model, canary, part, value):
    signed(model, **{part: {"kind": value}})
    attack("predict", model, "t.csv").refuses("")


OVERFLOW = "9" * 400
DESCRIPTIONS = {
    "S4 a hundred thousand brackets": "[" * 100_000,
    "S4 as many, closed": '{"a":' * 50_000 + "1" + "}" * 50_000,
    "S4 a number of 5000 digits": '{"format": ' + "9" * 5000 + "}",
    "S4 a format beyond floats": f'{{"format": {OVERFLOW}}}',
    "S4 infinity": '{"format": Infinity}',
    "one name twice": '{"format": 1, "format": 1}',
    "a list": "[1]",
    "nothing": "",
    "UTF-16": "{}".encode("utf-16"),
    "no text": b"\xff\xfe\xfd",
}


@pytest.mark.parametrize("text", DESCRIPTIONS.values(), ids=DESCRIPTIONS)
def test_descriptions_that_are_none(attack, model, text):
    (model / DESCRIPTION).write_bytes(text if isinstance(text, bytes) else text.encode())
    attack("predict", model, "t.csv").refuses("")


SAFETENSORS = {
    "S2 header of 2⁶³ bytes": struct.pack("<Q", 2**63) + b"{}",
    "S2 header of 2⁶⁴ − 1 bytes": struct.pack("<Q", 2**64 - 1) + b"{}",
    "S2 header of 100 MB": framed(b'{"a":' + b" " * 100_000_001),
    "S2 header nested 100,000 deep": framed(b'{"a":' + b"[" * 100_000),
    "S2 overlapping offsets": framed({"a": entry(0, 4), "b": entry(0, 4)}, b"\0" * 4),
    "S2 negative offsets": framed({"a": entry(-4, 0)}, b"\0" * 4),
    "S2 offsets past the end": framed({"a": entry(0, 2**40)}, b"\0" * 4),
    "S2 a hole": framed({"a": entry(4, 8)}, b"\0" * 8),
    "S2 shape and dtype disagree": framed({"a": entry(0, 4, dtype="F64")}, b"\0" * 4),
    "S2 shape overflows": framed({"a": entry(0, 4, shape=[2**62, 4])}, b"\0" * 4),
    "S2 unknown dtype": framed({"a": entry(0, 4, dtype="code")}, b"\0" * 4),
    "S2 one name twice": framed(
        b'{"a":' + json.dumps(entry(0, 4)).encode() + b',"a":' + json.dumps(entry(0, 4)).encode() + b"}",
        b"\0" * 4,
    ),
    "S2 empty": b"",
    "tensors of other names": save({"os.system": torch.zeros(1)}),
}


@pytest.mark.parametrize("content", SAFETENSORS.values(), ids=SAFETENSORS)
def test_weights_that_are_none(attack, model, content):
    weighed(model, content)
    attack("predict", model, "t.csv").refuses("does not describe a model")


HUGE = 10**9
NORMAL = {"mean": [0.5] * 3, "std": [0.5] * 3, "interpolation": "bilinear", "colour": "rgb"}
SHAPES = {
    "a head of 10⁹ × 10⁹": lambda f: signed(f, head={"kind": "linear", "features": HUGE, "classes": HUGE}),
    "a head of −1 features": lambda f: signed(f, head={"kind": "linear", "features": -1, "classes": 2}),
    "a head of 2.5 features": lambda f: signed(f, head={"kind": "linear", "features": 2.5, "classes": 2}),
    "a head of 10⁹ axes": lambda f: signed(
        f, head={"kind": "semantics", "features": 3, "width": HUGE, "head": {"kind": "linear"}}
    ),
    "a head of 10⁷ × 10⁷": lambda f: signed(f, head={"kind": "linear", "features": 10**7, "classes": 10**7}),
    "a head of another width": lambda f: signed(f, head={"kind": "linear", "features": 9, "classes": 2}),
    "a head of whole numbers": lambda f: signed(
        f, head={"kind": "linear", "features": 3, "classes": 2, "dtype": "int8"}
    ),
    "10⁹ neighbours": lambda f: signed(
        f, head={"kind": "neighbours", "samples": HUGE, "features": 3, "classes": 2, "nearest": 1}
    ),
    "hidden layer of 10⁹": lambda f: signed(
        f, head={"kind": "mlp", "features": 3, "hidden": HUGE, "classes": 2}
    ),
    "trees for a class that is not there": lambda f: signed(
        f, head={"kind": "trees", "classes": 2, "present": [0, 7], "size": 4}
    ),
    "trees of 10¹⁵ bytes": lambda f: signed(
        f, head={"kind": "trees", "classes": 2, "present": [0, 1], "size": 10**15}
    ),
    "more classes than names": lambda f: signed(f, output={"kind": "classes", "names": ["low"]}),
    "a class twice": lambda f: signed(f, output={"kind": "classes", "names": ["low", "low"]}),
    "names that are no text": lambda f: signed(f, output={"kind": "classes", "names": [1, {}]}),
    "layers of 10⁶ × 10⁶": lambda f: rebuilt(f, loader="small mlp", columns=10**6, widths=[10**6], seed=0),
    "a million layers": lambda f: rebuilt(f, loader="small mlp", columns=1, widths=[1] * 10**6, seed=0),
    "a million channels": lambda f: rebuilt(
        f, loader="small convnet", size=[32, 32], colour="rgb", width=10**6, seed=0
    ),
    "pictures of 10⁶ × 10⁶": lambda f: rebuilt(f, loader="pixels", side=10**6),
    "pictures that cover 10⁹ pixels a side": lambda f: signed(
        f,
        preprocessing={
            "kind": "images",
            "size": [224, 224],
            "resize": "crop",
            "crop_fraction": 1e-9,
            **NORMAL,
        },
    ),
    "pictures of NaN": lambda f: signed(
        f, preprocessing={"kind": "images", "size": [float("nan"), 2], "resize": "crop", **NORMAL}
    ),
    "a chain of itself, 200 deep": lambda f: rebuilt(f, **chained(200)),
    "a chain of 100,000": lambda f: rebuilt(
        f, loader="chain", parts=[{"loader": "vectors"} for _ in range(100_000)]
    ),
    "a slice of nothing": lambda f: rebuilt(f, loader="slice", of=None, start=0, stop=1),
    "a device that is none": lambda f: signed(
        f, engine={"device": "nowhere", "precision": "float32", "channels_last": False}
    ),
    "timm with a file of its own": lambda f: rebuilt(
        f,
        loader="timm",
        architecture="test_resnet",
        args={"checkpoint_path": "/etc/passwd"},
        preprocessing={"kind": "images", "size": [32, 32], **NORMAL},
    ),
    "timm from another hub": lambda f: rebuilt(
        f,
        loader="timm",
        architecture="hf-hub:somebody/evil",
        args={},
        preprocessing={"kind": "images", "size": [32, 32], **NORMAL},
    ),
    "timm a million wide": lambda f: rebuilt(
        f,
        loader="timm",
        architecture="test_resnet",
        args={"stem_width": 10**6},
        preprocessing={"kind": "images", "size": [32, 32], **NORMAL},
    ),
    "timm with 4 · 10¹⁰ weights": lambda f: rebuilt(
        f,
        loader="timm",
        architecture="vit_tiny_patch16_224",
        args={"embed_dim": 8064, "depth": 50},
        preprocessing={"kind": "images", "size": [224, 224], **NORMAL},
    ),
}


def chained(depth):
    spec = {"loader": "vectors"}
    for _ in range(depth):
        spec = {"loader": "chain", "parts": [spec, {"loader": "vectors"}]}
    return spec


@pytest.mark.parametrize("change", SHAPES.values(), ids=SHAPES)
def test_absurd_numbers(attack, model, change):
    change(model)
    attack("predict", model, "t.csv").refuses("")


def test_a_head_of_nan(attack, model, good):
    from safetensors.torch import load_file

    tensors = load_file(good / "model" / WEIGHTS)
    weighed(model, save({name: torch.full_like(t, float("nan")) for name, t in tensors.items()}))
    attack("predict", model, "t.csv").refuses("NaN")


def test_words_that_the_network_has_no_row_for(attack, tmp_path):
    texts = Domain(["the owl hoots", "the crow caws"] * 4, ["owl", "crow"] * 4)
    network = small_text(Tokens(most_words=4), width=8, depth=1)
    model = METHODS["LinearProbe"]().fit(Problem(target_labelled=texts), network)
    model.save(tmp_path / "model")
    told = json.loads((tmp_path / "model" / DESCRIPTION).read_text())["preprocessing"]
    signed(tmp_path / "model", preprocessing={**told, "most_words": 9, "words": [*told["words"], "crow's"]})
    (tmp_path / "t.csv").write_text("text\nthe crow's owl\n")
    attack("predict", tmp_path / "model", "t.csv").refuses("other numbers than its network has rows for")


def test_a_network_that_does_not_take_the_samples(attack, model, tmp_path):
    """The parts are sound, and do not fit together."""
    phi = small_mlp(5)
    phi.spec["columns"] = 5
    data = Domain(torch.randn(8, 5), ["low", "high"] * 4)
    METHODS["LinearProbe"]().fit(Problem(target_labelled=data), phi).save(tmp_path / "other")
    attack("predict", "other", "t.csv").refuses("takes tensors")
    rebuilt(tmp_path / "other", loader="small mlp", columns=5, widths=[64, 64], seed=0)
    signed(tmp_path / "other", preprocessing=json.loads((model / DESCRIPTION).read_text())["preprocessing"])
    attack("predict", "other", "t.csv").refuses("save the model again")


@pytest.mark.parametrize("name", [DESCRIPTION, WEIGHTS])
@pytest.mark.parametrize(
    "kind",
    ["pipe", "device", "folder", "link to a device", "link to a secret", "link to itself", "a terabyte"],
)
def test_what_is_no_file_of_a_model(attack, model, tmp_path, name, kind):
    (model / name).unlink()
    (tmp_path / "secret").write_text("the word is swordfish")
    {
        "pipe": os.mkfifo,
        "device": lambda path: path.symlink_to("/dev/zero"),
        "folder": os.mkdir,
        "link to a device": lambda path: path.symlink_to("/dev/tty"),
        "link to a secret": lambda path: path.symlink_to(tmp_path / "secret"),
        "link to itself": lambda path: path.symlink_to(path),
        "a terabyte": lambda path: path.write_bytes(b"") or os.truncate(path, 1 << 40),
    }[kind](model / name)
    answer = attack("predict", model, "t.csv")
    answer.refuses("save the model again")
    assert "swordfish" not in answer.err


def test_saving_follows_no_link_out_of_the_folder(attack, model, tmp_path):
    """Whoever owns a model folder may put links into it; a fit replaces the links, not what they lead to."""
    (tmp_path / "precious").write_text("precious")
    (tmp_path / "precious-folder").mkdir()
    (tmp_path / "precious-folder" / "x").write_text("precious")
    (model / "study.json").symlink_to(tmp_path / "precious")
    (model / "deeper").symlink_to(tmp_path / "precious-folder")
    lines = ["size,label", *(f"{i},{'low' if i < 15 else 'high'}" for i in range(30))]
    (tmp_path / "l.csv").write_text("\n".join(lines))
    refused = attack("fit", "l.csv", "--out", model, "--methods", "NearestMean")
    assert (refused.code, "holds what Regraft did not write (deeper)" in refused.err) == (2, True)
    (model / "deeper").unlink()
    assert attack("fit", "l.csv", "--out", model, "--methods", "NearestMean").code == 0
    assert (tmp_path / "precious").read_text() == "precious"
    assert (tmp_path / "precious-folder" / "x").read_text() == "precious"
    assert not (model / "study.json").is_symlink()


@pytest.fixture
def thin(tmp_path):
    """A folder that needs the network beside it, and a table for it; `borrows(…)` changes what it says."""
    columns = ["a", "b", "c"]
    table_lines = [",".join(columns), *("0.1,0.2,0.3" for _ in range(4))]
    (tmp_path / "t.csv").write_text("\n".join(table_lines) + "\n")
    data = Domain(torch.randn(8, 3), ["low", "high"] * 4)
    problem, phi = Problem(target_labelled=data), small_mlp(3, widths=(16, 16))
    quick = {"epochs": 1, "least_steps": 2, "held_out": 0.0}
    return METHODS["Adapters"](width=2, **quick).fit(problem, phi).save(tmp_path / "thin", on=phi)


def said(folder):
    return json.loads((folder / DESCRIPTION).read_text())


def borrows(folder, **values):
    signed(folder, borrowed={**said(folder)["borrowed"], **values})


def holds(folder, **tensors):
    from safetensors.torch import load_file

    weighed(folder, save({**load_file(folder / WEIGHTS), **tensors}))


def respelt(folder, **values):
    """The description of other adapters."""
    network = said(folder)["backbone"]
    network["spec"] = {**network["spec"], **values}
    signed(folder, backbone=network)


def in_itself(folder, times):
    """Adapters in adapters in adapters."""
    network = said(folder)["backbone"]
    for _ in range(times):
        network["spec"] = {**network["spec"], "of": dict(network["spec"])}
    signed(folder, backbone=network)


FIRST = "backbone.stages.0.inner.linear.weight"
THIN = {
    "another fingerprint": (lambda f: borrows(f, fingerprint="0" * 32), "hand it in"),
    "another network's numbers": (lambda f: borrows(f, fingerprint="", weights_sha256=""), "hand it in"),
    "another seed": (
        lambda f: borrows(f, spec={**said(f)["borrowed"]["spec"], "seed": 7}),
        "hand it in",
    ),
    "a tensor that is none of the network's": (
        lambda f: holds(f, **{"backbone.os.system": torch.zeros(1)}),
        "does not fit into small mlp",
    ),
    "a tensor of another size": (lambda f: holds(f, **{FIRST: torch.zeros(16, 4)}), "does not fit into"),
    "a tensor of another kind": (
        lambda f: holds(f, **{FIRST: torch.zeros(16, 3, dtype=torch.int8)}),
        "does not fit into",
    ),
    "a frozen weight in another's place": (
        lambda f: holds(f, **{FIRST: torch.zeros(16, 3)}),
        "it is not the model that was saved",
    ),
    "an adapter left out": (lambda f: weighed(f, save({})), "save the model again"),
    "a width of 10⁹": (lambda f: respelt(f, width=HUGE), "are the most"),
    "a width of −1": (lambda f: respelt(f, width=-1), "whole number above 0"),
    "channels of 10⁹": (lambda f: respelt(f, places={"0": [1, HUGE]}), "are the most"),
    "an axis of 10⁹": (lambda f: respelt(f, places={"0": [HUGE, 16], "1": [1, 16]}), ""),
    "a place that is none": (lambda f: respelt(f, places={"../0": [1, 16]}), "has no part"),
    "code as activation": (lambda f: respelt(f, activation="os.system"), "unknown"),
    "adapters a hundred deep": (lambda f: in_itself(f, 100), "more than 64 parts"),
    "a rank of 10⁹": (
        lambda f: respelt(f, loader="low rank", ranks={"0.linear": HUGE}, scale=1.0),
        "more than",
    ),
    "a rank of 2.5": (
        lambda f: respelt(f, loader="low rank", ranks={"0.linear": 2.5}, scale=1.0),
        "whole numbers above 0",
    ),
    "a scale beyond floats": (
        lambda f: respelt(f, loader="low rank", ranks={"0.linear": 1}, scale=10**400),
        "scales are finite",
    ),
    "a network at a place on the disk": (
        lambda f: borrows(f, place={"way": "/etc/passwd"}),
        "hand it in",
    ),
    "a network up the tree": (lambda f: borrows(f, place={"way": "../../../../etc"}), "hand it in"),
    "a network that leads to itself": (lambda f: borrows(f, place={"way": "../thin"}), "hand it in"),
    "a network of another hub": (lambda f: borrows(f, place={"name": "hf-hub:some/body"}), "hand it in"),
    "a name that is none": (lambda f: borrows(f, place={"name": {"__reduce__": "x"}}), ""),
    "no network": (lambda f: signed(f, borrowed=None), ""),
    "keys that are none": (lambda f: borrows(f, code="x"), "does not describe a model"),
}


@pytest.mark.parametrize(("change", "told"), THIN.values(), ids=THIN)
def test_thin_folders(attack, thin, change, told):
    change(thin)
    attack("predict", thin, "t.csv").refuses(told)
