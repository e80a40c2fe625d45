"""What one finds in tutorials: three plain ways from labelled photos and a timm network to predictions."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import timm
import torch
from PIL import Image
from safetensors.torch import load_file
from timm.data import create_transform, resolve_data_config
from torch import Tensor, nn


@dataclass(frozen=True)
class Task:
    """Photos by path with their classes as numbers, to learn from and to be tested on."""

    train: list[Path]
    y: np.ndarray
    test: list[Path]
    y_test: np.ndarray

    @property
    def classes(self) -> int:
        return int(self.y_test.max()) + 1


@dataclass(frozen=True)
class Outcome:
    """What a column found: accuracy on the test photos, and the seconds it took to be fitted."""

    accuracy: float
    seconds: float


def network(weights: Path, classes: int) -> Any:
    """timm's network with these weights and a new classifier (0 classes: pooled features)."""
    told = json.loads(weights.with_suffix(".json").read_text())
    net = timm.create_model(told["architecture"], num_classes=classes, **told["model_args"])
    state = {k: t for k, t in load_file(weights).items() if not k.startswith("classifier")}
    if set(net.load_state_dict(state, strict=False).missing_keys) - {"classifier.weight", "classifier.bias"}:
        raise ValueError(f"{weights} does not match {told['architecture']}")
    net.pretrained_cfg |= told["pretrained_cfg"]
    return net


def transform(net: Any, training: bool = False) -> Any:
    """timm's transform for the network, on a Pillow image."""
    config = resolve_data_config({}, pretrained_cfg=net.pretrained_cfg)
    return create_transform(**config, is_training=training)


def colours(net: Any) -> tuple[Any, Any]:
    """The mean and the standard deviation of colours that the network was trained with."""
    config = resolve_data_config({}, pretrained_cfg=net.pretrained_cfg)
    return config["mean"], config["std"]


class Pictures(torch.utils.data.Dataset[Any]):
    """Photos opened, transformed and labelled one at a time."""

    def __init__(self, paths: Sequence[Path], y: np.ndarray, look: Any) -> None:
        self.paths, self.y, self.look = paths, y, look

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, i: int) -> tuple[Tensor, int]:
        return self.look(Image.open(self.paths[i]).convert("RGB")), int(self.y[i])


@torch.no_grad()
def outputs(net: nn.Module, paths: Sequence[Path], look: Any) -> Tensor:
    """net(x) in batches of 32, eager and in float32."""
    net.eval()
    loader = torch.utils.data.DataLoader(Pictures(paths, np.zeros(len(paths)), look), batch_size=32)
    return torch.cat([net(x) for x, _ in loader])


class Features:
    """timm's pooled features and scikit-learn's LogisticRegressionCV.

    Features are extracted once for all draws; every draw is charged its share of the seconds.
    """

    def __init__(self, weights: Path, train: Sequence[Path], test: Sequence[Path]) -> None:
        net = network(weights, 0)
        self.of_test = outputs(net, test, transform(net)).numpy()
        start = time.perf_counter()
        self.rows = dict(zip(train, outputs(net, train, transform(net)).numpy(), strict=True))
        self.seconds_a_photo = (time.perf_counter() - start) / len(train)

    def __call__(self, task: Task) -> Outcome:
        from sklearn.linear_model import LogisticRegressionCV

        x = np.stack([self.rows[path] for path in task.train])
        start = time.perf_counter()
        folds = min(5, int(np.bincount(task.y).min()))
        probe = LogisticRegressionCV(Cs=10, cv=folds, max_iter=1000, **_quiet(LogisticRegressionCV)).fit(
            x, task.y
        )
        seconds = time.perf_counter() - start + self.seconds_a_photo * len(task.train)
        return Outcome(float((probe.predict(self.of_test) == task.y_test).mean()), seconds)


def plain_loop(weights: Path, task: Task, seed: int, epochs: int = 10) -> Outcome:
    """All layers by Adam at a rate of 0.001, photos augmented as timm does it.

    With few labels this was better than the SGD of PyTorch's tutorial (.67 against .50 at 5 a class).
    """
    torch.manual_seed(seed)
    net = network(weights, task.classes)
    augmented = Pictures(task.train, task.y, transform(net, training=True))
    loader = torch.utils.data.DataLoader(augmented, batch_size=8, shuffle=True)
    start = time.perf_counter()
    optimiser = torch.optim.Adam(net.parameters(), lr=0.001)
    net.train()
    for _ in range(epochs):
        for x, y in loader:
            optimiser.zero_grad()
            nn.functional.cross_entropy(net(x), y).backward()
            optimiser.step()
    seconds = time.perf_counter() - start
    return Outcome(_accuracy(net, task), seconds)


def fastai(weights: Path, task: Task, seed: int) -> Outcome:
    """fastai's `fine_tune(4)` with its own augmentation and head, from the same weights."""
    from fastai.callback.schedule import Learner
    from fastai.data.core import DataLoaders
    from fastai.data.transforms import Normalize
    from fastai.layers import AdaptiveConcatPool2d
    from fastai.torch_core import params, set_seed
    from fastai.vision.augment import Resize, aug_transforms
    from fastai.vision.data import ImageDataLoaders
    from fastai.vision.learner import create_head

    set_seed(seed)
    base = network(weights, 0)
    width = base.num_features
    base.global_pool = nn.Identity()
    net = nn.Sequential(base, create_head(width, task.classes))
    assert isinstance(net[1][0], AdaptiveConcatPool2d)
    start = time.perf_counter()
    dls: DataLoaders = ImageDataLoaders.from_lists(
        Path(),
        task.train,
        [str(c) for c in task.y],
        valid_pct=0.0,
        bs=min(32, len(task.train)),
        num_workers=0,
        item_tfms=Resize(256),
        batch_tfms=[*aug_transforms(size=224), Normalize.from_stats(*colours(base))],
    )
    learner = Learner(dls, net, splitter=lambda m: [params(m[0]), params(m[1])])
    learner.freeze_to(-1)
    with learner.no_bar(), learner.no_logging():
        learner.fine_tune(4)
    seconds = time.perf_counter() - start
    names = np.array([int(name) for name in dls.vocab])
    logits = outputs(net, task.test, transform(base))
    return Outcome(float((names[logits.argmax(1)] == task.y_test).mean()), seconds)


def _accuracy(net: Any, task: Task) -> float:
    return float((outputs(net, task.test, transform(net)).argmax(1).numpy() == task.y_test).mean())


def _quiet(estimator: Any) -> dict[str, Any]:
    """The arguments without which newer versions of scikit-learn warn of changed defaults."""
    wanted = {"use_legacy_attributes": False, "l1_ratios": (0.0,), "scoring": "accuracy"}
    return {k: v for k, v in wanted.items() if k in estimator().get_params()}
