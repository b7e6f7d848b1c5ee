"""nn.Module and the containers do and say what torch's do: programs run under both libraries."""

from __future__ import annotations

import pytest

from tests.nn.twins import assert_same_program

NET = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(4, 3)
        self.body = nn.Sequential(nn.Linear(3, 3), nn.Tanh(), nn.Dropout(0.5))
        self.register_buffer("count", torch.zeros(2))
        self.register_buffer("cache", torch.ones(1), persistent=False)
        self.scale = nn.Parameter(torch.ones(3))
        self.none = None

    def forward(self, x):
        return self.body(self.first(x)) * self.scale
net = Net()
"""

PROGRAMS = {
    "repr": "print(net)",
    "names": """
print([n for n, _ in net.named_parameters()])
print([n for n, _ in net.named_buffers()], [n for n, _ in net.named_children()])
print([n for n, _ in net.named_modules()])
print(list(net.state_dict()), [n for n, _ in net.named_parameters(recurse=False)])
print([n for n, _ in net.named_parameters(prefix="p")])
print([tuple(p.shape) for p in net.parameters()], len(list(net.buffers())))
""",
    "shared": """
net.again = net.first
net.tied = net.first.weight
print([n for n, _ in net.named_parameters()])
print([n for n, _ in net.named_parameters(remove_duplicate=False)])
print([n for n, _ in net.named_modules(remove_duplicate=False)])
print(list(net.state_dict()))
""",
    "metadata": "print(net.state_dict()._metadata)",
    "modes": """
print(net.training, net.body[2].training)
net.eval()
print(net.training, net.body[2].training, net.train() is net, net.body[2].training)
""",
    "apply": """
seen = []
net.apply(lambda m: seen.append(type(m).__name__))
print(seen)
""",
    "paths": """
print(net.get_submodule("body.0"), net.get_parameter("body.0.bias").shape, net.get_buffer("count"))
net.set_submodule("body.1", nn.ReLU())
print(net.body)
""",
    "to": """
net.double()
print({str(t.dtype) for t in net.state_dict().values()})
net.to(torch.float32).half()
print(net.first.weight.dtype, net.count.dtype)
net.float().requires_grad_(False)
print(any(p.requires_grad for p in net.parameters()))
print(net.to("cpu") is net, net.first.weight.device)
""",
    "zero_grad": """
net.eval()
net(torch.ones(2, 4)).sum().backward()
print(net.scale.grad is None, net.first.weight.grad.shape)
net.zero_grad()
print(net.scale.grad)
net(torch.ones(2, 4)).sum().backward()
net.zero_grad(set_to_none=False)
print(net.scale.grad)
""",
    "assign": """
net.first = nn.Linear(4, 3, bias=False)
net.extra = nn.Parameter(torch.zeros(1))
net.none = nn.Linear(1, 1)
print(list(net.state_dict()))
del net.first
print([n for n, _ in net.named_children()])
net.scale = None
print([n for n, _ in net.named_parameters()], net.scale)
net.count = torch.ones(2)
print(net.count, "count" in net._buffers)
""",
    "deepcopy": """
import copy
twin = copy.deepcopy(net)
twin.scale.data.fill_(5)
print(net.scale, twin.scale, twin)
print(all(a is not b for a, b in zip(net.parameters(), twin.parameters())))
""",
    "forward_hooks": """
net.eval()
calls = []
a = net.body.register_forward_pre_hook(lambda m, args: calls.append(("pre", len(args))))
b = net.body.register_forward_hook(lambda m, args, out: out * 0)
print(net(torch.ones(1, 4)))
b.remove()
c = net.register_forward_hook(
    lambda m, args, kwargs, out: calls.append(sorted(kwargs)), with_kwargs=True)
net(x=torch.ones(1, 4))
d = net.register_forward_pre_hook(lambda m, args: (args[0] + 1,))
print(calls, net(torch.zeros(1, 4)).shape)
""",
    "backward_hooks": """
net.eval()
seen = []
net.first.register_full_backward_hook(
    lambda m, gi, go: seen.append((gi[0].shape, go[0].shape)))
net.body.register_full_backward_pre_hook(lambda m, go: (go[0] * 2,))
x = torch.ones(2, 4, requires_grad=True)
net(x).sum().backward()
print(seen, net.scale.grad.shape)
""",
    "state_dict_hooks": """
net.register_state_dict_post_hook(lambda m, sd, prefix, meta: sd.update({prefix + "more": 1}))
print(list(net.state_dict()))
net.register_load_state_dict_post_hook(lambda m, keys: print(keys.missing_keys))
net.load_state_dict({}, strict=False)
""",
    "load": """
other = Net()
print(other.load_state_dict(net.state_dict()))
print(all((a == b).all() for a, b in zip(net.parameters(), other.parameters())))
print(other.load_state_dict({"scale": torch.zeros(3), "x": torch.ones(1)}, strict=False))
print(other.scale)
""",
    "extra_state": """
class Stateful(nn.Module):
    value = 1
    def get_extra_state(self): return {"value": self.value}
    def set_extra_state(self, state): self.value = state["value"]
s = Stateful(); s.value = 7
t = Stateful(); t.load_state_dict(s.state_dict())
print(s.state_dict(), t.value)
""",
    "extra_repr": """
class Named(nn.Module):
    def extra_repr(self): return "a=1, b=2"
print(Named(), nn.Sequential(Named()), nn.ModuleList([Named(), Named(), nn.ReLU()]))
""",
    "members_by_name": """
class Wrapper(nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner
    def __getattr__(self, name):
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(self.inner, name)
print(net.__getattr__("first"), net.__getattr__("count"), nn.Module.__getattr__(net, "scale"))
wrapped = Wrapper(net)
print(wrapped.first is net.first, wrapped.inner is net, hasattr(wrapped, "nothing"))
""",
    "containers": """
s = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
s.append(nn.Tanh()); s.insert(0, nn.Identity()); s.extend([nn.ELU()])
print(s, len(s), s[1:3], s[-1])
del s[0]
print([n for n, _ in s.named_children()])
l = nn.ModuleList([nn.Linear(1, 1) for _ in range(3)])
l += [nn.ReLU()]; l.insert(1, nn.Tanh())
print(l, [type(m).__name__ for m in l], l[1:2], nn.ReLU in [type(m) for m in l])
d = nn.ModuleDict({"a": nn.ReLU(), "b": nn.Tanh()})
d["c"] = nn.ELU(); d.update({"a": nn.GELU()})
print(d, list(d), "a" in d, d.pop("b"), len(d), list(d.keys()))
p = nn.ParameterList([torch.zeros(2), nn.Parameter(torch.ones(1))])
p.append(torch.ones(3))
print(p, len(p), [n for n, _ in p.named_parameters()])
q = nn.ParameterDict({"w": torch.zeros(2, 2)})
q["v"] = nn.Parameter(torch.ones(1))
print(q, sorted(q.keys()), [n for n, _ in q.named_parameters()])
print(nn.Sequential(nn.Linear(2, 2)) + nn.Sequential(nn.ReLU()))
from collections import OrderedDict
print(nn.Sequential(OrderedDict([("fc", nn.Linear(1, 2)), ("act", nn.ReLU())])).fc)
""",
    "lazy": """
lazy = nn.LazyLinear(3)
print(lazy, lazy.has_uninitialized_params())
print(lazy(torch.ones(2, 5)).shape, lazy, type(lazy).__name__)
""",
    "parameter": """
p = nn.Parameter(torch.zeros(2))
print(p, p.requires_grad, isinstance(p, torch.Tensor), nn.Parameter(torch.ones(1), False))
print(type(p + 1).__name__, type(p.detach()).__name__, type(p.data).__name__)
b = nn.Buffer(torch.ones(2))
class WithBuffer(nn.Module):
    def __init__(self):
        super().__init__()
        self.b = nn.Buffer(torch.ones(2))
print(list(WithBuffer().state_dict()))
""",
    "dir_and_contains": """
print("scale" in dir(net), "first" in dir(net), hasattr(net, "cache"), net._get_name())
""",
    "same_seed": """
print(nn.Linear(3, 2).weight, nn.Bilinear(2, 2, 1).weight, torch.rand(1))
""",
    "pickle": """
import pickle
layer = nn.Linear(2, 2)
print(list(pickle.loads(pickle.dumps(layer)).state_dict()))
""",
    "flatten": """
print(nn.Flatten()(torch.zeros(2, 3, 4)).shape, nn.Unflatten(1, (3, 4))(torch.zeros(2, 12)).shape)
print(nn.Flatten(0, 1), nn.Unflatten(1, (3, 4)))
""",
}

ERRORS = {
    "no_forward": "nn.Module()(1)",
    "attribute": "print(net.missing)",
    "attribute_by_name": "net.__getattr__('missing')",
    "parameter_before_init": """
class Bad(nn.Module):
    def __init__(self):
        self.w = nn.Parameter(torch.ones(1))
Bad()
""",
    "module_before_init": """
class Bad(nn.Module):
    def __init__(self):
        self.w = nn.ReLU()
Bad()
""",
    "tensor_for_parameter": "net.scale = torch.ones(3)",
    "number_for_module": "net.first = 3",
    "number_for_buffer": "net.count = 3",
    "not_a_parameter": "net.register_parameter('w', torch.ones(1))",
    "taken_name": "net.register_buffer('first', torch.ones(1))",
    "dotted_name": "net.add_module('a.b', nn.ReLU())",
    "not_a_module": "net.add_module('a', 3)",
    "missing_key": "net.load_state_dict({'scale': torch.ones(3)})",
    "unexpected_key": "net.load_state_dict({**net.state_dict(), 'x.y': torch.ones(3)})",
    "wrong_size": "net.load_state_dict({**net.state_dict(), 'scale': torch.ones(4)})",
    "not_a_dict": "net.load_state_dict([1])",
    "sequential_index": "nn.Sequential(nn.ReLU())[3]",
    "sequential_type": "nn.Sequential(nn.ReLU(), 3)",
    "dict_key": "nn.ModuleDict({'a': nn.ReLU()})['b']",
    "train_mode": "net.train(1)",
    "arguments": "nn.Module(3)",
    "half_of_integers": "net.to(torch.int64)",
    "submodule": "net.get_submodule('body.7')",
    "no_len": "len(net)",
    "non_leaf": "net.w = nn.Parameter(torch.ones(1)) ; net.register_parameter('v', net.w * 2)",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_program(name):
    assert_same_program(NET + PROGRAMS[name])


@pytest.mark.parametrize("name", ERRORS)
def test_error(name):
    assert_same_program(NET + ERRORS[name], fails=True)
