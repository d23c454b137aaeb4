"""The pair classifier with its prior as one module, of which more or less is trained.

What is trained on of a prior is its offset δ from the pretrained weights θ₀, decoupled weight decay pulling δ to zero:

    θ = θ₀ + δ,     δ ← δ − η (Adam(∂ loss/∂δ) + λ δ)

(L2-SP; Li, Grandvalet and Davoine 2018, "Explicit inductive bias for transfer learning with convolutional networks").
A large λ is the frozen prior, and λ = 0 forgets the text where the labels say otherwise.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from kgrel.model.classifier import RelationClassifier
from kgrel.model.graph_encoder import GraphEncoder
from kgrel.model.relvm import PairPrior
from kgrel.train.graph_features import Encoded, encode, products

FineTune = Literal["none", "entities", "all"]


class Offset(nn.Module):
    """θ = θ₀ + δ as a parametrization: the trained tensor is δ."""

    pretrained: Tensor

    def __init__(self, pretrained: Tensor) -> None:
        super().__init__()
        self.register_buffer("pretrained", pretrained.detach().clone(), persistent=False)

    def forward(self, offset: Tensor) -> Tensor:
        """θ of δ."""
        return self.pretrained + offset


class PairClassifier(nn.Module):
    """p(r|x,y) at given noise: z from the prior, p(r|z) from the classifier.

    Args:
        prior: copied; the given one stays as it is.
        fine_tune: which part of the copy is trained on: none, its entity embeddings, or all of it.
        graph: encodes the two entities from their surroundings in a graph, and is trained with the classifier.
    """

    def __init__(
        self, prior: PairPrior, classifier: RelationClassifier, fine_tune: FineTune, graph: GraphEncoder | None = None
    ) -> None:
        super().__init__()
        device = prior.entity_embedding.weight.device
        self.prior = PairPrior(prior.dimensions, prior.entity_embedding.num_embeddings).to(device)
        self.prior.load_state_dict(prior.state_dict(), strict=False)  # a whole RELVM has further tensors
        self.prior.requires_grad_(False)
        self.classifier, self.frozen, self.graph = classifier, fine_tune == "none", graph
        for module, name in tuned_tensors(self.prior, fine_tune):
            pretrained = getattr(module, name)
            parametrize.register_parametrization(module, name, Offset(pretrained), unsafe=True)
            offset = module.get_parameter(f"parametrizations.{name}.original")
            offset.requires_grad_(True).data.zero_()

    def forward(
        self,
        x: Tensor,
        y: Tensor,
        noise_u: Tensor,
        noise_z: Tensor,
        possible: Tensor,
        features: Tensor | None = None,
        around: Encoded | None = None,
    ) -> Tensor:
        """Rows (B,), noise (B, S, U) and (B, S, Z), possible classes (B, 1, C) → log p(r|z) (B, S, C).

        Args:
            features: what the classifier is given of a pair beside z (B, F).
            around: the surroundings of the entities in the graph, from which it is given their encodings too.
        """
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen), parametrize.cached():
            z = self.prior.sample_pairs(x, y, noise_u, noise_z)  # (B, S, Z)
            table = self.prior.entity_embedding.weight
        if self.graph is not None and around is not None:
            together = products(encode(self.graph, around, table), around)  # (B, D)
            features = together if features is None else torch.cat([features, together], dim=-1)
        if features is not None:
            z = torch.cat([z, features.unsqueeze(1).expand(-1, z.shape[1], -1)], dim=-1)
        log_p: Tensor = self.classifier(z, possible)
        return log_p

    def plain_prior(self) -> PairPrior:
        """The prior with the trained offsets added, as an ordinary one."""
        plain = PairPrior(self.prior.dimensions, self.prior.entity_embedding.num_embeddings)
        tensors = {name: attrgetter(name)(self.prior).detach().cpu().clone() for name in plain.state_dict()}
        plain.load_state_dict(tensors)
        return plain.requires_grad_(False).eval()


def tuned_tensors(prior: PairPrior, fine_tune: FineTune) -> list[tuple[nn.Module, str]]:
    """The tensors of a prior that are trained on, each as module and name."""
    if fine_tune == "none":
        return []
    tensors: list[tuple[nn.Module, str]] = [(prior.entity_embedding, "weight")]
    if fine_tune == "all":
        linear = [part for part in prior.prior.modules() if isinstance(part, nn.Linear)]
        tensors += [(part, name) for part in linear for name, _ in part.named_parameters(recurse=False)]
    return tensors


def offsets(module: nn.Module) -> list[nn.Parameter]:
    """The trained δ in a module, whose decay is the pull to the pretrained weights."""
    return [p for name, p in module.named_parameters() if name.endswith(".original") and p.requires_grad]
