"""Labels that are likely wrong, and labels in two spellings."""

import pytest
import torch

from regraft.doctor import examine
from regraft.doctor.labels import suspects
from regraft.domain import Domain
from regraft.output import classes_of


def by_hand(p, y, judged, sure):
    """Confident learning, sample by sample."""
    n, k = p.shape
    threshold = {}
    for j in range(k):
        mine = [float(p[i, j]) for i in range(n) if judged[i] and y[i] == j]
        if mine:
            threshold[j] = sum(mine) / len(mine)
    found = {}
    for i in range(n):
        confident = [j for j in threshold if float(p[i, j]) >= threshold[j]]
        if judged[i] and confident:
            best = max(confident, key=lambda j: float(p[i, j]))
            if best != y[i] and float(p[i, best] - p[i, y[i]]) > sure:
                found[i] = best
    return found


def test_suspects_are_those_of_confident_learning():
    p = (4 * torch.randn(200, 4, dtype=torch.float64)).softmax(1)
    y = torch.where(
        torch.rand(200) < 0.8, p.argmax(1), torch.randint(0, 3, (200,))
    )  # none of class 3 by chance
    judged = torch.rand(200) < 0.9
    rows, seen = suspects(p, y, judged)
    assert dict(zip(rows.tolist(), seen.tolist(), strict=True)) == by_hand(
        p, y.tolist(), judged.tolist(), 0.6
    )
    margin = p[rows, seen] - p[rows, y[rows]]
    assert torch.equal(margin, margin.sort(descending=True).values)
    assert len(rows) > 3


def test_who_says_the_same_of_all_suspects_nobody():
    """The majority class is more probable than the label of all others, which is no news."""
    y = torch.tensor([0] * 6 + [1] * 4)
    rows, _ = suspects(torch.tensor([[0.6, 0.4]]).repeat(10, 1), y, torch.ones(10, dtype=torch.bool))
    assert len(rows) == 0


def test_a_finding_names_the_label_that_fits():
    p = torch.tensor([[0.9, 0.1], [0.99, 0.01], [0.1, 0.9], [0.98, 0.02]])
    birds = Domain([[0.0], [1.0], [2.0], [3.0]], ["crow", "crow", "owl", "owl"])
    told = examine({"birds": birds}, opinions={"birds": (p, torch.ones(4, dtype=torch.bool))})
    (found,) = (f for f in told.findings if f.check == "label errors")
    assert str(found.samples[0][0]) == "3 (rather crow)"


def test_spellings_of_classes_that_are_not_there_do_not_count():
    output, names = classes_of(["owl", "Owl", "crow"], "keep")
    birds = Domain([[0.0], [1.0], [2.0]], output.encode(names), output)
    assert any(f.check == "spelling" for f in examine({"birds": birds}).findings)
    assert not any(f.check == "spelling" for f in examine({"birds": birds[[0, 2]]}).findings)


@pytest.mark.slow
@pytest.mark.data
def test_wrong_labels_among_photos_are_told(shared, tmp_path):
    """Of 10 labels in 200 that are made wrong most are found, and most that are found are wrong."""
    import tarfile

    import regraft as rg
    from regraft.selection.opinion import opinion

    with tarfile.open(shared / "caltech20" / "caltech20.tar") as packed:
        packed.extractall(tmp_path, filter="data")
    whole = rg.read_images(next(tmp_path.rglob("train")))
    luck = torch.Generator().manual_seed(0)
    order = torch.randperm(len(whole), generator=luck)
    drawn = torch.cat([order[whole.labels[order] == c][:10] for c in range(whole.classes.width)])
    y = whole.labels[drawn].clone()
    flipped = torch.randperm(len(y), generator=luck)[:10]
    y[flipped] = (y[flipped] + 7) % whole.classes.width
    weights = shared / "weights_mobilenetv2_035" / "mobilenetv2_035.safetensors"
    network = rg.open_backbone(weights=weights)
    p, judged = opinion(whole[drawn].with_(y=y), network, rg.Training(), rg.Store())
    found, _ = suspects(p, y, judged)
    hit = torch.isin(found, flipped).sum()
    assert hit >= 6
    assert hit > len(found) / 2
