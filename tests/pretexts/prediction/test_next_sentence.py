"""Halves that follow each other."""

import numpy as np
import pytest
import torch

from regraft.backbones import small_text
from regraft.domain import Domain
from regraft.errors import InputError
from regraft.preprocessing.tokens import APART, FIRST_BUCKET, PAD, START, Tokens
from regraft.pretexts.prediction.next_sentence import NextSentence, halves


def test_halves_are_those_made_by_hand():
    luck = np.random.default_rng(0)
    told = [luck.integers(FIRST_BUCKET, 300, n).tolist() for n in (4, 5, 7, 10)]

    def row(words):
        return [START, *words, APART] + [PAD] * (10 - len(words))

    first, second = halves(torch.tensor([row(words) for words in told]))
    assert first.tolist() == [row(words[: (len(words) + 1) // 2]) for words in told]
    assert second.tolist() == [row(words[(len(words) + 1) // 2 :]) for words in told]


def test_what_follows_is_of_the_same_topic(gain_on_texts):
    more, made = gain_on_texts(NextSentence(epochs=0, least_steps=120, batch_size=64, rate=5e-3))
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
