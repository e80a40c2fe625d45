"""What lies together, seen by what others taught."""

import json

import numpy as np
import pytest
import torch
from sklearn.metrics import silhouette_samples
from torch.nn.functional import normalize

from regraft.clustering import cluster
from regraft.domain import Domain
from regraft.errors import InputError
from regraft.terms.partitions import adjusted_mutual_information


def crowds(n, seed, apart=2.0, columns=40):
    """Three clusters along two directions that all columns share; what else differs is noise."""
    luck = torch.Generator().manual_seed(seed)
    y = torch.arange(n) % 3
    along = torch.randn(3, columns, generator=torch.Generator().manual_seed(99))
    return Domain(torch.randn(n, columns, generator=luck) + apart * along[y]), y


def test_clusters_sizes_and_exemplars_are_what_they_are_called():
    target, y = crowds(90, 0)
    found = cluster(target)
    assert len(found) == 3
    assert adjusted_mutual_information(found.cluster, y) > 0.9
    assert found.sizes == sorted(found.sizes, reverse=True)
    assert sum(found.sizes) == 90
    for c, rows in enumerate(found.exemplars):
        assert all(found.cluster[i] == c for i in rows)
    assert "another half of the samples" in found.reason
    told = found.to_json()
    assert len(told["samples"]) == 90
    assert set(told["samples"].values()) == {1, 2, 3}
    assert "3 clusters: the most" in str(found)


def test_many_others_teach_along_what_few_differ():
    """Of 24 samples in 200 columns the own directions are noise; those of 900 others are not."""
    own, taught = [], []
    for seed in range(3):
        target, y = crowds(24, 10 + seed, apart=0.3, columns=200)
        source, _ = crowds(900, 20 + seed, apart=0.3, columns=200)
        own.append(adjusted_mutual_information(cluster(target, clusters=3).cluster, y))
        taught.append(adjusted_mutual_information(cluster(target, source, clusters=3).cluster, y))
    assert np.mean(taught) > np.mean(own) + 0.2


def test_labels_are_not_looked_at():
    target, y = crowds(60, 0)
    one, two = (cluster(Domain(target.x, labels.tolist())) for labels in (y, (y + 1) % 3))
    assert torch.equal(one.cluster, two.cluster)


def test_what_has_no_clusters_is_said_to_have_none():
    cloud = Domain(torch.randn(120, 10, generator=torch.Generator().manual_seed(0)))
    assert "not for groups that are there" in cluster(cloud).reason


def test_silhouettes_are_scikit_learns():
    target, _ = crowds(60, 1)
    found = cluster(target, clusters=3)
    x = target.x.double()
    u = (x - x.mean(0)) / x.std(0, correction=0)
    axes = torch.linalg.svd(u - u.mean(0), full_matrices=False).Vh[:32]
    z = normalize((u - u.mean(0)) @ axes.T, dim=1)
    expected = silhouette_samples(z.numpy(), found.cluster.numpy())
    np.testing.assert_allclose(found.silhouettes.numpy(), expected, atol=1e-5)


def test_one_column_is_no_two_directions():
    apart = Domain(torch.arange(90)[:, None] % 3 * 10.0 + torch.arange(90)[:, None] / 90)
    assert cluster(apart).sizes == [30, 30, 30]


def test_fewer_places_than_clusters_is_said():
    found = cluster(Domain(torch.eye(2)[torch.arange(40) % 2]), clusters=3)
    assert found.sizes == [20, 20]
    assert found.reason == "3 were to be told apart, and the samples lie at 2 different places"


def test_what_cannot_be_is_one_line():
    target, _ = crowds(90, 0)
    with pytest.raises(InputError, match="give at least 20"):
        cluster(target[:5])
    with pytest.raises(InputError, match="ask for 2 to 45"):
        cluster(target, clusters=80)


def test_from_the_command_line(run, photos, others, tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n" + "".join(f"{9 * (i % 2)},{i % 5}\n" for i in range(40)))
    told = run("cluster", tmp_path / "t.csv", "--clusters", "2", "--out", "c.csv", "--json", "c.json").output
    assert "2 clusters: as you asked." in told
    rows = (tmp_path / "c.csv").read_text().splitlines()
    assert rows[0] == "file,cluster,silhouette"
    assert len(rows) == 41
    assert '"clusters"' in (tmp_path / "c.json").read_text()
    with pytest.raises(InputError, match="12 samples were given"):
        run("cluster", photos, "--source", others, "--backbone", "glyphs")


def test_a_label_column_is_not_looked_at(run, tmp_path):
    rows = "".join(f"{9 * (i % 2)},{i % 5},{'xyz'[i % 3]}\n" for i in range(40))
    (tmp_path / "t.csv").write_text(f"a,b,label\n{rows}")
    (tmp_path / "s.csv").write_text(f"a,b,told\n{rows}")
    usual = run("cluster", tmp_path / "t.csv", "--clusters", "2", "--json", "t.json")
    assert "nothing is learned from the column 'label'" in usual.stderr
    run("cluster", tmp_path / "s.csv", "--clusters", "2", "--label", "told", "--json", "s.json")
    one, two = (json.loads((tmp_path / f"{name}.json").read_text())["samples"] for name in "ts")
    assert one == two
    with pytest.raises(InputError, match="has no column 'toldd'"):
        run("cluster", tmp_path / "s.csv", "--label", "toldd")


def test_texts_are_sorted_by_their_words(run, tmp_path):
    said = ["owls hoot at night", "crows caw by day"]
    rows = "".join(f'"{said[i % 2]} {"abcde"[i % 5]}",{i % 3}\n' for i in range(40))
    (tmp_path / "t.csv").write_text(f"text,label\n{rows}")
    told = run("cluster", tmp_path / "t.csv", "--text", "text", "--clusters", "2", "--json", "t.json").output
    assert "2 clusters: as you asked." in told
    sizes = [one["size"] for one in json.loads((tmp_path / "t.json").read_text())["clusters"]]
    assert sizes == [20, 20]


def test_what_is_sorted_is_not_written_over(run, tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n" + "".join(f"{9 * (i % 2)},{i % 5}\n" for i in range(40)))
    before = (tmp_path / "t.csv").read_text()
    with pytest.raises(InputError, match="is what is to be sorted: name another file"):
        run("cluster", tmp_path / "t.csv", "--clusters", "2", "--out", tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text() == before
