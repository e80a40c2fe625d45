import pytest
import torch
from torch import nn

from regraft.backbone import Backbone
from regraft.domain import Domain
from regraft.engine import Engine
from regraft.features import BATCH, Store, embed
from regraft.preprocessing.vectors import Standardised


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
    class Stopping(Counting):
        def forward(self, x):
            if self.seen >= 2 * BATCH:
                raise KeyboardInterrupt
            return super().forward(x)

    x = torch.randn(5 * BATCH, 3)
    with pytest.raises(KeyboardInterrupt):
        Store(tmp_path).activations(Backbone([("double", Stopping())], name="toy"), x)
    phi = chain()
    assert torch.equal(Store(tmp_path).activations(phi, x), (2 * x).detach())
    assert phi.stages[0].seen == 3 * BATCH


def test_a_torn_file_is_computed_again(tmp_path):
    phi, x = chain(), torch.randn(2 * BATCH, 3)
    Store(tmp_path).activations(phi, x)
    shard = next(tmp_path.rglob("*.safetensors"))
    shard.write_bytes(shard.read_bytes()[:50])
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


def test_embedding_keeps_what_is_known_of_the_samples():
    d = Domain(torch.randn(6, 3), list("ababab"), group=list("xxyyzz"))
    seen = embed(chain(), d)
    assert torch.equal(seen.y, d.y)
    assert torch.equal(seen.group, d.group)
    assert seen.output is d.output
