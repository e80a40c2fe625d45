from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError, safe_open
from torch import nn

from regraft.backbone import Backbone
from regraft.backbones import pixels, table
from regraft.domain import Domain
from regraft.engine import Engine
from regraft.features import BATCH, Store, embed
from regraft.preprocessing.vectors import Standardised
from regraft.readers import Table


class Counting(nn.Module):
    """Doubles, and counts what it has seen."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(2.0))
        self.seen = 0

    def forward(self, x):
        self.seen += len(x)
        return self.weight * x


def chain():
    return Backbone([("double", Counting())], name="toy")


def test_every_sample_is_computed_once(tmp_path):
    phi, x = chain(), torch.randn(100, 3)
    store = Store(tmp_path)
    first = store.activations(phi, x)
    torch.testing.assert_close(first, 2 * x)
    assert torch.equal(store.activations(phi, x), first)
    assert phi.stages[0].seen == 100


def test_twenty_more_cost_twenty(tmp_path):
    phi, x = chain(), torch.randn(120, 3)
    Store(tmp_path).activations(phi, x[:100])
    again = Store(tmp_path)
    assert torch.equal(again.activations(phi, x), (2 * x).detach())
    assert (again.computed, phi.stages[0].seen) == (20, 120)


def test_neither_order_nor_duplicates_matter(tmp_path):
    phi, x = chain(), torch.randn(10, 3)
    Store(tmp_path).activations(phi, x)
    again = Store(tmp_path)
    both = torch.cat([x.flip(0), x])
    assert torch.equal(again.activations(phi, both), (2 * both).detach())
    assert again.computed == 0


def test_other_weights_preprocessing_or_engine_are_computed_anew(tmp_path):
    x = torch.randn(10, 3)
    Store(tmp_path).activations(chain(), x)
    heavier = chain()
    with torch.no_grad():
        heavier.stages[0].weight.fill_(3.0)
    store = Store(tmp_path)
    torch.testing.assert_close(store.activations(heavier, x), 3 * x)
    scaled = chain().prepared_by(Standardised().fit(x))
    torch.testing.assert_close(store.activations(scaled, x).mean(0), torch.zeros(3), atol=1e-6, rtol=0)
    store.activations(chain(), x, Engine(precision="bfloat16"))
    assert store.computed == 30


def test_an_interrupted_extraction_resumes(tmp_path):
    phi, x = chain(), torch.randn(5 * BATCH, 3)

    def stop(module, inputs):
        if module.seen >= 2 * BATCH:
            raise KeyboardInterrupt

    hook = phi.stages[0].register_forward_pre_hook(stop)
    with pytest.raises(KeyboardInterrupt):
        Store(tmp_path).activations(phi, x)
    hook.remove()
    phi.stages[0].seen = 0
    assert torch.equal(Store(tmp_path).activations(phi, x), (2 * x).detach())
    assert phi.stages[0].seen == 3 * BATCH


@pytest.mark.parametrize(
    "damage",
    # the last 528 bytes are digests and the checksum, before them are activations
    [lambda b: b[:50], lambda b: b"", lambda b: b[:-600] + bytes([b[-600] ^ 64]) + b[-599:]],
    ids=["torn", "empty", "a bit"],
)
def test_a_damaged_file_is_computed_again(tmp_path, damage):
    phi, x = chain(), torch.randn(2 * BATCH, 3)
    Store(tmp_path).activations(phi, x)
    shard = next(tmp_path.rglob("*.safetensors"))
    shard.write_bytes(damage(shard.read_bytes()))
    again = Store(tmp_path)
    assert torch.equal(again.activations(phi, x), (2 * x).detach())
    assert again.computed == BATCH


def test_two_stores_share_a_folder(tmp_path):
    phi, x = chain(), torch.randn(40, 3)
    one, two = Store(tmp_path), Store(tmp_path)
    one.activations(phi, x[:30])
    two.activations(phi, x[10:])
    third = Store(tmp_path)
    assert torch.equal(third.activations(phi, x), (2 * x).detach())
    assert third.computed == 0


def test_networks_that_differ_only_in_what_they_do_are_told_apart(tmp_path):
    line, x = nn.Linear(3, 3), torch.randn(4, 3)
    for act in (nn.ReLU(), nn.Sigmoid(), nn.LeakyReLU(0.1), nn.LeakyReLU(0.5)):
        phi = Backbone([("whole", nn.Sequential(line, act))], name="toy")
        assert torch.equal(Store(tmp_path).activations(phi, x), act(line(x)).detach())


def test_of_other_samples_nothing_but_digests_is_read(tmp_path, monkeypatch):
    phi, x = chain(), torch.randn(3 * BATCH, 3)
    Store(tmp_path).activations(phi, x)
    read = []

    def counting(file, framework):
        saved = safe_open(file, framework)

        class Counted:
            def __enter__(self):
                return self

            def __exit__(self, *reason):
                pass

            def get_tensor(self, name):
                read.append(name)
                return saved.get_tensor(name)

        return Counted()

    monkeypatch.setattr("regraft.features.safe_open", counting)
    store = Store(tmp_path)
    rows = [2, 7, 2]
    assert torch.equal(store.activations(phi, x[rows]), (2 * x[rows]).detach())
    assert (read.count("digests"), read.count("activations"), store.computed) == (3, 1, 0)
    store.activations(phi, x[rows])
    assert len(read) == 5  # and the checksum of what is used


@pytest.mark.parametrize("place", ["afile", "afile/below", "/proc/nowhere"])
def test_a_cache_that_cannot_be_written_is_told_once(tmp_path, monkeypatch, place):
    monkeypatch.chdir(tmp_path)
    Path("afile").write_text("precious")
    phi, x, store = chain(), torch.randn(2 * BATCH, 3), Store(Path(place))
    with pytest.warns(UserWarning, match=r"features cannot be kept in .*") as told:
        assert torch.equal(store.activations(phi, x), (2 * x).detach())
    assert torch.equal(store.activations(phi, x + 1), (2 * (x + 1)).detach())
    assert len(told) == 1
    assert "\n" not in str(told[0].message)
    assert store.computed == 4 * BATCH
    assert [p.name for p in tmp_path.iterdir()] == ["afile"]


def test_a_full_disk_leaves_no_part_of_a_file(tmp_path, monkeypatch):
    def full(tensors, file):
        file.write_bytes(b"half")
        raise SafetensorError("I/O error: No space left on device")

    monkeypatch.setattr("regraft.features.save_file", full)
    with pytest.warns(UserWarning, match="No space left"):
        Store(tmp_path).activations(chain(), torch.randn(3, 3))
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


def test_no_samples_have_no_activations():
    phi = pixels()
    nothing = Domain(torch.zeros(0, 8, 8, dtype=torch.uint8))
    for store in (None, Store()):
        assert embed(phi, nothing, store).x.shape == (0, 0)
    assert len(embed(table(), Domain(Table(("a",), []))).x) == 0


def test_embedding_keeps_what_is_known_of_the_samples():
    d = Domain(torch.randn(6, 3), list("ababab"), group=list("xxyyzz"))
    seen = embed(chain(), d)
    assert torch.equal(seen.y, d.y)
    assert torch.equal(seen.group, d.group)
    assert seen.output is d.output
