"""nn.utils beside torch's: clipping, norms of weights, parametrizations, vectors, fusion."""

from __future__ import annotations

import pytest

import pytensor
from tests.nn.twins import assert_same_program

GRADIENTS = """
def params():
    ps = [torch.zeros(2, 3, requires_grad=True), torch.zeros(4, requires_grad=True),
          torch.zeros(1, requires_grad=True)]
    for i, p in enumerate(ps[:2]):
        p.grad = torch.linspace(-1, 2, p.numel()).reshape(p.shape) * (i + 1)
    return ps
def show(ps):
    print([None if p.grad is None else p.grad for p in ps])
utils = nn.utils
"""

PROGRAMS = {
    "norm": "ps = params(); print(utils.clip_grad_norm_(ps, 1.0)); show(ps)",
    "norm_large": "ps = params(); print(utils.clip_grad_norm_(ps, 100.0)); show(ps)",
    "norm_inf": "ps = params(); print(utils.clip_grad_norm_(ps, 1.0, float('inf'))); show(ps)",
    "norm_one": "ps = params(); print(utils.clip_grad_norm_(iter(ps), 1.0, 1)); show(ps)",
    "norm_tensor": "p = params()[0]; print(utils.clip_grad_norm_(p, 0.5)); show([p])",
    "norm_empty": "print(utils.clip_grad_norm_([], 1.0))",
    "norm_nan": """
ps = params(); ps[0].grad[0, 0] = float('nan')
print(utils.clip_grad_norm_(ps, 1.0)); show(ps)
""",
    "old_name": "ps = params(); print(utils.clip_grad_norm(ps, 1.0)); show(ps)",
    "value": "ps = params(); print(utils.clip_grad_value_(ps, 0.7)); show(ps)",
    "total": """
ps = params()
norm = utils.get_total_norm([p.grad for p in ps[:2]])
utils.clip_grads_with_norm_(ps, 0.3, norm)
print(norm); show(ps)
""",
    "vector": """
net = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
v = utils.parameters_to_vector(net.parameters())
utils.vector_to_parameters(v * 2, net.parameters())
print(v, list(net.parameters()))
""",
    "weight_norm": """
layer = utils.weight_norm(nn.Linear(3, 2))
x = torch.ones(1, 3)
y = layer(x)
y.sum().backward()
print(sorted(layer.state_dict()), y, layer.weight_g.grad, layer.weight_v.grad)
utils.remove_weight_norm(layer)
print(sorted(layer.state_dict()), layer(x))
""",
    "spectral_norm": """
layer = utils.spectral_norm(nn.Linear(3, 2), n_power_iterations=3)
print(layer(torch.ones(1, 3)), sorted(layer.state_dict()))
layer.eval()
print(layer(torch.ones(1, 3)))
utils.remove_spectral_norm(layer)
print(sorted(layer.state_dict()))
""",
    "parametrizations": """
P = utils.parametrizations
a = P.weight_norm(nn.Linear(3, 2))
print(a, sorted(a.state_dict()), a(torch.ones(1, 3)))
b = P.orthogonal(nn.Linear(3, 3))
print((b.weight @ b.weight.T - torch.eye(3)).abs().max() < 1e-5)
c = P.spectral_norm(nn.Linear(3, 2))
print(c(torch.ones(1, 3)))
utils.parametrize.remove_parametrizations(a, "weight")
print(sorted(a.state_dict()))
""",
    "own_parametrization": """
class Symmetric(nn.Module):
    def forward(self, x): return x.triu() + x.triu(1).T
layer = nn.Linear(3, 3)
utils.parametrize.register_parametrization(layer, "weight", Symmetric())
print(layer, torch.allclose(layer.weight, layer.weight.T), sorted(layer.state_dict()))
with utils.parametrize.cached():
    print(layer.weight is layer.weight)
print(utils.parametrize.is_parametrized(layer), utils.parametrize.is_parametrized(layer, "bias"))
""",
    "skip_init": "print(utils.skip_init(nn.Linear, 3, 2).weight.shape)",
}

ERRORS = {
    "not_finite": """
ps = params(); ps[0].grad[0, 0] = float('inf')
utils.clip_grad_norm_(ps, 1.0, error_if_nonfinite=True)
""",
    "order": "utils.clip_grad_norm_(params(), 1.0, 'x')",
    "no_weight_norm": "utils.remove_weight_norm(nn.Linear(2, 2))",
    "twice": "utils.weight_norm(utils.weight_norm(nn.Linear(2, 2)))",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_program(name):
    assert_same_program(GRADIENTS + PROGRAMS[name])


@pytest.mark.parametrize("name", ERRORS)
def test_error(name):
    assert_same_program(GRADIENTS + ERRORS[name], fails=True)


def test_not_a_tensor_is_named():
    with pytest.raises(TypeError, match=r"clip_grad_value_\(\): argument 'parameters'.*int"):
        pytensor.nn.utils.clip_grad_value_([3], 1.0)


def test_fused_conv_and_norm_give_the_same_results():
    pytensor.manual_seed(0)
    nn = pytensor.nn
    conv, norm = nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4)
    norm(pytensor.randn(8, 4, 5, 5) * 3 + 1)
    net = nn.Sequential(conv, norm).eval()
    x = pytensor.randn(2, 3, 6, 6)
    fused = nn.utils.fuse_conv_bn_eval(conv, norm)
    assert pytensor.allclose(fused(x), net(x), atol=1e-5)
    assert fused.bias is not None
