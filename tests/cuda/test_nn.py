"""Layers, losses, optimizers and checkpoints on a cuda device give what they give on the cpu.

The layers are those of tests/nn/cases.py: all of torch.nn. Where a layer draws random numbers only
shapes are compared, because a device's streams are its own.
"""

from __future__ import annotations

import copy
import io
import pickle
import warnings

import pytest

import pytensor as pt
from pytensor import nn
from tests.nn.cases import CASES, Case
from tests.nn.test_modules import Numbers, build
from tests.nn.twins import tensors

pytestmark = pytest.mark.skipif(not pt.cuda.is_available(), reason="no cuda device")

TOLERANCE = {"Transformer": 1e-3, "TransformerDecoder": 1e-3}
# Draw in training, unless their probability is given as 0.0; or always.
DRAWS = ("Dropout", "RReLU", "dropout=0.", "Transformer")
ALWAYS_DRAW = ("FractionalMaxPool",)
# Named with the devices found, as PyTorch does.
TWO_DEVICES = r"same device, but found at least two devices, cuda:0 and cpu!"


class OnDevice(Numbers):
    def __init__(self, device: str) -> None:
        super().__init__(pt)
        self.device = device

    def tensor(self, array, grad):
        t = pt.from_numpy(array.copy()).to(self.device)
        if grad:
            self.leaves.append(t.requires_grad_())
        return t


def moved(value, device):
    """The same with tensors made by the case's own text on the device, too."""
    if isinstance(value, pt.Tensor):
        return value if value.requires_grad else value.to(device)
    if isinstance(value, tuple):
        return tuple(moved(v, device) for v in value)
    return value


def passes(case: Case, module: nn.Module, device: str) -> dict[str, list[pt.Tensor]]:
    """Outputs, gradients and buffers of one forward and backward pass."""
    numbers = OnDevice(device)
    inputs = moved(numbers.evaluate(case.inputs), device)
    module.zero_grad()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        outputs = [t for t in tensors(module(*inputs)) if t is not None]
    total = None
    for output in outputs:
        if output.is_floating_point() and output.requires_grad:
            count = pt.arange(output.numel(), device=device, dtype=pt.float32) + 1
            term = (output * count.cos().reshape(output.shape)).sum()
            total = term if total is None else total + term
    if total is not None:
        total.backward()
    return {
        "outputs": outputs,
        "gradients of inputs": [t.grad for t in numbers.leaves if t.grad is not None],
        "gradients of parameters": [p.grad for p in module.parameters() if p.grad is not None],
        "state": list(tensors(module.state_dict())),
    }


def draws(case: Case, mode: str) -> bool:
    text = f"{case.name}({case.arguments}"
    if any(name in text for name in ALWAYS_DRAW):
        return True
    return mode == "train" and any(name in text for name in DRAWS) and " 0.0" not in text


@pytest.mark.parametrize(
    "case", CASES, ids=lambda case: f"{case.name}({case.arguments})"[:60].replace(" ", "")
)
def test_module(case):
    module = build(case, pt)
    if "Lazy" in case.name:
        passes(case, module, "cpu")  # whose random numbers make the parameters
    start = copy.deepcopy(module.state_dict())
    for mode in ("train", "eval"):
        getattr(module, mode)()
        results = {}
        for device in ("cpu", "cuda"):
            module.to(device).load_state_dict(start)
            results[device] = passes(case, module, device)
        for part, want in results["cpu"].items():
            got = results["cuda"][part]
            assert len(got) == len(want)
            for a, b in zip(got, want):
                assert a.is_cuda, part
                assert (a.shape, a.dtype) == (b.shape, b.dtype), part
                if not draws(case, mode):
                    scale = TOLERANCE.get(case.name, 1e-4)
                    equal = pt.allclose(a.cpu(), b, rtol=scale, atol=scale / 5, equal_nan=True)
                    assert equal, f"{mode}: {part} differ"


def test_copies_and_pickles_stay_on_the_device():
    layer = nn.Linear(3, 2).to("cuda")
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert twin.weight.is_cuda
        assert pt.equal(twin.weight, layer.weight)


def test_lazy_layers_make_their_parameters_on_the_device():
    layer = nn.LazyLinear(3).to("cuda")
    assert layer(pt.ones(2, 5, device="cuda")).shape == (2, 3)
    assert layer.weight.is_cuda


class Network(nn.Module):
    """A little of everything."""

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(11, 6)
        self.rnn = nn.LSTM(6, 5, batch_first=True, bidirectional=True)
        self.mix = nn.TransformerEncoderLayer(10, 2, 16, 0.0, batch_first=True)
        self.norm = nn.BatchNorm1d(10)
        self.out = nn.Linear(10, 4)

    def forward(self, words):
        x = self.mix(self.rnn(self.words(words))[0])
        return self.out(self.norm(x.mean(1)))


# An optimizer, its options, and a scheduler with its own.
RULES = [
    ("SGD", {"lr": 0.05, "momentum": 0.9}, "ExponentialLR", {"gamma": 0.8}),
    ("Adam", {"lr": 0.01}, "OneCycleLR", {"max_lr": 0.05, "total_steps": 20}),
    ("AdamW", {"lr": 0.01}, "CosineAnnealingLR", {"T_max": 10}),
    ("RMSprop", {"lr": 0.005}, "StepLR", {"step_size": 2}),
    ("Adafactor", {"lr": 0.01}, "LinearLR", {}),
    ("LBFGS", {"lr": 0.1, "max_iter": 3}, "ExponentialLR", {"gamma": 0.8}),
]


def train(device, optimizer, options, schedule, settings, steps=4):
    pt.manual_seed(1)
    model, words = Network(), pt.randint(0, 11, (6, 7))
    classes = pt.randint(0, 4, (6,))
    model, words, classes = model.to(device), words.to(device), classes.to(device)
    rule = getattr(pt.optim, optimizer)(model.parameters(), **options)
    scheduler = getattr(pt.optim.lr_scheduler, schedule)(rule, **settings)
    losses = []

    def closure():
        rule.zero_grad()
        loss = nn.functional.cross_entropy(model(words), classes)
        loss.backward()
        return loss

    for _ in range(steps):
        losses.append(rule.step(closure).item())
        scheduler.step()
    return losses, model, rule


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule[0]}-{rule[2]}")
def test_training(rule):
    want, _, _ = train("cpu", *rule)
    got, model, optimizer = train("cuda", *rule)
    assert got == pytest.approx(want, rel=2e-3)
    assert all(p.is_cuda for p in model.parameters())
    state = [t for s in optimizer.state_dict()["state"].values() for t in tensors(s) if t.dim()]
    assert all(t.is_cuda for t in state)


def test_checkpoints_cross_devices():
    _, model, rule = train("cuda", *RULES[0], steps=2)
    file = io.BytesIO()
    pt.save({"model": model.state_dict(), "optimizer": rule.state_dict()}, file)

    def resumed(device):
        file.seek(0)
        saved = pt.load(file, map_location=device)
        assert all(t.device.type == device for t in saved["model"].values())
        copied = Network().to(device)
        copied.load_state_dict(saved["model"])
        again = pt.optim.SGD(copied.parameters(), lr=0.05, momentum=0.9)
        again.load_state_dict(saved["optimizer"])
        words = pt.arange(42).reshape(6, 7).to(device) % 11
        copied(words).square().sum().backward()
        again.step()
        return copied.state_dict()

    here, there = resumed("cpu"), resumed("cuda")
    for name, value in here.items():
        assert pt.allclose(there[name].cpu(), value, rtol=1e-3, atol=1e-4), name
    file.seek(0)
    assert all(t.is_cuda for t in pt.load(file)["model"].values())  # where they were saved
    back = Network().to("cuda")
    back.load_state_dict(here)
    assert all(t.is_cuda for t in back.state_dict().values())


def test_packed_sequences():
    pt.manual_seed(2)
    x, lengths = pt.randn(3, 5, 4), pt.tensor([5, 2, 4])
    layers = {"cpu": nn.GRU(4, 3, 2, batch_first=True)}
    layers["cuda"] = copy.deepcopy(layers["cpu"]).to("cuda")
    results = {}
    for device, layer in layers.items():
        packed = nn.utils.rnn.pack_padded_sequence(
            x.to(device), lengths, batch_first=True, enforce_sorted=False
        )
        out, last = layer(packed)
        padded, found = nn.utils.rnn.pad_packed_sequence(out, batch_first=True)
        padded.sum().backward()
        assert found.tolist() == lengths.tolist()
        results[device] = [padded, last, *(p.grad for p in layer.parameters())]
    for a, b in zip(results["cuda"], results["cpu"]):
        assert pt.allclose(a.cpu(), b, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: nn.Linear(4, 3).to("cuda")(x),
        lambda x: nn.Conv1d(4, 3, 1).to("cuda")(x.reshape(1, 4, -1)),
        lambda x: nn.LSTM(4, 3).to("cuda")(x.reshape(2, -1, 4)),
        lambda x: nn.BatchNorm1d(4).to("cuda")(x),
        lambda x: nn.functional.mse_loss(x.cuda(), x),
        lambda x: nn.functional.cross_entropy(x.cuda(), pt.tensor([1, 2])),
        lambda x: nn.Embedding(5, 2).to("cuda")(pt.tensor([1, 2])),
        lambda x: pt.cat([x.cuda(), x]),
    ],
)
def test_tensors_of_two_devices_are_refused(call):
    with pytest.raises(RuntimeError, match=TWO_DEVICES):
        call(pt.randn(2, 4))
