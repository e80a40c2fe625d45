"""A small transformer for texts."""

import pytest
import torch
from torch.nn.functional import gelu, multi_head_attention_forward

from regraft.backbones import open_backbone, small_text
from regraft.domain import Domain
from regraft.errors import InputError
from regraft.methods import METHODS
from regraft.preprocessing.tokens import APART, FIRST_WORD, PAD, START, Tokens
from regraft.problem import Problem
from regraft.surgery import draw_anew

TOKENS = Tokens(most_words=20, longest=10)
ROWS = torch.tensor(
    [[START, *range(FIRST_WORD, FIRST_WORD + 3), APART, PAD, PAD], [START, *[FIRST_WORD] * 5, APART]]
)


@pytest.fixture
def network():
    return small_text(TOKENS, width=8, heads=2).eval()


def test_attention_is_torchs(network):
    x = network[:1](ROWS)
    block = network.stages[1]
    z = block.before(x[..., :-1]).transpose(0, 1)
    expected, _ = multi_head_attention_forward(
        z, z, z, 8, 2, block.ask.weight, block.ask.bias, None, None, False, 0.0,
        block.answer.weight, block.answer.bias, key_padding_mask=ROWS == PAD, need_weights=False,
    )  # fmt: skip
    told = block.attended(z.transpose(0, 1), x[..., -1:])
    torch.testing.assert_close(told, expected.transpose(0, 1), rtol=1e-4, atol=1e-6)
    z = x[..., :-1] + told
    whole = z + block.narrow(gelu(block.widen(block.between(z))))
    torch.testing.assert_close(block(x)[..., :-1], whole)
    assert torch.equal(block(x)[..., -1], (ROWS != PAD).float())


def test_padding_changes_nothing(network):
    longer = torch.cat([ROWS, torch.full((2, 3), PAD)], 1)
    torch.testing.assert_close(network(longer), network(ROWS), rtol=1e-5, atol=1e-6)
    assert network(ROWS).shape == (2, 8)
    assert torch.isfinite(network(torch.zeros(1, 7, dtype=torch.long))).all()


def test_a_cut_is_the_same_network(network):
    for stage in range(len(network)):
        front, back = network.cut(stage)
        assert torch.equal(back(front(ROWS)), network(ROWS))


def test_weights_are_of_the_seed_and_can_be_drawn_anew(network):
    assert torch.equal(small_text(TOKENS, width=8, heads=2)(ROWS), network(ROWS))
    assert not torch.equal(small_text(TOKENS, width=8, heads=2, seed=1)(ROWS), network(ROWS))
    before = network(ROWS)
    with torch.random.fork_rng():
        torch.manual_seed(7)
        draw_anew(network)
    assert not torch.equal(network(ROWS), before)


@pytest.mark.parametrize("wrong", [{"width": 6}, {"width": 1024}, {"depth": 0}, {"depth": 99}, {"heads": 0}])
def test_limits(wrong):
    with pytest.raises(InputError, match="small text network"):
        small_text(TOKENS, **wrong)


def test_texts_are_counted_where_nothing_is_named_and_a_network_learns_from_them():
    said = ["an owl hoots at night", "owls hoot", "a crow caws by day", "crows caw"] * 5
    birds = Domain(said, ["owl", "owl", "crow", "crow"] * 5)
    bag = open_backbone(domain=birds)
    assert bag.name == "bag of words"
    problem = Problem(target_labelled=birds)
    assert METHODS["LinearProbe"]().fit(problem, bag).predict(birds.x) == birds.output.decode(birds.y)
    scratch = METHODS["FromScratch"](least_steps=30, epochs=1, held_out=0.0)
    model = scratch.fit(problem, small_text(Tokens(most_words=50, longest=16), width=8))
    assert model.predict(["owls hoot", "crows caw"]) == ["owl", "crow"]
