"""What every pretext task promises. A new one is tested by being listed in PRETEXTS."""

import dataclasses
from pathlib import Path

import pytest
import torch

import regraft
from regraft.backbones import small_convnet, small_mlp, small_text
from regraft.domain import Domain
from regraft.errors import InputError
from regraft.preprocessing.tokens import Tokens
from regraft.pretext import PIXELS, TOKENS, VECTORS
from regraft.pretexts import PRETEXTS
from regraft.training import Training

OF_COLOURS = ("Colorization",)
QUICK = {"epochs": 1, "least_steps": 8, "batch_size": 16}


@pytest.fixture(params=PRETEXTS)
def task(request):
    return PRETEXTS[request.param](**QUICK)


@pytest.fixture
def pool(task):
    luck = torch.Generator().manual_seed(0)
    if PIXELS in task.takes:
        shape = (40, 8, 8, 3) if type(task).__name__ in OF_COLOURS else (40, 8, 8)
        return Domain(torch.randint(256, shape, dtype=torch.uint8, generator=luck))
    if TOKENS in task.takes:
        words = torch.randint(30, (40, 7), generator=luck).tolist()
        return Domain([" ".join(f"w{word}" for word in row) for row in words])
    assert VECTORS in task.takes
    return Domain(torch.randn(40, 6, generator=luck))


@pytest.fixture
def network(task, pool):
    if TOKENS in task.takes:
        return small_text(Tokens(most_words=40, longest=16).fit(pool.x), width=8, heads=2)
    colour = "rgb" if type(task).__name__ in OF_COLOURS else "grey"
    return small_convnet((8, 8), colour, width=2) if PIXELS in task.takes else small_mlp(6, (8, 4))


def weights(made):
    return torch.cat([p.detach().flatten().double() for p in made.backbone.state_dict().values()])


def test_it_gives_a_backbone_and_changes_nothing_given(task, pool, network):
    recipe, given = task.recipe(), network.fingerprint()
    made = task.pretrain(pool, network)
    assert task.recipe() == recipe
    with pytest.raises(dataclasses.FrozenInstanceError):
        task.epochs = 3
    assert network.fingerprint() == given
    assert made.backbone.pretrained
    assert not network.pretrained
    assert made.backbone.names == network.names
    assert made.backbone.features(pool.x).shape == network.features(pool.x).shape
    assert torch.isfinite(made.backbone.features(pool.x)).all()
    assert all(torch.isfinite(torch.tensor(values)).all() for values in made.history.terms.values())
    assert made.steps == 8


def test_same_seed_same_bits_and_global_randomness_is_neither_used_nor_moved(task, pool, network):
    torch.manual_seed(1)
    one, moved = weights(task.pretrain(pool, network)), torch.rand(1)
    torch.manual_seed(1)
    assert torch.equal(moved, torch.rand(1))
    torch.manual_seed(2)
    assert torch.equal(one, weights(task.pretrain(pool, network)))
    assert not torch.equal(one, weights(task.pretrain(pool, network, Training(seed=1))))


def test_killed_and_resumed_is_the_same_backbone(task, pool, network, tmp_path, killer):
    whole = weights(task.pretrain(pool, network))
    with pytest.raises(killer.Killed):
        task.pretrain(pool, network, Training(checkpoints=tmp_path, save_every=0, progress=killer(5)))
    resumed = task.pretrain(pool, network, Training(checkpoints=tmp_path, save_every=0))
    assert torch.equal(weights(resumed), whole)


def test_it_goes_on_from_what_a_network_has_learned(task, pool, network):
    first = task.pretrain(pool, network).backbone
    again = task.pretrain(pool, first)
    start = torch.cat([p.detach().flatten().double() for p in first.parameters()])
    ends = torch.cat([p.detach().flatten().double() for p in again.backbone.parameters()])
    assert 0 < (ends - start).norm() < 0.3 * start.norm()
    assert [one["method"] for one in again.backbone.ancestors] == [type(task).__name__] * 2


def test_labels_are_refused(task, pool, network):
    with pytest.raises(InputError, match="has labels"):
        task.pretrain(pool.with_(y=torch.arange(40) % 2), network)


def test_other_samples_are_refused_in_one_line(task):
    others = {
        PIXELS: (torch.zeros(40, 8, 8, dtype=torch.uint8), small_convnet((8, 8), "grey", width=2)),
        VECTORS: (torch.rand(40, 5), small_mlp(5)),
        TOKENS: (torch.ones(40, 5, dtype=torch.long), small_mlp(5)),
    }
    for kind in others.keys() - task.takes:
        x, network = others[kind]
        with pytest.raises(InputError, match="is made of"):
            task.pretrain(Domain(x), network)


@pytest.mark.parametrize("name", PRETEXTS)
def test_every_hyper_parameter_is_explained_and_the_reference_is_there(name):
    task = PRETEXTS[name]
    for one in dataclasses.fields(task):
        assert one.metadata["help"]
        assert one.default in one.metadata["search"]
    assert task.reference
    assert task.map
    assert ">>> " in task.__doc__
    assert "harm" in task.__doc__


@pytest.mark.parametrize("name", PRETEXTS)
def test_it_has_a_test_file_of_its_own(name):
    file = Path(PRETEXTS[name].__module__.replace("regraft.", "").replace(".", "/"))
    assert (Path(__file__).parent / file.parent / f"test_{file.name}.py").is_file()


def test_all_tasks_are_listed():
    folder = Path(regraft.__file__).parent / "pretexts"
    written = {path.stem for path in folder.glob("*/*.py")} - {"__init__"}
    listed = {task.__module__.rsplit(".", 1)[1] for task in PRETEXTS.values()}
    assert listed <= written
