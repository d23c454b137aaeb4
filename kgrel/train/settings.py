"""Settings and named recipes of the training stages. Loads no torch, so that ``--help`` stays fast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from kgrel.data.errors import KgrelError
from kgrel.data.settings import require
from kgrel.model.presets import Initialisation, Latent, NoiseKind, Order, Precision, Size

Device = Literal["auto", "cpu", "cuda"]
Schedule = Literal["cosine", "constant"]
Loss = Literal["cross-entropy", "class-balanced", "focal", "nnpu"]
"""See :mod:`kgrel.train.pair_loss`."""
Split = Literal["warm", "degree-matched", "entity-cold", "both-cold", "unseen", "removed", "date", "given"]


@dataclass(frozen=True)
class PretrainSettings:
    """How a representation p(z|x,y) is learned from a corpus.

    Raises:
        KgrelError: a value is out of range.
    """

    size: Size = "x-small"
    """Size of the model: tiny (demo, tests), the paper's x-small, small, medium, large, or x-large above them."""
    entities: Literal["id", "type"] = "id"
    """What x and y are: identifiers (pair-level work) or types (mention-level work)."""
    steps: int = 2_400
    """Optimiser steps."""
    batch_size: int = 768
    """Contexts a step."""
    samples: int = 1
    """Samples of u and z a context."""
    learning_rate: float = 3e-3
    """Adam's learning rate."""
    warm_up_steps: int = 100
    """Steps over which the learning rate rises linearly from zero."""
    schedule: Schedule = "constant"
    """What follows the warm-up: a constant learning rate, or one that falls along half a cosine to zero."""
    gradient_clip: float = 1.0
    """Largest Euclidean norm of the gradient; longer ones are scaled down. 0 = no clipping."""
    posterior: Literal["prior", "weighted", "recogniser"] = "prior"
    """Where u comes from in training: the recogniser q(u|x,y,c) (paper), or p(u) itself, a bound without KL term that
    needs no LSTM over the context, or p(u) with its samples weighted by how well they explain the context (a tighter
    bound, in which samples of u can stand for different relations). Sentences can only be embedded after training with
    the recogniser."""
    kl_steps: int = 0
    """Steps over which the weight of the KL term rises from 0 to 1 (paper: 10,000). 0 = full weight at once."""
    kl_cycles: int = 0
    """Cyclical annealing instead: so many equal parts of the training, the weight of the KL term rising from 0 to 1
    over the first half of each. 0 = none."""
    free_bits: float = 0.0
    """KL of a context, in bits, that costs nothing, so that u need not collapse to its prior."""
    latents: Literal[1, 2] = 1
    """Layers of latent variables: the paper's one u ~ N(0, I), or two, so that p(u) is an infinite mixture itself."""
    latent: Literal["auto", "mixture", "gaussian", "point"] = "auto"
    """What p(z|x,y) is: the infinite mixture of Gaussians over u (paper), one Gaussian (no u), or a point. auto =
    mixture, but one Gaussian with posterior prior, where u could only be noise."""
    initialisation: Initialisation = "balanced"
    """How the model starts: blocks of x, y and u that matter alike and narrow variances (balanced), torch's defaults
    (plain), or those with mean heads of unit standard deviation (unit, the start of an earlier implementation)."""
    token_dropout: float = 0.5
    """Share of the LSTM decoder's input words that are dropped in training."""
    softmax: Literal["exact", "sampled"] = "exact"
    """The LSTM decoder's softmax in training: over all words, or estimated from a sample; validation is exact."""
    softmax_samples: int = 2_048
    """Words that are sampled a step, from their frequencies, for the sampled softmax."""
    decoder_weight: float = 0.0
    """Weight of the LSTM decoder's likelihood (paper: 1). 0 leaves the LSTM decoder out of the computation."""
    bag_weight: float = 1.0
    """Weight of the auxiliary bag-of-words likelihood (paper: 0)."""
    bag_smoothing: float = 1e-3
    """Frequent words count less in the bag of words: weight a / (a + frequency) for this a."""
    validation_share: float = 0.01
    """Share of the sentences that are held out to report ELBO and KL."""
    validate_every: int = 400
    """Steps between two validations."""
    probe_every: int = 800
    """Steps between two probes of the representation on given relations; 0 = only after the last step."""
    checkpoint_every: int = 500
    """Steps between two checkpoints, from which a killed run goes on."""
    entity_gradients: Literal["auto", "dense", "sparse"] = "auto"
    """Gradients of the entity table: sparse ones cost what a batch touches and leave other entities' moments alone.
    auto = sparse from 100,000 entities on."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """Arithmetic of the matrix products; weights and losses are kept in fp32. auto = bf16 where the device has it."""
    device: Device = "auto"
    """Where to compute."""
    seed: int = 0
    """Seed of initialisation, batches, noise and splits."""

    def __post_init__(self) -> None:
        least = dict.fromkeys(("batch_size", "samples", "validate_every", "checkpoint_every"), 1)
        least |= dict.fromkeys(("steps", "warm_up_steps", "gradient_clip", "kl_steps", "probe_every", "seed"), 0)
        least |= dict.fromkeys(("decoder_weight", "bag_weight", "free_bits", "kl_cycles"), 0)
        least["softmax_samples"] = 1
        require(self, least, ("learning_rate", "bag_smoothing"), ("token_dropout", "validation_share"))
        if self.decoder_weight == self.bag_weight == 0:
            raise KgrelError("decoder_weight and bag_weight are both 0, so that nothing would be learned; raise one")
        if self.latent in ("gaussian", "point") and self.latents != 1:
            raise KgrelError(f"latent {self.latent} has no u that a second layer could shape; use latents 1")
        if self.latent in ("gaussian", "point") and self.posterior != "prior":
            raise KgrelError(f"latent {self.latent} has no u that a recogniser could infer; use posterior prior")
        if self.posterior == "weighted" and self.samples < 2:
            raise KgrelError("posterior weighted weighs the samples of a context; use samples 2 or more")

    @property
    def latent_in_use(self) -> Latent:
        """What ``latent`` comes to."""
        if self.latent != "auto":
            return self.latent
        return "gaussian" if self.posterior == "prior" and self.latents == 1 else "mixture"


@dataclass(frozen=True)
class SplitSettings:
    """Which pairs are labelled, and how they are split.

    Raises:
        KgrelError: a value is out of range.
    """

    pairs: Literal["co-mentioned", "any", "both"] = "co-mentioned"
    """Which pairs to learn from: those that occur together in a sentence (the paper); any listed pair beside random
    NO-RELATION pairs of the same types; or co-mentioned ones, which alone validate and test where the split asks for
    such, and for training also the listed ones that never are, beside NO-RELATION pairs of like degrees (both)."""
    split: Split = "warm"
    """What the validation and test pairs are: co-mentioned pairs at random (warm), the same with NO-RELATION pairs of
    like degrees (degree-matched), pairs of which one entity or both have no training label (entity-cold, both-cold),
    listed pairs never mentioned together against others of like degrees (unseen), pairs whose contexts kgrel
    hold-out-pairs deleted (removed), pairs first mentioned together after the others (date), or those of the PAIRS that
    a corpus of paths was drawn for (given)."""
    held_out_positives: int = 2_000
    """With ``--split unseen``: most listed pairs of validation, and of test."""
    dates: str = ""
    """With ``--split date``: table with the columns doc_id and date (1998, 1998-07 or 1998-07-21), such as the
    sentences themselves; csv, tsv, jsonl or parquet, also .gz and .zst."""
    labels: Literal["class", "types"] = "class"
    """Where a pair's class comes from: the relations' class column, or the two types joined."""
    validation_share: float = 0.1
    """Share of the pairs, of positives and of NO-RELATION alike, that tune the threshold and stop the training."""
    test_share: float = 0.1
    """Share of the pairs, of positives and of NO-RELATION alike, that are kept for evaluation."""
    negatives_per_positive: float = 20.0
    """With ``--pairs any`` or ``both``: NO-RELATION pairs for each listed one that are drawn."""
    per_class_thresholds: bool = False
    """Tune one threshold for each class instead of a global one."""
    seed: int = 0
    """Seed of the split, the initialisation, the batches and the noise."""
    split_seed: int | None = None
    """Seed of the split alone, where it is not that of --seed: classifiers of other seeds and one split can be averaged
    and combined, and none was trained on another's test pairs."""

    @property
    def seed_of_split(self) -> int:
        """Seed of the split."""
        return self.seed if self.split_seed is None else self.split_seed

    def __post_init__(self) -> None:
        least = {"seed": 0, "seed_of_split": 0, "held_out_positives": 1}
        require(self, least, ("negatives_per_positive",), ("validation_share", "test_share"))
        if self.pairs == "any" and self.split in ("unseen", "removed", "date"):
            raise KgrelError(f"--split {self.split} trains on co-mentioned pairs; leave out --pairs any")
        if self.pairs != "co-mentioned" and self.split == "given":
            raise KgrelError(f"--split given brings its pairs; leave out --pairs {self.pairs}")
        if bool(self.dates) != (self.split == "date"):
            raise KgrelError("--split date needs --dates, a table with the columns doc_id and date, and no other does")


UNSAID: dict[str, Any] = {"split_seed": None}
"""What holds for a split in the settings of artifacts that were written before these settings were there."""


@dataclass(frozen=True)
class HoldOutSettings:
    """Which pairs are taken out of a corpus.

    Raises:
        KgrelError: a value is out of range.
    """

    positives: int = 2_000
    """Listed pairs whose contexts are deleted, and as many unlisted ones like them."""
    validation_share: float = 0.5
    """Share of them that validate; the others test."""
    labels: Literal["class", "types"] = "class"
    """Where a pair's class comes from: the relations' class column, or the two types joined."""
    seed: int = 0
    """Seed of the choice."""

    def __post_init__(self) -> None:
        require(self, {"positives": 2, "seed": 0}, (), ("validation_share",))


@dataclass(frozen=True)
class BatchSettings(SplitSettings):
    """How batches of labelled pairs are drawn.

    Raises:
        KgrelError: a value is out of range.
    """

    batch_size: int = 512
    """Pairs a step."""
    batch_negatives: int = 448
    """How many pairs of a batch are NO-RELATION."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require(self, {"batch_negatives": 1}, (), ())
        if self.batch_negatives >= self.batch_size:
            raise KgrelError(
                f"batch_negatives must be smaller than batch_size, not {self.batch_negatives} of {self.batch_size}"
            )


@dataclass(frozen=True)
class PairSettings(BatchSettings):
    """How the pair classifier p(r|z) is trained on a representation.

    Raises:
        KgrelError: a value is out of range.
    """

    steps: int = 10_000
    """Most optimiser steps."""
    samples: int = 4
    """Samples of z a pair and step."""
    learning_rate: float = 1e-3
    """Adam's learning rate (paper: 1e-4)."""
    weight_decay: float = 0.0
    """Decoupled weight decay of the classifier."""
    fine_tune: Literal["auto", "none", "entities", "all"] = "auto"
    """What of the representation is trained on with the labels: nothing (paper), the entity embeddings, or the whole
    prior p(z|x,y). auto = nothing, then the whole, and what has the better average precision on the validation pairs
    is kept, since from few labels fine-tuning forgets more than it learns."""
    anchor: float = 0.1
    """Decoupled decay of what is trained on towards its pretrained values; 0 = none."""
    hidden: int = 300
    """Hidden units of the classifier; 0 = a single linear layer."""
    text_statistics: bool = False
    """Give the classifier, beside z, the log count of the pair's contexts, its NPMI, and whether it has any."""
    graph_width: int = 0
    """With ``--graph-encoder``: units of the encodings of x and y that the classifier is given beside z, as their
    product; 0 = none, but 64 where a graph is given on the command line."""
    graph_bases: int = 8
    """Bases of the weights of the edge types in that encoder."""
    graph_near: int = 4
    """Neighbours of one edge type that it looks at in training; all of them at prediction."""
    graph_far: int = 2
    """Neighbours of one edge type that it looks at for each of these."""
    loss: Loss = "cross-entropy"
    """What is minimised: cross-entropy (paper); with rare classes or difficult pairs weighing more (class-balanced,
    focal); or the non-negative risk of positive and unlabelled pairs (nnpu)."""
    hidden_positives: float = 0.05
    """With ``--loss nnpu``: share of the NO-RELATION pairs taken to be related pairs that the list lacks."""
    negative_discount: float = 0.0
    """NO-RELATION pairs weigh (1 + contexts) to minus this power, since one often mentioned may be a missing edge."""
    negatives: Literal["random", "hard"] = "random"
    """NO-RELATION pairs of a batch: at random, or from four times as many in proportion to their present score."""
    gradient_clip: float = 1.0
    """Largest Euclidean norm of the gradient. 0 = no clipping."""
    validate_every: int = 250
    """Steps between two validations (average precision on the validation pairs)."""
    patience: int = 4
    """Validations without a better average precision before the training stops. 0 = train all steps."""
    prediction_samples: int = 8
    """Samples of z a pair and order at prediction; stored with the threshold."""
    prediction_noise: NoiseKind = "sobol"
    """Points of the noise that all pairs share at prediction; stored with the threshold."""
    prediction_precision: Precision = "fp32"
    """Arithmetic of the matrix products at prediction; stored with the threshold. bf16 is faster where the processor
    has it."""
    order: Order = "both"
    """Score a pair in both orders and average, or as given; stored with the threshold."""
    checkpoint_every: int = 1_000
    """Steps between two checkpoints, from which a killed run goes on."""
    device: Device = "auto"
    """Where to compute."""

    def __post_init__(self) -> None:
        super().__post_init__()
        least = dict.fromkeys(("samples", "validate_every", "checkpoint_every"), 1)
        least |= {"graph_width": 0, "graph_bases": 1, "graph_near": 1, "graph_far": 1}
        least |= dict.fromkeys(("steps", "weight_decay", "anchor", "hidden", "gradient_clip", "patience"), 0)
        least |= {"prediction_samples": 1, "negative_discount": 0}
        require(self, least, ("learning_rate",), ("hidden_positives",))
        if self.graph_width and self.negatives == "hard":
            raise KgrelError("hard negatives would encode the whole graph at every step; use --negatives random")


TUNED = ("per_class_thresholds", "prediction_samples", "prediction_noise", "prediction_precision", "order")
"""Settings of the pair classifier that can be changed after its training, with a new threshold."""


@dataclass(frozen=True)
class CalibrationSettings:
    """How scores are turned into probabilities.

    Raises:
        KgrelError: a value is out of range.
    """

    method: Literal["platt", "isotonic"] = "platt"
    """Function from score to probability: a line on the logit (platt), or any that does not fall (isotonic), which
    wants a thousand pairs a class and more."""
    least: int = 20
    """Fewest listed and fewest unlisted validation pairs from which a class is calibrated."""
    folds: int = 5
    """Parts of the validation pairs for the reported figures: each part is judged by a fit on the others."""
    bins: int = 10
    """Bins of the expected calibration error, each with about as many pairs."""
    seed: int = 0
    """Seed of the folds."""

    def __post_init__(self) -> None:
        require(self, {"folds": 2, "bins": 1, "seed": 0, "least": 1}, (), ())
        if self.least < self.folds:
            raise KgrelError(f"least must be at least folds, not {self.least} for {self.folds} folds")


PRETRAIN_RECIPES: dict[str, PretrainSettings] = {
    "default": PretrainSettings(),
    "paper": PretrainSettings(
        steps=400_000,
        batch_size=192,
        learning_rate=1e-4,
        warm_up_steps=0,
        posterior="recogniser",
        kl_steps=10_000,
        decoder_weight=1.0,
        bag_weight=0.0,
    ),
}
"""Named settings of ``pretrain``; options given beside ``--recipe`` win."""

PAIR_RECIPES: dict[str, PairSettings] = {
    "default": PairSettings(),
    "fine-tuned": PairSettings(fine_tune="all"),
    "frozen": PairSettings(fine_tune="none", validate_every=500, patience=5),
    "paper": PairSettings(fine_tune="none", steps=100_000, patience=0, validate_every=500, learning_rate=1e-4),
}
"""Named settings of ``train-pairs``."""
