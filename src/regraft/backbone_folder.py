"""A folder that holds a network and no head: what pretraining on unlabelled samples leaves."""

from pathlib import Path

from safetensors import SafetensorError
from torch import nn

from .backbone import Backbone
from .card import escaped
from .errors import InputError
from .folder import CARD, described, read, undescribed, write
from .model_folder import OF_BACKBONE, described_network, network_of, numbers_of, read_as_before
from .provenance import told


def save_backbone(backbone: Backbone, folder: str | Path, files: dict[str, str] | None = None) -> Path:
    """Write a folder that `open_backbone`, `--backbone` and `rg.compare` take: JSON, safetensors and a card.

    files: what else is to be in it, by name: study.json.
    Raises InputError where the folder cannot be written, or holds what is not Regraft's.

    >>> from tempfile import TemporaryDirectory
    >>> from regraft.backbones import open_backbone, small_mlp
    >>> with TemporaryDirectory() as place:
    ...     open_backbone(save_backbone(small_mlp(3), Path(place) / "mine")).name
    'small mlp'
    """
    said = {**described_network(backbone), "ancestors": list(backbone.ancestors)}
    return write(folder, 1, said, numbers_of(backbone), {CARD: _card(backbone), **(files or {})})


def has_no_head(folder: Path) -> bool:
    """Whether a folder says that it holds a network alone; what is wrong with it, loading tells."""
    said = described(folder)
    return "backbone" in said and "head" not in said


def load_backbone(folder: str | Path, module: nn.Module | None = None) -> Backbone:
    """The network in a folder that `save_backbone` wrote; of a model's folder, the network that it has.

    module: where the network is a module of the user's own, such a module; its weights are replaced.
    Raises InputError for a missing folder, a newer format, a wrong checksum and a damaged file.
    """
    folder = Path(folder)
    saved, tensors = read(folder)
    try:
        if "head" in saved:
            raise InputError(f"{folder} holds a model: open it with open_backbone or rg.load")
        network = network_of(saved, tensors, module)
        own = {k.removeprefix(OF_BACKBONE): t for k, t in tensors.items() if k.startswith(OF_BACKBONE)}
        network.load_state_dict(own)
        network.ancestors = tuple(saved["ancestors"])
        read_as_before(saved, network)
        if any(t.is_floating_point() and not t.isfinite().all() for t in network.state_dict().values()):
            raise ValueError("what it learned holds NaN or infinity")
    except (SafetensorError, LookupError, TypeError, ValueError, AttributeError, RuntimeError) as reason:
        if isinstance(reason, InputError):
            raise
        raise undescribed(folder, reason) from reason
    network.place = folder
    return network.eval()


def _card(backbone: Backbone) -> str:
    """What somebody has to know who is handed the folder."""
    past = "".join(f"- {escaped(told(one))}\n" for one in backbone.ancestors)
    return (
        f"# Backbone card\n\nA network ({escaped(backbone.name)}) without a head: features of samples, to "
        "learn from few labels with.\n\n"
        f"## What it learned from\n\n{past or '- nothing: its weights are random'}\n\n"
        f"## Use\n\n`regraft fit FOLDER --backbone THIS_FOLDER`\n\n"
        f"## Licence\n\n{escaped(backbone.licence_line)}\n"
    )
