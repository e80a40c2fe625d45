"""Halves that follow each other."""

import numpy as np
import pytest
import torch

from regraft.backbones import small_text
from regraft.domain import Domain
from regraft.errors import InputError
from regraft.preprocessing.tokens import APART, FIRST_BUCKET, PAD, START, Tokens
from regraft.pretexts.prediction.next_sentence import NextSentence, paired


def test_pairs_are_those_made_by_hand():
    luck = np.random.default_rng(0)
    length = 12
    told = [luck.integers(FIRST_BUCKET, 300, n).tolist() for n in (4, 5, 7, 10)]
    x = torch.tensor([[START, *w, APART] + [PAD] * (length - 2 - len(w)) for w in told])
    others = [2, 0, 3, 1]
    room = (length - 3) // 2
    for i, row in enumerate(paired(x, torch.tensor(others)).tolist()):
        a, b = told[i], told[others[i]]
        a, b = a[: (len(a) + 1) // 2][:room], b[(len(b) + 1) // 2 :][:room]
        expected = [START, *a, *[PAD] * (room - len(a)), APART, *b, APART]
        assert row == expected + [PAD] * (length - len(expected))


def test_what_follows_is_of_the_same_topic(gain_on_texts):
    more, made = gain_on_texts(NextSentence(epochs=0, least_steps=250, batch_size=64, rate=5e-3))
    assert np.mean(made.history.noted["told right"][-20:]) > 0.65
    assert more > 0.1


def test_texts_that_cannot_be_halved_are_refused_in_one_line():
    pool = Domain(["an owl"] * 30 + ["an owl hoots at night"] * 10)
    with pytest.raises(InputError, match="30 of 40 texts have fewer than 4 words"):
        NextSentence().pretrain(pool, small_text(Tokens(longest=16), width=8))


def test_short_texts_are_passed_over():
    pool = Domain(["an owl"] * 10 + ["an owl hoots at night"] * 11)
    made = NextSentence(least_steps=4, batch_size=2, epochs=0).pretrain(
        pool, small_text(Tokens(longest=16), width=8)
    )
    assert torch.isfinite(torch.tensor(made.history.terms["next"])).all()
