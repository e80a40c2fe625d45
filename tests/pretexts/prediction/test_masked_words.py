"""Hidden words."""

import numpy as np
import pytest
import torch

from regraft.backbones import small_mlp, small_text
from regraft.domain import Domain
from regraft.errors import InputError
from regraft.preprocessing.tokens import APART, FIRST_BUCKET, MASK, PAD, START, Tokens
from regraft.pretexts.prediction.masked_words import MaskedWords, with_words_hidden
from regraft.problem import Problem
from regraft.training import Step

KNOWN = 200


def rows(n, words, length):
    x = torch.full((n, length), PAD)
    x[:, 0], x[:, words + 1] = START, APART
    x[:, 1 : words + 1] = torch.randint(FIRST_BUCKET, KNOWN, (n, words))
    return x


def test_shares_are_those_of_the_paper():
    x = rows(2000, 40, 50)
    shown, hidden = with_words_hidden(x, 0.15, KNOWN)
    word = x >= FIRST_BUCKET
    assert not hidden[~word].any()
    assert torch.equal(shown[~hidden], x[~hidden])
    n = int(hidden.sum())
    assert abs(n / int(word.sum()) - 0.15) < 4 * np.sqrt(0.15 * 0.85 / int(word.sum())) + 0.85**40
    masked = (shown[hidden] == MASK).float().mean().item()
    left = (shown[hidden] == x[hidden]).float().mean().item()
    assert abs(masked - 0.8) < 4 * np.sqrt(0.8 * 0.2 / n)
    assert abs(left - 0.1 - 0.1 / (KNOWN - FIRST_BUCKET)) < 4 * np.sqrt(0.1 * 0.9 / n)
    assert shown[hidden & (shown != MASK)].min() >= FIRST_BUCKET
    assert shown.max() < KNOWN


def test_every_text_with_words_has_one_to_tell():
    hidden = with_words_hidden(rows(50, 2, 6), 0.0, KNOWN)[1]
    assert hidden.sum(1).tolist() == [1] * 50
    assert not with_words_hidden(torch.tensor([[START, APART, PAD]]), 1.0, KNOWN)[1].any()


def test_the_loss_is_cross_entropy_where_words_are_hidden():
    pool = Domain(["the owl hoots at night", "the crow caws by day"] * 8)
    task = MaskedWords()
    network = task.start(
        small_text(Tokens(longest=16).fit(pool.x), width=8), Tokens(longest=16).fit(pool.x)(pool.x)
    )
    x = network.backbone.preprocessing(pool.x)
    step = Step(Problem(unlabelled=Domain(x)), 0.0)
    with torch.random.fork_rng():
        torch.manual_seed(3)
        told = task.objective(network, step)["hidden words"].item()
        torch.manual_seed(3)
        shown, hidden = with_words_hidden(x, task.hide, network.backbone.preprocessing.known)
    scores = network.head(network.backbone[:-1](shown)).detach().double().numpy()
    losses = [
        np.log(np.exp(scores[i, t]).sum()) - scores[i, t, x[i, t]]
        for i in range(len(x))
        for t in range(x.shape[1])
        if hidden[i, t]
    ]
    np.testing.assert_allclose(told, np.mean(losses), rtol=1e-5)


def test_words_of_a_topic_come_together(gain_on_texts):
    more, made = gain_on_texts(MaskedWords(epochs=0, least_steps=120, batch_size=64, rate=5e-3))
    assert more > 0.1
    assert made.history.terms["hidden words"][-1] < made.history.terms["hidden words"][0]


def test_it_needs_places_and_a_vocabulary():
    whole = torch.ones(40, 5, dtype=torch.long)
    with pytest.raises(InputError, match="which numbers are words"):
        MaskedWords().pretrain(Domain(whole), small_mlp(5))
    pool = Domain(["the owl hoots"] * 4)
    mlp = small_mlp(8).prepared_by(Tokens(longest=8).fit(pool.x))
    with pytest.raises(InputError, match="activations for each word"):
        MaskedWords().pretrain(pool, mlp)
