"""CycleGAN with semantic consistency."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn

from regraft.backbone import Backbone
from regraft.backbones import small_convnet, small_mlp
from regraft.domain import Domain
from regraft.errors import InputError
from regraft.methods.mapping.cycle_gan import CycleGAN
from regraft.methods.mapping.translators import Look, SourceClassifier
from regraft.problem import Problem
from regraft.trained import Network
from regraft.training import Step


@pytest.fixture
def vectors():
    torch.manual_seed(0)
    return Problem(
        source=Domain(torch.randn(6, 3), ["a", "b", "c"] * 2), target=Domain(2 * torch.randn(5, 3) + 1)
    )


def moved_off(network):
    """The network with generators that are not the identity any more."""
    for name in ("to_target", "to_source"):
        nn.init.normal_(network.beside[name].change.last.weight, std=0.3)
        nn.init.normal_(network.beside[name].change.last.bias, std=0.3)
    return network


def by_numpy(module):
    """What a chain of linear layers, ReLU and leaky ReLU makes of an array."""

    def run(x):
        for layer in module:
            if isinstance(layer, nn.Linear):
                x = x @ layer.weight.detach().double().numpy().T + layer.bias.detach().double().numpy()
            else:
                x = np.where(x > 0, x, getattr(layer, "negative_slope", 0.0) * x)
        return x

    return run


def cross_entropy(scores, y):
    p = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    return -np.log(p[np.arange(len(y)), y]).mean()


def test_every_term_by_hand(vectors):
    recipe = CycleGAN(translated=0.7, cycle=2.0, semantic=0.4, generator_width=2, critic_width=5)
    head = nn.Linear(64, 3)
    network = moved_off(recipe.network(small_mlp(3), head, vectors))
    step = Step(vectors, progress=0.5)
    translate, tell_apart = recipe.turns(network)
    terms, apart = translate.objective(network, step), tell_apart.objective(network, step)

    x_s, x_t = (vectors.domains[role].x.double().numpy() for role in ("source", "target"))
    both, y = np.concatenate([x_s, x_t]), vectors.source.y.numpy()
    centre, spread = both.mean(0), both.std(0)
    s, t = (x_s - centre) / spread, (x_t - centre) / spread
    change_g, change_f = (
        by_numpy([g.change.first, nn.ReLU(), g.change.last])
        for g in (network.beside["to_target"], network.beside["to_source"])
    )
    g, f = (lambda u: u + change_g(u)), (lambda u: u + change_f(u))
    d_t, d_s = by_numpy(network.beside["critic_of_target"]), by_numpy(network.beside["critic_of_source"])
    phi = [layer for stage in network.backbone.stages for layer in (stage.linear, nn.ReLU())]
    scores = by_numpy([*phi, head])
    translated = g(s) * spread + centre
    cycle = np.abs(f(g(s)) - s).mean() + np.abs(g(f(t)) - t).mean()
    expected = {
        "risk": 0.7 * cross_entropy(scores(translated), y) + 0.3 * cross_entropy(scores(x_s), y),
        "adversary": np.square(d_t(g(s)) - 1).mean() + np.square(d_s(f(t)) - 1).mean(),
        "cycle": 2.0 * cycle,
        "semantic": 0.4 * cross_entropy(scores(translated), scores(x_s).argmax(1)),
    }
    assert set(terms) == set(expected)
    for name, value in expected.items():
        assert terms[name].item() == pytest.approx(value, rel=1e-4), name
    made = np.square(d_t(g(s))).mean() + np.square(d_s(f(t))).mean()
    real = np.square(d_t(t) - 1).mean() + np.square(d_s(s) - 1).mean()
    assert apart["discriminators"].item() == pytest.approx(made + real, rel=1e-4)
    spreads = np.abs(s - s.mean(0)).mean() + np.abs(t - t.mean(0)).mean()
    assert step.noted["cycle error"].item() == pytest.approx(cycle / spreads, rel=1e-4)
    same = scores(translated).argmax(1) == scores(x_s).argmax(1)
    assert step.noted["semantic agreement"].item() == pytest.approx(same.mean())
    right = [np.r_[d(r)[:, 0] > 0.5, d(m)[:, 0] <= 0.5] for d, r, m in ((d_t, t, g(s)), (d_s, s, f(t)))]
    n, m = len(s), len(t)
    each = [(right[0][:m].mean() + right[0][m:].mean()) / 2, (right[1][:n].mean() + right[1][n:].mean()) / 2]
    assert step.noted["discriminators right"].item() == pytest.approx(np.mean(each))


def test_the_labels_teach_the_network_and_the_game_the_generators(vectors):
    recipe = CycleGAN(semantic=0.0)
    network = moved_off(recipe.network(small_mlp(3), nn.Linear(64, 3), vectors))
    terms = recipe.translate(network, Step(vectors, progress=0.5))
    terms["risk"].backward(retain_graph=True)
    assert all(p.grad is None for p in network.beside.parameters())
    assert all(p.grad is not None for p in [*network.backbone.parameters(), *network.head.parameters()])
    network.zero_grad(set_to_none=True)
    (terms["adversary"] + terms["cycle"] + terms["semantic"]).backward()
    assert all(p.grad is None for p in [*network.backbone.parameters(), *network.head.parameters()])
    assert all(p.grad is not None for p in network.beside["to_source"].parameters())


def test_who_learns_in_which_turn(vectors):
    recipe = CycleGAN()
    network = recipe.network(small_mlp(3), nn.Linear(64, 3), vectors)
    modes = [turn.modes(network, recipe.schedule(2)(0.5)) for turn in recipe.turns(network)]
    learning = [[mode.trainable and mode.which == "all" for mode in each] for each in modes]
    stages_and_head, generators, discriminators, following = 3, 2, 2, 2
    assert learning == [
        [True] * (stages_and_head + generators) + [False] * (discriminators + following),
        [False] * (stages_and_head + generators) + [True] * discriminators + [False] * following,
    ]


def test_at_first_the_source_alone_is_learned_and_then_remembered(vectors):
    recipe = CycleGAN(source_first=0.3)
    network = recipe.network(small_mlp(3), nn.Linear(64, 3), vectors)
    before = recipe.translate(network, Step(vectors, progress=0.2))
    torch.testing.assert_close(
        before["risk"], nn.functional.cross_entropy(network(vectors.source.x), vectors.source.y)
    )
    assert before["adversary"] == before["cycle"] == before["semantic"] == 0
    classifier = network.following["classifier"]
    nn.init.normal_(network.head.weight)
    recipe.translate(network, Step(vectors, progress=0.3))
    as_it_was = network.head.weight.detach().clone()
    nn.init.normal_(network.head.weight)
    recipe.translate(network, Step(vectors, progress=0.4))
    assert torch.equal(classifier.head.weight, as_it_was)


def test_the_classifier_sees_batches_as_the_network_does():
    torch.manual_seed(0)
    network = Network(Backbone([("norm", nn.BatchNorm1d(3))], name="norm"), nn.Linear(3, 2))
    classifier, x = SourceClassifier(network).eval(), 5 + torch.randn(8, 3)
    for training in (True, False):
        network.train(training)
        torch.testing.assert_close(classifier.scores(x, network), network(x))


def test_units_are_those_of_both_domains():
    torch.manual_seed(0)
    s, t = torch.randn(4, 3, 8, 8), 5 * torch.randn(6, 3, 8, 8) + 2
    look, both = Look(s, t), np.concatenate([s.numpy(), t.numpy()]).astype(float)
    u = (s.numpy() - both.mean((0, 2, 3))[:, None, None]) / both.std((0, 2, 3))[:, None, None]
    torch.testing.assert_close(look.inside(s), torch.tensor(u).float())
    torch.testing.assert_close(look.outside(look.inside(t)), t)
    pixels = torch.tensor([0, 255], dtype=torch.uint8).reshape(1, 1, 1, 2)
    assert Look(pixels, pixels).inside(pixels).flatten().tolist() == [-1.0, 1.0]


def test_generators_start_as_the_identity_and_so_as_the_source_alone(vectors):
    recipe = CycleGAN()
    network = recipe.network(small_mlp(3), nn.Linear(64, 3), vectors)
    terms = recipe.translate(network, Step(vectors, progress=0.5))
    alone = nn.functional.cross_entropy(network(vectors.source.x), vectors.source.y)
    torch.testing.assert_close(terms["risk"], alone)
    assert terms["cycle"] == 0


def test_without_its_weight_nothing_is_made(vectors):
    recipe = CycleGAN(translated=0.0)
    network = recipe.network(small_mlp(3), nn.Linear(64, 3), vectors)
    assert not network.beside
    assert not network.following
    (turn,) = recipe.turns(network)
    assert set(turn.objective(network, Step(vectors, progress=0.5))) == {"risk"}


@pytest.mark.parametrize(
    ("x", "shape"),
    [
        (torch.zeros(4, 5, 6), "5, 6"),
        (torch.zeros(4, 3, 4, 4), "3, 4, 4"),
        (torch.zeros(4, 3, dtype=torch.long), "3,"),
    ],
)
def test_what_cannot_be_translated(x, shape):
    problem = Problem(source=Domain(x, ["a", "b"] * 2), target=Domain(x))
    phi = Backbone([("flat", nn.Flatten())], name="flat")
    with pytest.raises(InputError, match=rf"CycleGAN translates vectors.*\({shape}\)"):
        CycleGAN().network(phi, nn.Linear(3, 2), problem)
    with pytest.raises(InputError, match=r"translated is 1\.5: give a share of the risk, from 0 to 1"):
        CycleGAN(translated=1.5).network(phi, nn.Linear(3, 2), problem)


def test_gains_where_a_column_moved(gain):
    recipe = CycleGAN(epochs=1, least_steps=200, batch_size=64, rate=3e-3, stage_rate=3e-3)
    assert gain(recipe, "a column that moved") > 0.08


BLACK, WHITE, BLUE, YELLOW = (0.0, 0.0, 0.0), (255.0, 255.0, 255.0), (40.0, 80.0, 180.0), (250.0, 200.0, 40.0)


def digits(rows, paper, pen):
    """Handwritten digits of 8 × 8 pixels in these colours."""
    known = load_digits()
    order = np.random.default_rng(0).permutation(len(known.target))[rows]
    ink = torch.tensor(known.images[order] / 16).float()[..., None]
    x = ink * torch.tensor(pen) + (1 - ink) * torch.tensor(paper)
    return Domain(x.round().to(torch.uint8), [str(c) for c in known.target[order]])


def right_on_digits(paper, pen, **changes):
    """The accuracy on digits in these colours of what learned them white on black."""
    recipe = CycleGAN(
        epochs=1, least_steps=200, rate=2e-3, stage_rate=2e-3, generator_width=8, critic_width=16, **changes
    )
    source, target = digits(slice(0, 500), BLACK, WHITE), digits(slice(500, 1000), paper, pen)
    test = digits(slice(1000, None), paper, pen)
    model = recipe.fit(Problem(source=source, target=target.unlabelled()), small_convnet((8, 8), width=8))
    return np.mean([a == b for a, b in zip(model.predict(test), test.output.decode(test.y), strict=True)])


@pytest.mark.slow
def test_gains_where_digits_are_yellow_on_blue():
    """Over the source alone, and over the statistics of the target, which BatchNorm takes without G too."""
    right = right_on_digits(BLUE, YELLOW)
    assert right > right_on_digits(BLUE, YELLOW, source_first=1.0) + 0.1
    assert right > right_on_digits(BLUE, YELLOW, translated=0.0) + 0.3


@pytest.mark.slow
def test_harms_where_light_and_dark_change_places():
    assert right_on_digits(WHITE, BLACK) < 0.1
