"""What you keep: preprocessing, network, label names and provenance, whatever method made it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from .backbone import Backbone
from .certainty import Answers, Certainty, unsure_answers
from .domain import Domain
from .engine import Engine
from .errors import InputError, first_line
from .features import Store, embed
from .output import Mask, Output, Real
from .output.mask import to_size
from .preprocessing.tokens import takes_texts
from .progress import Progress, Silent
from .samples import sizes_of

AT_ONCE = 1 << 24  # numbers that a head sees in one go
PICTURES = 32  # whose maps are held in one go


class Model(nn.Module):
    """h∘φ with all that prediction needs: how samples are read, the names of the labels, where it came from.

    >>> from regraft import Domain, Problem
    >>> from regraft.backbones import vectors
    >>> from regraft.methods import METHODS
    >>> data = Domain([[0.0], [0.1], [1.0], [1.1]], ["low", "low", "high", "high"])
    >>> model = METHODS["NearestMean"]().fit(Problem(target_labelled=data), vectors())
    >>> model.predict([[0.2], [0.9]])
    ['low', 'high']
    """

    def __init__(
        self,
        backbone: Backbone,
        head: nn.Module,
        output: Output,
        *,
        engine: Engine | None = None,
        certainty: Certainty | None = None,
        provenance: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head
        self.output = output
        self.certainty = certainty
        self.engine = engine or Engine()
        self.provenance: dict[str, Any] = provenance or {}

    def behind(self, prefix: Backbone) -> "Model":
        """The model with the frozen part in front that it was trained behind."""
        return self._on(self.backbone.behind(prefix))

    def from_stage(self, stage: int) -> "Model":
        """The model without what runs before that stage, of which it takes the activations."""
        return self._on(self.backbone.cut(stage)[1])

    def _on(self, backbone: Backbone) -> "Model":
        return Model(
            backbone,
            self.head,
            self.output,
            engine=self.engine,
            certainty=self.certainty,
            provenance=self.provenance,
        )

    def features(
        self, x: Any, store: Store | None = None, progress: Progress | None = None
    ) -> Float[Tensor, "n d"]:
        """What the head sees of every sample."""
        given = as_domain(x, takes_texts(self.backbone.preprocessing))
        with self._runs_on(given):
            seen = embed(self.backbone, given, store, self.engine, progress)
        assert isinstance(seen.x, Tensor)
        return seen.x.flatten(1)

    def logits(
        self, x: Any, store: Store | None = None, progress: Progress | None = None
    ) -> Float[Tensor, "n k"]:
        """Scores of every class for every sample, in float64.

        Raises InputError for samples that the network does not take.
        """
        return self._scores(self.features(x, store, progress))

    def _scores(self, z: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
        if len(z) == 0:
            return torch.zeros(0, self.output.width, dtype=torch.float64)
        with torch.inference_mode(), self._runs_on(f"features of {z.shape[1]} numbers"):
            at_once = min(4096, max(1, AT_ONCE // z.shape[1]))
            scores = torch.cat([self.head.eval()(some) for some in z.split(at_once)])
        return scores if isinstance(self.output, Mask) else scores.double()  # maps are large

    @contextmanager
    def _runs_on(self, given: object) -> Iterator[None]:
        """What torch says of shapes, kinds of numbers and memory, in one line."""
        try:
            yield
        except RuntimeError as reason:
            raise InputError(
                f"this model ({self.summary}) cannot be run on {given} ({first_line(reason)}): "
                "give samples like those it was fitted to"
            ) from reason

    def probabilities(
        self, x: Any, store: Store | None = None, progress: Progress | None = None
    ) -> Float[Tensor, "n k"]:
        """P(class | sample), each row summing to 1, columns in the order of `output.names`.

        Of several labels each has a probability of its own. InputError where numbers are asked for.
        """
        if isinstance(self.output, Real):
            raise InputError(f"{self.output.describe()} have no probabilities: use predict, or answers")
        return self.expected(x, store, progress)

    def expected(
        self, x: Any, store: Store | None = None, progress: Progress | None = None
    ) -> Float[Tensor, "n k"]:
        """E[y | sample]: the probability of every class, calibrated where held-out predictions allowed it."""
        return self.meant(self.logits(x, store, progress))

    def meant(self, logits: Float[Tensor, "n k"]) -> Float[Tensor, "n k"]:
        """What scores mean: `Output.expected` of them, calibrated."""
        return self.output.expected(logits if self.certainty is None else self.certainty.calibrated(logits))

    def answers(self, x: Any, store: Store | None = None, progress: Progress | None = None) -> Answers:
        """For every sample a label, its probability, and whether to accept it or to say "not sure".

        >>> from regraft import Domain, Problem, compare
        >>> luck = torch.Generator().manual_seed(0)
        >>> owls, crows = torch.randn(30, 2, generator=luck), torch.randn(30, 2, generator=luck) + 6
        >>> birds = Domain(torch.cat([owls, crows]), ["owl"] * 30 + ["crow"] * 30)
        >>> model = compare(Problem(target_labelled=birds)).model
        >>> answers = model.answers([[0.0, 0.0], [3.0, 3.0], [60.0, 60.0]])
        >>> answers.label, answers.accepted.tolist()
        (['owl', 'owl', 'crow'], [True, False, False])
        """
        z = self.features(x, store, progress)
        expected = self.meant(self._scores(z))
        if self.certainty is None:
            return unsure_answers(self.output, expected)
        return self.certainty.answers(self.output, expected, z)

    def predict(self, x: Any) -> list[Any]:
        """The name of the most probable class of each sample; the labels that apply; the number; or what
        `masks` says, in runs.

        x: files (paths), an array, or a domain; undecodable files raise `InputError`.
        """
        if isinstance(self.output, Mask):
            return [self.output.decode(mask[None])[0] for mask in self.masks(x)]
        return self.output.decode(self.output.answer(self.expected(x)))

    def masks(self, x: Any, progress: Progress | None = None) -> list[UInt8[Tensor, "h w"]]:
        """The most probable class of every pixel of each picture, as a position in `output.names`.

        A mask has the size of its picture, turned as it is meant to be seen; probabilities are enlarged
        bilinearly from the places that the head has. InputError for a model that gives no masks.
        """
        return list(self.each_mask(x, progress))

    def each_mask(self, x: Any, progress: Progress | None = None) -> Iterator[UInt8[Tensor, "h w"]]:
        """`masks`, a few pictures at a time, so that any number of them can be masked."""
        if not isinstance(self.output, Mask):
            raise InputError(f"this model ({self.summary}) gives no masks: fit one to pictures with masks")
        given = as_domain(x, takes_texts(self.backbone.preprocessing))
        with (progress or Silent()).track("masks", len(given)) as task:
            for rows in torch.arange(len(given)).split(PICTURES):
                some = given[rows]
                for p, size in zip(self.expected(some), sizes_of(some.x), strict=True):
                    yield self.output.answer(to_size(p[None], size))[0]
                    task.advance()

    def save(
        self, folder: str | Path, extra: dict[str, str] | None = None, *, on: Backbone | None = None
    ) -> Path:
        """Write the model as a folder of JSON, safetensors and a card; it appears whole or not at all.

        extra: more text files, by name, that travel with the model. An older model there is replaced.
        on: the network that the model was fitted on. The folder then holds only the tensors that differ from
            it, bit for bit: adapters, factors, biases, the head. It is small, and worth nothing without that
            network, which `load` looks for where it was or takes as `backbone`. So a folder is whole unless
            this is asked for: it is for many models of one network. A network that was trained as a whole is
            saved as a whole in any case, with a warning.

        >>> from tempfile import TemporaryDirectory
        >>> from regraft import Domain, Problem, load
        >>> from regraft.backbones import glyphs
        >>> from regraft.methods import METHODS
        >>> phi, images = glyphs(), torch.randint(0, 255, (4, 8, 8), dtype=torch.uint8)
        >>> strokes = Problem(target_labelled=Domain(images, ["line", "dot"] * 2))
        >>> model = METHODS["LinearProbe"]().fit(strokes, phi)
        >>> with TemporaryDirectory() as folder:
        ...     saved = model.save(Path(folder) / "m", on=phi)
        ...     load(saved).predict(images) == model.predict(images)
        True
        """
        from .model_folder import save

        return save(self, folder, extra, on)

    @property
    def summary(self) -> str:
        """One line: what it tells apart, with what, made by which method."""
        made = self.provenance.get("method", "unknown method")
        return f"{self.output.describe()}, {self.backbone.name}, {made}"


def as_domain(x: Any, texts: bool = False) -> Domain:
    """Samples in any form a user may hand in; strings are names of files, or the texts themselves."""
    if isinstance(x, Domain):
        return x
    if isinstance(x, (str, Path)):
        x = [x]
    if not texts and isinstance(x, Sequence) and x and all(isinstance(name, (str, Path)) for name in x):
        from .readers import image_files

        return Domain(image_files(x))
    return Domain(x)
