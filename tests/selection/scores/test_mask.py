"""mIoU against a loop over sets of pixels, and what its intervals cover."""

import pytest
import torch
from sklearn.metrics import jaccard_score

from regraft import Domain, Mask
from regraft.output.mask import VOID
from regraft.selection import MaskScores, scores_of

NAMES = ("sky", "owl", "crow")


def pictures(n, seed, size=(6, 5)):
    luck = torch.Generator().manual_seed(seed)
    y = torch.randint(0, 3, (n, *size), dtype=torch.uint8, generator=luck)
    logits = torch.randn(1, n, 3, *size, generator=luck) + 1.5 * torch.nn.functional.one_hot(
        y.long(), 3
    ).permute(0, 3, 1, 2)
    y[torch.rand(y.shape, generator=luck) < 0.1] = VOID
    return Domain(torch.zeros(n, *size, dtype=torch.uint8), y, output=Mask(NAMES)), logits.softmax(2)


def test_miou_is_that_of_sets_of_pixels_and_of_scikit_learn():
    asked, expected = pictures(4, seed=0)
    scores = scores_of(expected, asked)
    said = expected[0].argmax(1)
    each = []
    for c in range(3):
        ours = {tuple(p) for p in ((said == c) & (asked.y != VOID)).nonzero().tolist()}
        theirs = {tuple(p) for p in (asked.y == c).nonzero().tolist()}
        each.append(len(ours & theirs) / len(ours | theirs))
    assert scores.value("mean_iou") == pytest.approx(sum(each) / 3)
    known = asked.y != VOID
    assert scores.value("mean_iou") == pytest.approx(
        jaccard_score(asked.y[known], said[known], average="macro")
    )
    right = float((said[known] == asked.y[known]).float().mean())
    assert scores.value("pixel_accuracy") == pytest.approx(right)
    assert [found.value for found in scores.overlaps().values()] == pytest.approx(each)


def test_it_is_a_ratio_of_sums_and_not_a_mean_over_pictures():
    y = torch.zeros(2, 1, 10, dtype=torch.uint8)
    y[0, 0, :1], y[1, 0, :9] = 1, 1
    said = torch.zeros(1, 2, 2, 1, 10)
    said[0, 0, 0], said[0, 1, 1] = 1.0, 1.0  # nothing of the first owl, all of the second picture
    scores = scores_of(said, Domain(torch.zeros(2, 1, 10, dtype=torch.uint8), y, output=Mask(("sky", "owl"))))
    assert scores.value("mean_iou") == pytest.approx((9 / 11 + 9 / 11) / 2)


def test_classes_that_no_mask_has_count_only_as_mistakes():
    y = torch.zeros(1, 1, 4, dtype=torch.uint8)
    said = torch.zeros(1, 1, 3, 1, 4)
    said[0, 0, 0, 0, :3], said[0, 0, 2, 0, 3] = 1.0, 1.0
    scores = scores_of(said, Domain(torch.zeros(1, 1, 4, dtype=torch.uint8), y, output=Mask(NAMES)))
    assert scores.value("mean_iou") == pytest.approx(0.75)
    assert scores.overlaps()["crow"] is None


def test_resampling_is_repeating_pictures():
    asked, expected = pictures(5, seed=1)
    rows = torch.tensor([0, 0, 3, 4, 4])
    times = torch.bincount(rows, minlength=5).double()[None]
    again = scores_of(expected[:, rows], asked[rows])
    for metric in ("mean_iou", "pixel_accuracy"):
        value = scores_of(expected, asked).values(metric, times)
        assert float(value) == pytest.approx(again.value(metric))


def test_the_gain_is_paired():
    asked, expected = pictures(12, seed=2)
    scores = scores_of(expected, asked)
    nothing = scores.gain_over(scores, "mean_iou")
    assert (nothing.value, nothing.low, nothing.high) == (0.0, 0.0, 0.0)
    worse = scores_of(expected.flip(2), asked)
    gain = scores.gain_over(worse, "mean_iou")
    assert gain.low > 0
    assert gain.value == pytest.approx(scores.value("mean_iou") - worse.value("mean_iou"))


def random_scores(n, luck, shift=0.0):
    """Counts of pictures that differ in size of the owl and in how well it is found."""
    area = torch.rand(n, generator=luck) * 60 + 10
    found = (0.7 + shift + 0.2 * torch.randn(n, generator=luck)).clamp(0, 1) * area
    false = 20 * torch.rand(n, generator=luck)
    sky, owl = torch.stack([100 - area - false, false], 1), torch.stack([area - found, found], 1)
    counts = torch.stack([sky, owl], 1)
    y = torch.zeros(n, 1, 1, dtype=torch.uint8)
    return MaskScores(counts[None].double().clamp_min(0), y, None, 0.0, ("sky", "owl"))


@pytest.mark.parametrize("n", [8, 40])
def test_intervals_cover_the_truth_about_as_often_as_they_say(n):
    luck = torch.Generator().manual_seed(0)
    truth = random_scores(200_000, luck).value("mean_iou")
    found = [random_scores(n, luck).interval("mean_iou") for _ in range(400)]
    covered = sum(interval.low <= truth <= interval.high for interval in found) / len(found)
    assert 0.91 <= covered <= 0.99


def test_the_jackknife_agrees_with_the_bootstrap():
    luck = torch.Generator().manual_seed(0)
    scores = random_scores(60, luck)
    drawn = torch.randint(60, (4000, 60), generator=luck)
    times = torch.stack([torch.bincount(rows, minlength=60) for rows in drawn]).double()
    spread = float(scores.values("mean_iou", times).std())
    interval = scores.interval("mean_iou")
    assert (interval.high - interval.low) / 2 / 2.001 == pytest.approx(spread, rel=0.1)  # t with 59 degrees
