"""DataLoader without workers, samplers and data sets: the same batches as torch's."""

from __future__ import annotations

import collections

import numpy as np
import pytest

import pytensor
from tests.nn.twins import assert_same_program

torch = pytest.importorskip("torch")

DATA = """
D = torch.utils.data
data = D.TensorDataset(torch.arange(23).float(), torch.arange(46).reshape(23, 2))
def show(loader, passes=2):
    for _ in range(passes):
        print([[x.tolist() for x in batch] for batch in loader], torch.rand(1).item())
class Squares(D.Dataset):
    def __init__(self, n): self.n = n
    def __getitem__(self, i):
        if not -self.n <= i < self.n: raise IndexError(i)
        return i * i
    def __len__(self): return self.n
class Stream(D.IterableDataset):
    def __init__(self, n): self.n = n
    def __iter__(self): return iter(range(self.n))
"""

PROGRAMS = {
    "plain": "show(D.DataLoader(data, batch_size=5)); print(len(D.DataLoader(data, 5)))",
    "shuffle": "show(D.DataLoader(data, batch_size=5, shuffle=True))",
    "drop_last": "show(D.DataLoader(data, 5, shuffle=True, drop_last=True))",
    "generator": """
g = torch.Generator().manual_seed(5)
show(D.DataLoader(data, 4, shuffle=True, generator=g)); print(torch.rand(2, generator=g))
""",
    "one_by_one": "show(D.DataLoader(data, batch_size=None, shuffle=True))",
    "replacement": """
s = D.RandomSampler(data, replacement=True, num_samples=70)
show(D.DataLoader(data, 8, sampler=s)); print(len(s))
""",
    "more_than_there_are": """
s = D.RandomSampler(data, num_samples=50)
show(D.DataLoader(data, 8, sampler=s)); print(len(s))
""",
    "weighted": """
s = D.WeightedRandomSampler([0.1, 0.9, 0.4, 2.0], 10)
print(list(s), list(D.WeightedRandomSampler([0.1, 0.9, 0.4], 2, replacement=False)))
""",
    "subset_random": "show(D.DataLoader(data, 3, sampler=D.SubsetRandomSampler([3, 7, 1, 20])))",
    "batch_sampler": """
b = D.BatchSampler(D.SequentialSampler(data), 4, drop_last=True)
show(D.DataLoader(data, batch_sampler=b)); print(len(b), list(b)[:2])
""",
    "subset": """
part = D.Subset(data, [5, 3, 9, 9, 0])
show(D.DataLoader(part, 2, shuffle=True)); show(D.DataLoader(part, 2)); print(part[2], len(part))
""",
    "split": """
a, b = D.random_split(data, [20, 3])
print(a.indices, b.indices)
print([len(p) for p in D.random_split(range(10), [0.25, 0.25, 0.5])])
show(D.DataLoader(a, 6, shuffle=True))
""",
    "concat": """
c = D.ConcatDataset([Squares(3), Squares(5)])
print([c[i] for i in range(len(c))], c[-1], c.cumulative_sizes, len(Squares(2) + Squares(3)))
""",
    "stack": """
s = D.StackDataset(Squares(3), Squares(3)); t = D.StackDataset(x=Squares(2), y=Squares(2))
print(s[1], t[1], len(s), list(D.DataLoader(t, 2)))
""",
    "chain": "print(list(D.ChainDataset([Stream(2), Stream(3)])), list(Stream(1) + Stream(1)))",
    "stream": """
print([b.tolist() for b in D.DataLoader(Stream(7), batch_size=3)])
print([b.tolist() for b in D.DataLoader(Stream(7), batch_size=3, drop_last=True)])
print(list(D.DataLoader(Stream(3), batch_size=None)))
""",
    "collate_fn": "print(list(D.DataLoader(Squares(5), 2, collate_fn=sum)))",
    "distributed": """
for rank in range(3):
    s = D.DistributedSampler(data, 3, rank, seed=4)
    s.set_epoch(2)
    print(list(s), len(s))
    print(list(D.DistributedSampler(data, 3, rank, shuffle=False, drop_last=True)))
""",
    "collate": """
from collections import namedtuple, OrderedDict
P = namedtuple("P", "x y")
print(D.default_collate([{"a": 1, "b": (2.5, "s")}, {"a": 3, "b": (4.5, "t")}]))
print(D.default_collate([P(1, torch.ones(2)), P(2, torch.zeros(2))]))
print(D.default_collate([[1, 2], [3, 4]]), D.default_collate([True, False]))
print(D.default_collate([OrderedDict(k=1), OrderedDict(k=2)]))
print(D.default_collate(["a", "b"]), D.default_collate([b"a", b"b"]))
""",
    "requires_grad": """
w = torch.arange(4.0, requires_grad=True)
(b, c), (d, e) = D.DataLoader(D.TensorDataset(w, w * 2), batch_size=2)
(b.sum() + e.sum()).backward(); print(w.grad)
""",
    "eager_samplers": """
class Eager(D.Sampler):
    def __init__(self, size): self.size = size
    def __iter__(self): return iter(torch.randperm(6).reshape(self.size).tolist())
    def __len__(self): return 6
for loader in (
    D.DataLoader(Squares(6), batch_size=None, sampler=Eager((6,))),
    D.DataLoader(Squares(6), batch_size=2, sampler=Eager((6,))),
    D.DataLoader(Squares(6), batch_sampler=Eager((3, 2))),
):
    print(list(loader), list(loader), torch.rand(1).item())
""",
    "two_iterators": """
loader = D.DataLoader(Squares(6), 2, shuffle=True)
a, b = iter(loader), iter(loader)
print(next(a), next(b), next(a), torch.rand(1).item(), next(b), len(a))
""",
    "negative_indices": "print(list(D.DataLoader(data, batch_sampler=[[-1, 0], [5, -3]])))",
    "tensors_as_indices": """
print(list(D.DataLoader(data, 3, sampler=torch.randperm(10))))
print(list(D.DataLoader(D.Subset(data, torch.randperm(6)), 4, shuffle=True)))
""",
    "own_row": """
class Own(D.TensorDataset):
    def __getitem__(self, i): return self.tensors[0][i] * 10
print(list(D.DataLoader(Own(torch.arange(4)), 2)))
""",
}

ERRORS = {
    "sampler_and_shuffle": "D.DataLoader(data, shuffle=True, sampler=D.SequentialSampler(data))",
    "batch_sampler": "D.DataLoader(data, batch_size=3, batch_sampler=[[0]])",
    "drop_last": "D.DataLoader(data, batch_size=None, drop_last=True)",
    "workers": "D.DataLoader(data, num_workers=-1)",
    "timeout": "D.DataLoader(data, timeout=-1)",
    "prefetch": "D.DataLoader(data, prefetch_factor=2)",
    "persistent": "D.DataLoader(data, persistent_workers=True)",
    "batch_size": "D.DataLoader(data, batch_size=0)",
    "stream_shuffle": "D.DataLoader(Stream(3), shuffle=True)",
    "stream_sampler": "D.DataLoader(Stream(3), sampler=[1])",
    "stream_length": "len(D.DataLoader(Stream(3)))",
    "set": "D.DataLoader(data).batch_size = 4",
    "sizes": "D.TensorDataset(torch.ones(2), torch.ones(3))",
    "split": "D.random_split(data, [3, 4])",
    "num_samples": "D.RandomSampler(data, num_samples=0)",
    "empty": "D.DataLoader([], shuffle=True)",
    "weights": "D.WeightedRandomSampler([[0.1]], 3)",
    "rank": "D.DistributedSampler(data, 2, 5)",
    "collate_type": "D.default_collate([object()])",
    "collate_length": "D.default_collate([[1], [1, 2]])",
    "context_without_workers": "D.DataLoader(data, multiprocessing_context='fork')",
    "context_name": "D.DataLoader(data, num_workers=1, multiprocessing_context='thread')",
    "context_type": "D.DataLoader(data, num_workers=1, multiprocessing_context=3)",
    "no_getitem": "D.Dataset()[0]",
    "no_iter": "iter(D.IterableDataset())",
    "out_of_range": "list(D.DataLoader(D.Subset(data, [77])))",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_program(name):
    assert_same_program(DATA + PROGRAMS[name])


@pytest.mark.parametrize("name", ERRORS)
def test_error(name):
    assert_same_program(DATA + ERRORS[name].replace("[object()]", "[3j]"), fails=True)


def test_numpy_arrays_become_batches():
    d = pytensor.utils.data
    batch = d.default_collate([(np.ones(2), np.float32(1)), (np.zeros(2), np.float32(2))])
    assert batch[0].tolist() == [[1.0, 1.0], [0.0, 0.0]]
    assert batch[0].dtype == pytensor.float64
    assert batch[1].dtype == pytensor.float32
    with pytest.raises(TypeError, match="default_collate"):
        d.default_collate([np.array(["a"])])
    assert type(d.default_convert({"a": np.ones(2)})["a"]) is pytensor.Tensor


def test_collate_of_own_classes():
    from pytensor.utils.data._utils.collate import collate, default_collate_fn_map

    def add(batch, *, collate_fn_map=None):
        return sum(batch)

    assert collate([[3j, 1j], [2j, 2j]], collate_fn_map={complex: add}) == [5j, 3j]
    assert collate([True, True], collate_fn_map={int: add}) == 2
    with pytest.raises(TypeError, match="found <class 'int'>"):
        collate([1, 2], collate_fn_map={})
    default_collate_fn_map[complex] = add
    try:
        assert pytensor.utils.data.default_collate([{"a": 1j}, {"a": 2j}]) == {"a": 3j}
    finally:
        del default_collate_fn_map[complex]


def test_batches_are_copies():
    x = pytensor.arange(6.0)
    for shuffle in (False, True):
        for (batch,) in pytensor.utils.data.DataLoader(
            pytensor.utils.data.TensorDataset(x), batch_size=3, shuffle=shuffle
        ):
            batch.zero_()
    assert x.tolist() == [0, 1, 2, 3, 4, 5]


def test_mapping_types_are_kept():
    batch = pytensor.utils.data.default_collate([collections.UserDict(a=1)])
    assert type(batch) is collections.UserDict
