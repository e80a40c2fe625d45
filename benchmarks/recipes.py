"""What one finds in tutorials: plain ways from labelled photos and a timm network to predictions."""

import json
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
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


Predict = Callable[[Sequence[Path]], np.ndarray]  # the class of each photo, as a number


def outcome(
    fit: Callable[[Task], Predict], task: Task, clock: Callable[[], float] = time.perf_counter
) -> Outcome:
    """The seconds of fitting, by the clock, and the accuracy of what was fitted."""
    start = clock()
    predict = fit(task)
    seconds = clock() - start
    return Outcome(float((predict(task.test) == task.y_test).mean()), seconds)


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


def plain_loop(weights: Path, task: Task, seed: int, epochs: int = 10) -> Predict:
    """All layers by Adam at a rate of 0.001, photos augmented as timm does it.

    With few labels this was better than the SGD of PyTorch's tutorial (.67 against .50 at 5 a class).
    """
    torch.manual_seed(seed)
    net = network(weights, task.classes)
    _trained(net, net.parameters(), augmented(net, task, 8), 1e-3, epochs)
    return partial(_told, net)


def fastai(weights: Path, task: Task, seed: int, epochs: int = 5, batch_size: int = 32) -> Predict:
    """fastai's `fine_tune` with its own augmentation and head: one epoch of the head, then of everything."""
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
    side = base.pretrained_cfg["input_size"][1]
    width = base.num_features
    base.global_pool = nn.Identity()
    net = nn.Sequential(base, create_head(width, task.classes))
    assert isinstance(net[1][0], AdaptiveConcatPool2d)
    dls: DataLoaders = ImageDataLoaders.from_lists(
        Path(),
        task.train,
        [str(c) for c in task.y],
        valid_pct=0.0,
        bs=min(batch_size, len(task.train)),
        num_workers=0,
        item_tfms=Resize(round(side / 0.875)),
        batch_tfms=[*aug_transforms(size=side), Normalize.from_stats(*colours(base))],
    )
    learner = Learner(dls, net, splitter=lambda m: [params(m[0]), params(m[1])])
    learner.freeze_to(-1)
    with learner.no_bar(), learner.no_logging():
        learner.fine_tune(epochs - 1)
    names = np.array([int(name) for name in dls.vocab])
    return lambda paths: names[outputs(net, paths, transform(base)).argmax(1)]


def lightning(weights: Path, task: Task, seed: int, epochs: int = 10, batch_size: int = 16) -> Predict:
    """Lightning's `BackboneFinetuning`: the head by Adam at 0.003, the rest from a tenth of the epochs on.

    The network joins at a tenth of the head's rate, which the callback then raises to all of it.
    """
    from lightning.pytorch import LightningModule, Trainer, seed_everything
    from lightning.pytorch.callbacks import BackboneFinetuning

    class Tuned(LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.backbone = network(weights, 0)
            self.head = nn.Linear(self.backbone.num_features, task.classes)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.backbone(x))

        def training_step(self, batch: tuple[Tensor, Tensor]) -> Tensor:
            return nn.functional.cross_entropy(self(batch[0]), batch[1])

        def configure_optimizers(self) -> Any:
            learning = [p for p in self.parameters() if p.requires_grad]
            return torch.optim.Adam(learning, lr=3e-3)

    seed_everything(seed, verbose=False)
    net = Tuned()
    head_first = max(1, epochs // 10)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of few workers, and of logging nowhere
        Trainer(
            max_epochs=epochs,
            accelerator="cpu",
            devices=1,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            callbacks=[BackboneFinetuning(head_first, verbose=False)],
        ).fit(net, augmented(net.backbone, task, batch_size))
    return partial(_told, net, look=transform(net.backbone))


def lora(weights: Path, task: Task, seed: int, epochs: int = 10, batch_size: int = 16) -> Predict:
    """peft's LoRA of rank 8 on every convolution that is not depthwise, and the classifier, by Adam."""
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(seed)
    net = network(weights, task.classes)
    look = transform(net)
    loader = augmented(net, task, batch_size)
    dense = [name for name, m in net.named_modules() if isinstance(m, nn.Conv2d) and m.groups == 1]
    config = LoraConfig(r=8, lora_alpha=16, target_modules=dense, modules_to_save=["classifier"])
    adapted = get_peft_model(net, config)
    learning = [p for p in adapted.parameters() if p.requires_grad]
    _trained(adapted, learning, loader, 3e-3, epochs)
    return partial(_told, adapted, look=look)


def augmented(net: Any, task: Task, batch_size: int) -> Any:
    """The labelled photos in shuffled batches, each time cropped, mirrored and coloured as timm does it."""
    pictures = Pictures(task.train, task.y, transform(net, training=True))
    return torch.utils.data.DataLoader(pictures, batch_size=batch_size, shuffle=True)


def _trained(net: nn.Module, learning: Any, loader: Any, rate: float, epochs: int) -> None:
    optimiser = torch.optim.Adam(learning, lr=rate)
    net.train()
    for _ in range(epochs):
        for x, y in loader:
            optimiser.zero_grad()
            nn.functional.cross_entropy(net(x), y).backward()
            optimiser.step()


def _told(net: Any, paths: Sequence[Path], look: Any = None) -> np.ndarray:
    classes: np.ndarray = outputs(net, paths, look or transform(net)).argmax(1).numpy()
    return classes


def _quiet(estimator: Any) -> dict[str, Any]:
    """The arguments without which newer versions of scikit-learn warn of changed defaults."""
    wanted = {"use_legacy_attributes": False, "l1_ratios": (0.0,), "scoring": "accuracy"}
    return {k: v for k, v in wanted.items() if k in estimator().get_params()}
