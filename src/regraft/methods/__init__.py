"""Every method there is, by name. A new one is a file, a line here, and a test file."""

from ..errors import InputError, near
from ..method import Method
from .adversarial.dann import DANN
from .alignment.coral import CORAL
from .baselines.boosting import Boosting
from .baselines.from_scratch import FromScratch
from .baselines.joint import Joint
from .baselines.majority import Majority
from .baselines.source_only import SourceOnly
from .baselines.source_tuned import SourceTuned
from .features.kernel_probe import KernelProbe
from .features.linear_probe import LinearProbe
from .features.mlp_head import MLPHead
from .features.nearest_mean import NearestMean
from .features.nearest_neighbours import NearestNeighbours
from .features.old_head import OldHead
from .features.ridge_probe import RidgeProbe
from .few_labels.feature_augmentation import FeatureAugmentation
from .few_labels.source_then_target import SourceThenTarget
from .few_labels.tradaboost import TrAdaBoost
from .fine_tuning.adapters import Adapters
from .fine_tuning.bit_fit import BitFit
from .fine_tuning.discriminative_rates import DiscriminativeRates
from .fine_tuning.fine_tune import FineTune
from .fine_tuning.flextuning import Flextuning
from .fine_tuning.frozen_layers import FrozenLayers
from .fine_tuning.gradual_unfreezing import GradualUnfreezing
from .fine_tuning.l2_sp import L2SP
from .fine_tuning.layerwise_decay import LayerwiseDecay
from .fine_tuning.lora import LoRA
from .fine_tuning.norm_tuning import NormTuning
from .fine_tuning.reuse_depth import ReuseDepth
from .reweighting.discriminative import Discriminative
from .segmentation.pixel_probe import PixelProbe
from .segmentation.pyramid_fine_tune import PyramidFineTune
from .segmentation.pyramid_head import PyramidHead
from .several_sources.coral_across import CORALAcross
from .several_sources.group_dro import GroupDRO
from .several_sources.moment_matching import MomentMatching
from .several_sources.trusted import Trusted

__all__ = ["METHODS", "method_named"]

METHODS: dict[str, type[Method]] = {
    method.__name__: method
    for method in (
        Majority,
        FromScratch,
        Boosting,
        OldHead,
        NearestMean,
        NearestNeighbours,
        LinearProbe,
        RidgeProbe,
        KernelProbe,
        MLPHead,
        FrozenLayers,
        FineTune,
        GradualUnfreezing,
        DiscriminativeRates,
        LayerwiseDecay,
        L2SP,
        Flextuning,
        BitFit,
        NormTuning,
        Adapters,
        LoRA,
        ReuseDepth,
        PixelProbe,
        PyramidHead,
        PyramidFineTune,
        SourceOnly,
        SourceTuned,
        Discriminative,
        CORAL,
        DANN,
        Joint,
        FeatureAugmentation,
        SourceThenTarget,
        TrAdaBoost,
        GroupDRO,
        CORALAcross,
        MomentMatching,
        Trusted,
    )
}


def method_named(name: str) -> type[Method]:
    """The method of that name, however it is cased.

    >>> method_named("linearprobe").__name__
    'LinearProbe'
    """
    known = {key.lower(): key for key in METHODS}
    if name.lower() not in known:
        raise InputError(f"method {name!r} is unknown{near(name, list(METHODS))} (regraft methods lists all)")
    return METHODS[known[name.lower()]]
