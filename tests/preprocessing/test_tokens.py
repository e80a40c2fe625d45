"""Words of texts as numbers."""

import json

import numpy as np
import pytest
import torch

from regraft.backbone_folder import load_backbone, save_backbone
from regraft.backbones import rebuild, small_text, text
from regraft.errors import InputError
from regraft.preprocessing import preprocessing_from_json
from regraft.preprocessing.tokens import (
    APART,
    FIRST_BUCKET,
    FIRST_WORD,
    PAD,
    START,
    BagOfWords,
    Tokens,
    most_frequent,
    words_of,
)
from regraft.readers import Texts

BIRDS = Texts(
    ("The owl hoots.", "The crow caws!", "the the CROW", "Überflug über über Köln", "x" * 99 + " \ud800")
)


def test_words_are_told_however_they_are_written():
    assert list(words_of("U\u0308BER über  don't, 3.5€")) == [
        "über",
        "über",
        "don't",
        ",",
        "3",
        ".",
        "5",
        "€",
    ]
    assert list(words_of("x" * 99 + " \ud800")) == ["x" * 40]
    assert most_frequent(["b", "a", "c", "a", "b"], most=2) == ("a", "b")


def test_words_that_came_twice_have_numbers_and_all_others_share_some():
    rule = Tokens(longest=16).fit(BIRDS)
    assert rule.words == ("the", "crow", "über")
    rows = rule(Texts(("the crow", "owl", "OWL newt")))
    assert rows.dtype == torch.int64
    assert rows[0].tolist() == [START, FIRST_WORD, FIRST_WORD + 1, APART] + [PAD] * (rule.length - 4)
    assert rows[1, 1] == rows[2, 1]
    assert ((rows[2, 1:3] >= FIRST_BUCKET) & (rows[2, 1:3] < FIRST_WORD)).all()
    assert rows.max() < rule.known <= rule.numbers


def test_its_length_is_that_of_most_texts_and_longer_ones_are_cut():
    texts = Texts(tuple("w " * n for n in range(1, 101)))
    rule = Tokens().fit(texts)
    assert rule.length == int(np.ceil(np.quantile(np.arange(1, 101) + 2, 0.95)))
    assert Tokens(longest=20).fit(texts).length == 20
    rows = Tokens(longest=20).fit(texts)(texts)
    assert rows[-1].tolist() == [START, *[FIRST_WORD] * 18, APART]
    assert rule(texts[torch.arange(0)]).shape == (0, rule.length)


def test_a_bag_is_the_logarithm_of_counts():
    rule = BagOfWords().fit(BIRDS)
    counts = np.array([[list(words_of(t)).count(w) for w in rule.words] for t in BIRDS.texts])
    expected = np.log1p(counts)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(rule(BIRDS).numpy(), expected, rtol=1e-6)
    assert rule(Texts(("quux",))).eq(0).all()
    assert not text().preprocessing.fitted


@pytest.mark.parametrize("rule", [Tokens(longest=16).fit(BIRDS), BagOfWords().fit(BIRDS)])
def test_what_was_fitted_is_json(rule):
    again = preprocessing_from_json(json.loads(json.dumps(rule.to_json(), ensure_ascii=False)), {})
    assert torch.equal(again(BIRDS), rule(BIRDS))
    json.dumps(rule.to_json(), ensure_ascii=False).encode()
    assert rule.tensors() == {}


def test_a_network_and_its_vocabulary_survive_a_folder(tmp_path):
    network = small_text(Tokens(longest=16).fit(BIRDS), width=8)
    again = load_backbone(save_backbone(network, tmp_path / "made"))
    assert torch.equal(again.features(BIRDS), network.features(BIRDS))
    assert again.preprocessing.words == network.preprocessing.words
    assert torch.equal(rebuild(network.spec).stages[0].words.weight, network.stages[0].words.weight)
    assert (
        network.fingerprint()
        != network.prepared_by(Tokens(longest=16).fit(BIRDS[torch.arange(3)])).fingerprint()
    )


def test_what_is_wrong_is_one_line():
    for wrong in (
        lambda: Tokens(most_words=0),
        lambda: Tokens(longest=1 << 20),
        lambda: Tokens(10, 16, ("a",) * 11, 16),
        lambda: Tokens(10, 16, ("a",), 17),
        lambda: Tokens()(BIRDS),
        lambda: BagOfWords()(BIRDS),
        lambda: Tokens().fit(torch.zeros(2, 3)),
        lambda: BagOfWords().fit(Texts((" ",))),
    ):
        with pytest.raises(InputError) as caught:
            wrong()
        assert "\n" not in str(caught.value)
