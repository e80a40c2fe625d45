"""Rows of which most numbers are 0, such as counts of words."""

import hashlib
from typing import Any, ClassVar, final

import numpy as np
import scipy.sparse
import torch
from jaxtyping import Float, Int
from torch import Tensor

from .errors import InputError

MOST_NUMBERS = 1 << 29  # of rows written out: 2 GB


@final
class SparseRows:
    """n rows of d numbers, of which those that are not 0 are kept (a scipy sparse matrix in CSR form).

    >>> rows = SparseRows(scipy.sparse.csr_array([[0, 2, 0], [1, 0, 0]]))
    >>> len(rows), rows[torch.tensor([1])].dense().tolist()
    (2, [[1.0, 0.0, 0.0]])
    """

    kind: ClassVar[str] = "sparse"

    def __init__(self, matrix: Any) -> None:
        found = scipy.sparse.csr_array(matrix)
        found.sum_duplicates()
        found.eliminate_zeros()
        if not np.isfinite(found.data).all():
            row = int(np.searchsorted(found.indptr, np.flatnonzero(~np.isfinite(found.data))[0], "right")) - 1
            raise InputError(
                f"x contains NaN or infinity, first in row {row}: fill or drop such values before"
            )
        self.matrix = found

    def __len__(self) -> int:
        return int(self.matrix.shape[0])

    def __getitem__(self, rows: Int[Tensor, " m"]) -> "SparseRows":
        return SparseRows(self.matrix[rows.numpy()])

    @property
    def columns(self) -> int:
        return int(self.matrix.shape[1])

    def dense(self) -> Float[Tensor, "n d"]:
        """All numbers written out, in float32. InputError where they would be too many."""
        if len(self) * self.columns > MOST_NUMBERS:
            raise InputError(
                f"{self} would be {len(self) * self.columns:,} numbers written out, and {MOST_NUMBERS:,} are "
                "worked with: keep the most frequent columns"
            )
        return torch.from_numpy(self.matrix.toarray().astype(np.float32))

    def digests(self) -> list[bytes]:
        """A hash of each row's columns and numbers."""
        found, m = [], self.matrix
        for start, stop in zip(m.indptr[:-1], m.indptr[1:], strict=True):
            told = (
                m.indices[start:stop].astype(np.int64).tobytes()
                + m.data[start:stop].astype(np.float64).tobytes()
            )
            found.append(hashlib.blake2b(told, digest_size=16).digest())
        return found

    def names(self) -> list[str]:
        return [str(i) for i in range(len(self))]

    def joined(self, others: list["SparseRows"]) -> "SparseRows":
        """These rows and others of as many columns."""
        if len({part.columns for part in (self, *others)}) > 1:
            widths = sorted({part.columns for part in (self, *others)})
            raise InputError(
                f"rows of {widths[0]} and of {widths[-1]} columns were given: give the same ones"
            )
        return SparseRows(scipy.sparse.vstack([part.matrix for part in (self, *others)]))

    def __str__(self) -> str:
        return f"{len(self)} sparse vectors of {self.columns} numbers"
