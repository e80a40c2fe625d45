import json
from importlib.resources import files

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from regraft.backbones.glyphs import SIZE, WIDTH, glyphs, rebuild_glyphs
from regraft.backbones.small import small_convnet

WEIGHTS = files("regraft.backbones").joinpath("weights")


def test_one_feature_vector_a_picture_and_the_same_every_time():
    x = torch.randint(0, 256, (3, 20, 30, 3), dtype=torch.uint8)
    z = glyphs().features(x)
    assert z.shape == (3, 8 * WIDTH)
    assert torch.isfinite(z).all()
    assert z.std() > 0
    assert torch.equal(glyphs().features(x), z)


def test_every_cut_equals_the_whole():
    network = glyphs()
    x = network.preprocessing(torch.randint(0, 256, (3, 8, 8), dtype=torch.uint8))
    for k in range(len(network) + 1):
        assert torch.equal(network[k:](network[:k](x)), network(x))


def test_the_fingerprint_is_of_the_weights():
    assert glyphs().fingerprint() == glyphs().fingerprint()
    assert glyphs().fingerprint() != rebuild_glyphs().fingerprint()


def test_rebuilt_and_filled_is_the_same_network():
    rebuilt = rebuild_glyphs()
    rebuilt.load_state_dict(glyphs().state_dict())
    assert rebuilt.fingerprint() == glyphs().fingerprint()
    assert rebuilt.spec == small_convnet(SIZE, "rgb", WIDTH).spec


def test_the_file_is_small_and_says_what_it_was_trained_on():
    assert len(WEIGHTS.joinpath("glyphs.safetensors").read_bytes()) < 400_000
    described = json.loads(WEIGHTS.joinpath("glyphs.json").read_text(encoding="utf-8"))
    assert described["licence"] == glyphs().licence
    assert described["source"] == glyphs().source
    assert described["preprocessing"]["size"] == list(SIZE)
    assert described["accuracy_on_fonts_held_out"] > 0.6


def test_five_handwritten_digits_a_class_say_more_than_in_raw_pixels():
    digits = load_digits()
    x = torch.from_numpy((digits.images * 255 / 16).round().astype(np.uint8))
    z, y, raw = glyphs().features(x).numpy(), digits.target, digits.data
    gains = []
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(len(y))
        few = np.concatenate([order[y[order] == c][:5] for c in range(10)])
        rest = np.setdiff1d(order, few)
        seen, plain = (
            make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000)).fit(u[few], y[few])
            for u in (z, raw)
        )
        gains.append(seen.score(z[rest], y[rest]) - plain.score(raw[rest], y[rest]))
    assert np.mean(gains) >= 0.05
