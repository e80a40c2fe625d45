import pytest
import torch
from sklearn.datasets import load_digits

from regraft.backbones import glyphs, open_backbone
from regraft.card import card
from regraft.domain import Domain
from regraft.errors import InputError
from regraft.methods.features.linear_probe import LinearProbe
from regraft.methods.features.old_head import OldHead
from regraft.output import Classes
from regraft.planner import plan
from regraft.pretrained_head import PretrainedHead
from regraft.problem import Problem
from regraft.readers import read_images
from regraft.selection import compare, evaluate


@pytest.fixture
def headed(network):
    """The rings' network with a head of five classes, the target's two among them."""
    torch.manual_seed(3)
    names = ("moon", "Outer ring, outer", "sun", "inner", "star")
    network.old_head = PretrainedHead(torch.randn(5, 8), torch.randn(5), names, "the sky")
    return network


def test_is_the_old_softmax_given_that_the_answer_is_among_the_classes(headed, problem, fresh):
    old = headed.old_head
    p = (headed.features(fresh.x) @ old.weight.T + old.bias).softmax(1)
    given = p[:, [3, 1]] / p[:, [3, 1]].sum(1, keepdim=True)
    found = OldHead().fit(problem, headed).probabilities(fresh)
    torch.testing.assert_close(found, given.double(), atol=1e-5, rtol=1e-4)


def test_labels_do_not_matter_where_names_are_clear(headed, problem, fresh):
    labelled = problem.target_labelled
    shuffled = Problem(target_labelled=labelled.with_(y=labelled.y.flip(0) * 0))
    assert torch.equal(
        OldHead().fit(shuffled, headed).logits(fresh), OldHead().fit(problem, headed).logits(fresh)
    )


def test_a_class_that_it_does_not_have_is_named(headed):
    comets = Problem(target_labelled=Domain(torch.rand(3, 20), ["inner", "comet", "outer"]))
    with pytest.raises(InputError, match=r"the old head of rings has no class of its own for comet: rename"):
        OldHead().fit(comets, headed)


def test_a_network_without_one_says_so(network, problem):
    with pytest.raises(InputError, match="rings carries no head with named classes: take weights with"):
        OldHead().fit(problem, network)


def test_the_model_and_its_card_say_whose_head_it_is(headed, problem):
    model = OldHead().fit(problem, headed)
    assert model.provenance["head"] == {
        "of": "the sky",
        "rows": {"inner": "inner", "outer": "Outer ring, outer"},
    }
    assert "of the sky: inner as its inner; outer as its Outer ring, outer" in card(model)


def digits(rows, names):
    """Pictures of the digits of these names, and their labels."""
    data = load_digits()
    x, y = torch.from_numpy(data.images * 15).to(torch.uint8), [str(label) for label in data.target]
    chosen = [i for i in rows if y[i] in names]
    return Domain(x[chosen], [y[i] for i in chosen])


def test_ten_digits_taught_once_serve_some_of_them(tmp_path):
    """A model of all digits, opened as a backbone, knows five of them better than a probe of a label each."""
    taught = Problem(target_labelled=digits(range(300), "0123456789"))
    network = open_backbone(LinearProbe(folds=3).fit(taught, glyphs()).save(tmp_path / "digits"))
    some, fresh = digits(range(700, 800), "13589"), digits(range(1000, 1797), "13589")
    few = Problem(target_labelled=some[torch.tensor([(some.y == c).nonzero()[0, 0] for c in range(5)])])
    old, probe = (evaluate(m.fit(few, network), fresh).value("accuracy") for m in (OldHead(), LinearProbe()))
    assert old > 0.9
    assert old > probe + 0.05
    assert "LinearProbe on 300 samples of 10 classes" in card(OldHead().fit(few, network))
    assert "knows 1, 3, 5, 8, 9: 5 of 5 classes" in str(plan(few, backbone=network))


def test_it_is_compared_like_any_other(network, problem, fresh):
    solved = LinearProbe().fit(Problem(target_labelled=fresh), network).head
    network.old_head = PretrainedHead.of(solved, ["inner", "outer"], "many rings")
    rows = {r.candidate.name: r for r in compare(problem, backbone=network).results if r.candidate.borrows}
    assert list(rows) == ["OldHead (rings)", "LinearProbe (rings)", "NearestMean (rings)"]
    assert rows["OldHead (rings)"].scores.value("accuracy") > 0.9


@pytest.fixture
def insects(shared, tmp_path):
    """Ants and bees to learn from and to score on, called as ImageNet calls them, and its network."""
    import tarfile

    with tarfile.open(shared / "hymenoptera" / "hymenoptera.tar") as archive:
        train = [m for m in archive.getmembers() if m.isfile() and m.name.startswith("train/")][::12]
        val = [m for m in archive.getmembers() if m.isfile() and m.name.startswith("val/")][::3]
        archive.extractall(tmp_path, [*train, *val], filter="data")
    folder = shared / "weights_mobilenetv2_100"
    network = open_backbone(weights=folder / "mobilenetv2_100.safetensors")
    return read_images(tmp_path / "train"), read_images(tmp_path / "val"), network


@pytest.mark.data
def test_imagenets_head_tells_ants_from_bees(insects):
    """In the plural, as the folders are called, it does not; the plan says so."""
    train, val, network = insects
    plurals = plan(Problem(target_labelled=train), backbone=network)
    assert "where ants, bees means the same, name it so" in str(plurals)
    assert "OldHead" not in [type(c.method).__name__ for c in plurals.candidates]
    train, val = (d.with_(output=Classes(("ant", "bee"))) for d in (train, val))
    candidates = plan(Problem(target_labelled=train), backbone=network).candidates
    assert "OldHead" in [type(c.method).__name__ for c in candidates]
    model = OldHead().fit(Problem(target_labelled=train), network)
    assert evaluate(model, val).value("accuracy") > 0.93
    assert model.provenance["head"]["rows"]["ant"].startswith("ant, emmet, pismire")
