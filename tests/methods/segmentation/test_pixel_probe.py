import numpy as np
import torch
from sklearn.linear_model import LogisticRegression

from regraft import Domain, Mask
from regraft.backbones import levels_of, neighbourhoods, pyramid
from regraft.features import embed
from regraft.methods.segmentation.pixel_probe import PixelProbe
from regraft.methods.segmentation.pixels import drawn_pixels
from regraft.problem import Problem
from regraft.selection import CrossValidation, compare, evaluate
from regraft.training import Training


def test_it_is_the_logistic_regression_of_the_pixels_drawn(discs, pictures_network):
    maps = pyramid(pictures_network)
    seen = embed(maps, discs(12, seed=0))
    suffix = maps.cut(len(maps))[1]
    head = PixelProbe(pixels=400).heads(seen, [torch.arange(12)], suffix, Training())[0]
    drawn = drawn_pixels(seen, levels_of(maps), 400, seed=0)
    u = (drawn.x / drawn.x.std(0, unbiased=False)).double()  # no channel stands still
    u = (u - u.mean(0)) / (u - u.mean(0)).pow(2).mean().sqrt()
    ours = (drawn.x @ head.weight.detach().T + head.bias.detach()).softmax(1).double()
    loss = []
    for strength in np.logspace(-4, 4, 33):
        theirs = LogisticRegression(C=strength, max_iter=2000).fit(u, drawn.labels, drawn.weight)
        loss.append(float(np.abs(theirs.predict_proba(u) - ours.numpy()).max()))
    assert min(loss) < 0.05  # the strength is chosen, by folds of pictures


def test_what_the_network_has_seen_helps_and_colours_do_not(discs, pictures_network):
    seen, fresh = Problem(target_labelled=discs(24, seed=0)), discs(60, seed=9)
    maps = PixelProbe().fit(seen, pyramid(pictures_network))
    assert evaluate(maps, fresh).value("mean_iou") > 0.55
    study = compare(seen, backbone=pictures_network, judge=CrossValidation(folds=3, repeats=1))
    names = {r.candidate.name: r for r in study.results}
    assert set(names) == {"Majority", "PixelProbe (raw pixels)", "PixelProbe (rows)"}
    assert study.metric == "mean_iou"
    assert names["Majority"].scores.value("mean_iou") < names["PixelProbe (rows)"].scores.value("mean_iou")
    assert "mIoU" in str(study)
    assert study.expected.low <= study.expected.value <= study.expected.high


def test_masks_have_the_size_of_their_pictures():
    x = torch.zeros(4, 20, 30, dtype=torch.uint8)
    x[:, :, 15:] = 255
    y = (x > 0).to(torch.uint8)
    model = PixelProbe(pixels=200).fit(
        Problem(target_labelled=Domain(x, y, Mask(("a", "b")))), neighbourhoods(16)
    )
    wide = torch.zeros(1, 33, 50, dtype=torch.uint8)
    wide[:, :, 25:] = 255
    (found,) = model.masks(wide)
    assert found.shape == (33, 50)
    assert (found == (wide[0] > 0)).float().mean() > 0.9
