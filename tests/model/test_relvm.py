"""The model agrees with the reference fixture, and its parts keep their contracts."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from kgrel.model.classifier import RelationClassifier
from kgrel.model.gaussian import Gaussian
from kgrel.model.presets import SIZES, Dimensions, parameter_count
from kgrel.model.relvm import RELVM

FIXTURE = Path(os.environ.get("KGREL_REFERENCE_FIXTURE", Path(__file__).parents[1] / "data" / "elbo_fixture.npz"))
TOLERANCE = 1e-5

LINEAR = {
    "prior": ["hidden1", "hidden2", "mean", "log_var"],
    "decoder": ["hidden1", "hidden2", "output"],
    "recogniser": ["hidden1", "hidden2", "mean", "log_var"],
}
LSTMS = ["decoder.lstm", "recogniser.forward_lstm", "recogniser.backward_lstm"]


def parameters_by_fixture_name(model: RELVM) -> dict[str, tuple[nn.Parameter, bool]]:
    """Fixture name → parameter, and whether the fixture holds it transposed."""
    names: dict[str, tuple[nn.Parameter, bool]] = {
        "entity_embedding": (model.entity_embedding.weight, False),
        "word_embedding": (model.word_embedding.weight, False),
    }
    for part, layers in LINEAR.items():
        for layer in layers:
            linear = getattr(getattr(model, part), layer)
            names[f"{part}.{layer}.kernel"] = (linear.weight, True)
            names[f"{part}.{layer}.bias"] = (linear.bias, False)
    for name in LSTMS:
        lstm = model.get_submodule(name)
        names[f"{name}.kernel"] = (lstm.get_parameter("weight_ih_l0"), True)
        names[f"{name}.recurrent_kernel"] = (lstm.get_parameter("weight_hh_l0"), True)
        names[f"{name}.bias"] = (lstm.get_parameter("bias_ih_l0"), False)
    return names


@pytest.fixture(scope="module")
def reference() -> dict[str, np.ndarray]:
    with np.load(FIXTURE) as arrays:
        return {name: arrays[name] for name in arrays.files}


@pytest.fixture(scope="module")
def model(reference: dict[str, np.ndarray]) -> RELVM:
    """The model with every size and weight taken from the fixture."""
    entities, embedding = reference["weight/entity_embedding"].shape
    u, z = reference["noise/u"].shape[-1], reference["noise/z"].shape[-1]
    hidden = reference["weight/prior.hidden1.bias"].shape[0]
    words = reference["weight/word_embedding"].shape[0]
    model = RELVM(Dimensions(hidden, embedding, u, z), entities, words, pad_in_softmax=True)
    parameters = parameters_by_fixture_name(model)
    given = {name.removeprefix("weight/") for name in reference if name.startswith("weight/")}
    assert given - set(parameters) == {"classifier.hidden.kernel", "classifier.output.kernel"}
    with torch.no_grad():
        for name, (parameter, transposed) in parameters.items():
            weight = torch.from_numpy(reference[f"weight/{name}"])
            parameter.copy_(weight.T if transposed else weight)
    return model


def tensor(reference: dict[str, np.ndarray], name: str) -> Tensor:
    values = torch.from_numpy(reference[name])
    return values.long() if values.dtype == torch.int32 else values


def terms_of(model: RELVM, reference: dict[str, np.ndarray]) -> tuple[Tensor, Tensor]:
    terms = model(*(tensor(reference, f"input/{name}") for name in ("x", "y", "tokens")),
                  tensor(reference, "noise/u"), tensor(reference, "noise/z"))  # fmt: skip
    return terms.elbo(float(reference["input/kl_weight"])), terms.kl


def assert_close(actual: Tensor, expected: np.ndarray) -> None:
    np.testing.assert_allclose(actual.detach().numpy(), expected, rtol=TOLERANCE, atol=TOLERANCE)


def test_elbo_and_kl_agree_with_the_fixture(model: RELVM, reference: dict[str, np.ndarray]) -> None:
    elbo, kl = terms_of(model, reference)
    assert_close(elbo, reference["output/elbo"])
    assert_close(kl, reference["output/kl_per_token"])


def test_u_and_z_agree_with_the_fixture(model: RELVM, reference: dict[str, np.ndarray]) -> None:
    x, y, tokens = (tensor(reference, f"input/{name}") for name in ("x", "y", "tokens"))
    q = model.recognise(x, y, tokens)
    assert_close(q.mean, reference["output/u_mean"])
    assert_close(q.log_var.exp(), reference["output/u_var"])
    z = model.sample_contexts(x, y, tokens, tensor(reference, "noise/u"), tensor(reference, "noise/z"))
    assert_close(z.flatten(0, 1), reference["output/z"])


def test_every_gradient_agrees_with_the_fixture(model: RELVM, reference: dict[str, np.ndarray]) -> None:
    model.zero_grad()
    (-terms_of(model, reference)[0].mean()).backward()
    for name, (parameter, transposed) in parameters_by_fixture_name(model).items():
        gradient = parameter.grad
        assert gradient is not None, name
        expected = reference[f"grad/{name}"]
        np.testing.assert_allclose(
            (gradient.T if transposed else gradient).numpy(),
            expected,
            rtol=TOLERANCE,
            atol=TOLERANCE,
            err_msg=name,
        )


def test_classifier_agrees_with_the_fixture(reference: dict[str, np.ndarray]) -> None:
    hidden, output = (
        reference["weight/classifier.hidden.kernel"],
        reference["weight/classifier.output.kernel"],
    )
    classifier = RelationClassifier(hidden.shape[0], output.shape[1], hidden.shape[1])
    assert classifier.hidden is not None
    with torch.no_grad():
        classifier.hidden.weight.copy_(torch.from_numpy(hidden.T))
        classifier.output.weight.copy_(torch.from_numpy(output.T))
    log_p = classifier(tensor(reference, "classifier/z"))  # (B, S, C)
    labels = tensor(reference, "classifier/labels")
    chosen = log_p[torch.arange(len(labels)), :, labels]
    # The fixture was computed with log(p + 1e-5), a floor that ours leaves out (RELVM's traps).
    assert_close(torch.log(chosen.exp() + 1e-5).mean(1), reference["classifier/log_p_r"])


@pytest.mark.parametrize(
    ("size", "expected"),
    [("x-small", 1_616_268), ("small", 3_649_164), ("medium", 9_779_340), ("large", 30_297_228)],
)
def test_parameter_counts_are_those_of_the_paper(size: str, expected: int) -> None:
    model = RELVM(SIZES[size], entities=2, words=3)
    trained = [(name, p) for name, p in model.named_parameters() if p.requires_grad and "embedding" not in name]
    assert sum(p.numel() for _, p in trained) == expected == parameter_count(SIZES[size])


def test_classifier_of_five_classes_has_93000_parameters() -> None:
    assert sum(p.numel() for p in RelationClassifier(300, 5).parameters()) == 93_000


def batch(model: RELVM, samples: int = 1) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(3)
    tokens = torch.tensor([[5, 2, 6, 2, 3], [2, 4, 2, 3, 0], [2, 2, 3, 0, 0]])
    return {
        "x": torch.tensor([0, 1, 2]),
        "y": torch.tensor([3, 3, 0]),
        "tokens": tokens,
        "noise_u": torch.randn(3, samples, model.dimensions.u, generator=generator),
        "noise_z": torch.randn(3, samples, model.dimensions.z, generator=generator),
    }


@pytest.fixture
def tiny() -> RELVM:
    torch.manual_seed(1)
    return RELVM(SIZES["tiny"], entities=4, words=8, bag_of_words=True)


def test_padding_changes_nothing(tiny: RELVM) -> None:
    inputs = batch(tiny)
    wider = inputs | {"tokens": torch.nn.functional.pad(inputs["tokens"], (0, 7))}
    for narrow, wide in zip(tiny(**inputs), tiny(**wider), strict=True):
        torch.testing.assert_close(narrow, wide)


def test_samples_average_single_sample_terms(tiny: RELVM) -> None:
    inputs = batch(tiny, samples=4)
    together = tiny(**inputs)
    apart = [tiny(**inputs | {key: inputs[key][:, s : s + 1] for key in ("noise_u", "noise_z")}) for s in range(4)]
    torch.testing.assert_close(together.log_likelihood, torch.stack([t.log_likelihood for t in apart]).mean(0))
    torch.testing.assert_close(together.bag, torch.stack([t.bag for t in apart]).mean(0))


def test_weighted_samples_give_the_log_of_the_mean_likelihood_and_its_gradient(tiny: RELVM) -> None:
    inputs, weigh = batch(tiny, samples=5), (0.7, 1.3)
    counts = (inputs["tokens"] != 0).sum(-1)
    terms = tiny(**inputs, with_recogniser=False, weigh=weigh)
    value = weigh[0] * terms.log_likelihood + weigh[1] * terms.bag - terms.kl
    apart = [
        tiny(**inputs | {key: inputs[key][:, s : s + 1] for key in ("noise_u", "noise_z")}, with_recogniser=False)
        for s in range(5)
    ]
    of_samples = torch.stack([counts * (weigh[0] * t.log_likelihood + weigh[1] * t.bag) for t in apart], 1)  # (B, S)
    wanted = (of_samples.logsumexp(1) - np.log(5)) / counts
    torch.testing.assert_close(value, wanted)
    parameters = [p for name, p in tiny.named_parameters() if p.requires_grad and "recogniser" not in name]
    found, expected = (torch.autograd.grad(v.sum(), parameters, retain_graph=True) for v in (value, wanted))
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


def test_pad_takes_no_softmax_mass(tiny: RELVM) -> None:
    inputs = batch(tiny)
    tiny(**inputs).elbo().sum().backward()
    gradient = tiny.word_embedding.weight.grad
    assert gradient is not None
    assert gradient[1:].abs().sum() > 0
    tiny.zero_grad()
    tiny.bag_decoder = None
    tiny(**inputs).elbo().sum().backward()
    assert tiny.word_embedding.weight.grad is not None
    assert torch.all(tiny.word_embedding.weight.grad[0] == 0)


def test_shared_noise_equals_the_same_noise_for_each_pair(tiny: RELVM) -> None:
    x, y = torch.tensor([0, 1, 2]), torch.tensor([3, 0, 1])
    u, z = torch.randn(1, 6, tiny.dimensions.u), torch.randn(1, 6, tiny.dimensions.z)
    shared = tiny.sample_pairs(x, y, u, z)
    own = tiny.sample_pairs(x, y, u.expand(3, -1, -1), z.expand(3, -1, -1))
    torch.testing.assert_close(shared, own)


def test_a_zero_entity_vector_gives_finite_terms_and_gradients(tiny: RELVM) -> None:
    with torch.no_grad():
        tiny.entity_embedding.weight[0] = 0
    terms = tiny(**batch(tiny))
    (terms.elbo().sum() + terms.bag.sum()).backward()
    assert all(torch.isfinite(term).all() for term in terms)
    assert all(torch.isfinite(p.grad).all() for p in tiny.parameters() if p.grad is not None)


def test_at_the_start_every_block_of_the_prior_matters() -> None:
    """x̂, ŷ, x̂⊙ŷ and u each bring about the same variance to the first layer, u does not drown the pair."""
    torch.manual_seed(0)
    model = RELVM(SIZES["x-small"], entities=500, words=4)
    rows = torch.arange(500)
    features = model.pair_features(rows, rows.roll(1))
    blocks = [*features.split(300, dim=-1), torch.randn(500, 300)]
    weights = model.prior.hidden1.weight.split(300, dim=1)
    variances = torch.stack([(block @ w.T).var() for block, w in zip(blocks, weights, strict=True)])
    assert variances.max() / variances.min() < 1.5


def test_kl_is_zero_only_at_the_prior() -> None:
    assert Gaussian(torch.zeros(3), torch.zeros(3)).kl_to_standard() == 0
    assert Gaussian(torch.ones(3), torch.zeros(3)).kl_to_standard() == pytest.approx(1.5)


def test_extreme_log_variances_keep_gradients_finite() -> None:
    log_var = torch.tensor([-95.0, 0.0, 60.0], requires_grad=True)
    gaussian = Gaussian(torch.zeros(3), log_var)
    gaussian.sample(torch.ones(3)).sum().backward()
    assert torch.isfinite(log_var.grad).all()
