"""Sparse rows as samples."""

import numpy as np
import pytest
import scipy.sparse
import torch

import regraft as rg
from regraft.errors import InputError
from regraft.model_folder import load
from regraft.pooling import pooled


def counts(n=60, seed=0):
    luck = np.random.default_rng(seed)
    rates = np.where(np.arange(n)[:, None] % 2 == np.arange(40) % 2, 0.5, 0.1)
    return scipy.sparse.csr_matrix(luck.poisson(rates)), ["even" if i % 2 == 0 else "odd" for i in range(n)]


def test_a_comparison_of_sparse_rows_is_that_of_dense_ones():
    x, y = counts()
    sparse = rg.compare(rg.Problem(target_labelled=rg.Domain(x, y)), methods=["LinearProbe"])
    dense = rg.Problem(target_labelled=rg.Domain(x.toarray().astype("float32"), y))
    alike = rg.compare(dense, methods=["LinearProbe"], backbone="words")
    by_name = {r.candidate.name: r.scores.value("accuracy") for r in alike.results}
    assert by_name["LinearProbe (words)"] == pytest.approx(
        {r.candidate.name: r.scores.value("accuracy") for r in sparse.results}["LinearProbe (words)"]
    )


def test_survives_saving(tmp_path):
    x, y = counts()
    model = rg.METHODS["LinearProbe"]().fit(
        rg.Problem(target_labelled=rg.Domain(x, y)), rg.open_backbone("words")
    )
    again = load(model.save(tmp_path / "m"))
    assert torch.equal(again.logits(x), model.logits(x))
    assert torch.allclose(again.logits(x.toarray().astype("float32")), model.logits(x))


def test_rows_keep_their_digests_wherever_they_are():
    x, y = counts()
    domain = rg.Domain(x, y)
    picked = domain[[3, 1]]
    assert picked.x.digests() == [domain.x.digests()[i] for i in (3, 1)]
    assert str(domain) == "60 sparse vectors of 40 numbers, 2 classes"


def test_explicit_zeros_change_nothing():
    x, y = counts()
    padded = x.tolil()
    padded[0, 0] = padded[0, 0]
    padded = padded.tocsr()
    padded.data = np.concatenate([padded.data])
    stored = scipy.sparse.csr_matrix(
        (np.r_[x.data, 0], np.r_[x.indices, 39], np.r_[x.indptr[:-1], x.indptr[-1] + 1]), x.shape
    )
    assert rg.Domain(stored, y).fingerprint() == rg.Domain(x, y).fingerprint()


def test_sources_of_other_columns_are_refused():
    x, y = counts()
    with pytest.raises(InputError, match="40 and of 41 columns"):
        pooled({"a": rg.Domain(x, y), "b": rg.Domain(scipy.sparse.csr_matrix((60, 41)), y)})


def test_what_is_not_finite_is_named():
    x, y = counts()
    broken = x.astype(float)
    broken.data[-1] = np.inf
    with pytest.raises(InputError, match=r"infinity, first in row 59"):
        rg.Domain(broken, y)
