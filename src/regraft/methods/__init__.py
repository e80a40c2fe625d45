"""Every method there is, by name. A new one is a file, a line here, and a test file."""

from ..errors import InputError, near
from ..method import Method
from .adversarial.cdan import CDAN
from .adversarial.dann import DANN
from .adversarial.mcd import MCD
from .adversarial.wdgrl import WDGRL
from .alignment.coral import CORAL
from .alignment.dan import DAN
from .alignment.deep_coral import DeepCORAL
from .alignment.latent_semantics import LatentSemantics
from .alignment.matched_scales import MatchedScales
from .alignment.subspace_alignment import SubspaceAlignment
from .alignment.tca import TCA
from .baselines.boosting import Boosting
from .baselines.from_scratch import FromScratch
from .baselines.joint import Joint
from .baselines.majority import Majority
from .baselines.source_model_only import SourceModelOnly
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
from .label_shift.bbse import BBSE
from .label_shift.em_prior import EMPrior
from .mapping.cycle_gan import CycleGAN
from .reweighting.discriminative import Discriminative
from .reweighting.kliep import KLIEP
from .reweighting.kmm import KMM
from .segmentation.pixel_probe import PixelProbe
from .segmentation.pyramid_fine_tune import PyramidFineTune
from .segmentation.pyramid_head import PyramidHead
from .self_training.ada_match import AdaMatch
from .self_training.adapted_gaussians import AdaptedGaussians
from .self_training.adaptive_batch_norm import AdaptiveBatchNorm
from .self_training.fix_match import FixMatch
from .self_training.free_match import FreeMatch
from .self_training.label_propagation import LabelPropagation
from .self_training.mcc import MCC
from .self_training.mean_teacher import MeanTeacher
from .self_training.noisy_student import NoisyStudent
from .self_training.pseudo_labels import PseudoLabels
from .self_training.self_paced import SelfPaced
from .self_training.shot import SHOT
from .self_training.soft_match import SoftMatch
from .self_training.source_free_shot import SourceFreeSHOT
from .several_sources.coral_across import CORALAcross
from .several_sources.group_dro import GroupDRO
from .several_sources.moment_matching import MomentMatching
from .several_sources.trusted import Trusted
from .subspace.shared_direction import SharedDirection
from .transport.deep_jdot import DeepJDOT
from .transport.entropic_transport import EntropicTransport
from .transport.linear_transport import LinearTransport

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
        SourceModelOnly,
        SourceTuned,
        Discriminative,
        KLIEP,
        KMM,
        BBSE,
        EMPrior,
        CORAL,
        SharedDirection,
        SelfPaced,
        LabelPropagation,
        LatentSemantics,
        PseudoLabels,
        MatchedScales,
        SubspaceAlignment,
        TCA,
        LinearTransport,
        EntropicTransport,
        AdaptedGaussians,
        AdaptiveBatchNorm,
        DeepCORAL,
        DAN,
        DeepJDOT,
        DANN,
        CDAN,
        MCD,
        WDGRL,
        CycleGAN,
        AdaMatch,
        FixMatch,
        FreeMatch,
        SoftMatch,
        NoisyStudent,
        MeanTeacher,
        MCC,
        SHOT,
        SourceFreeSHOT,
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
