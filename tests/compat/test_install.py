"""The names torch and torchvision: same modules, same classes, programs started as python does."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

import pytensor
from pytensor.compat._finder import own_name
from pytensor.version import Version


def run(*arguments: str, cwd=None, ok=True) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, timeout=60, cwd=cwd
    )
    assert (done.returncode == 0) is ok, done.stderr
    return done.stdout if ok else done.stderr


def run_code(code: str) -> str:
    return run("-m", "pytensor.compat", "-c", textwrap.dedent(code))


def test_modules_are_the_same_objects():
    out = run_code(
        """
        import sys
        import torch, torch.nn as nn, torch.nn.functional as F
        import torch.optim.lr_scheduler, torch.backends.cudnn as cudnn
        from torch.autograd import Variable, Function
        from torch.cuda.amp import GradScaler
        from torch.nn.modules.linear import Linear
        from torch.nn.parameter import Parameter
        from torch.utils import model_zoo
        import pytensor
        import pytensor.nn.modules.linear
        assert torch is pytensor and nn is pytensor.nn and F is pytensor.nn.functional
        assert sys.modules["torch.nn.modules.linear"] is pytensor.nn.modules.linear
        assert Linear is pytensor.nn.Linear and isinstance(nn.Linear(1, 1).weight, Parameter)
        assert pytensor.nn.__spec__.name == "pytensor.nn"
        twice = [n for n in sys.modules if n.startswith("torch.")
                 and sys.modules[n] is not sys.modules.get("pytensor" + n[5:])]
        assert set(twice) <= {"torch.cuda.amp.grad_scaler"}, twice
        import pickle
        assert torch.equal(pickle.loads(pickle.dumps(torch.ones(2))), torch.ones(2))
        print(torch.__version__, torch.version.__version__)
        """
    )
    assert out == "2.13.0+pytensor 2.13.0+pytensor\n"


def test_missing_modules_are_import_errors():
    out = run_code(
        """
        for name in ("torch.fx", "torch.nn.nothing", "torch.utils.nothing.more"):
            try:
                __import__(name)
            except ModuleNotFoundError as error:
                print(error.name, "pytensor has no counterpart" in str(error))
        """
    )
    assert out == "torch.fx True\ntorch.nn.nothing True\ntorch.utils.nothing True\n"


def test_scripts_modules_and_code(tmp_path):
    (tmp_path / "helper.py").write_text("import torch\nvalue = torch.tensor(3.0)\n")
    script = tmp_path / "script.py"
    script.write_text(
        "import pickle, sys\nimport torch\nfrom helper import value\n"
        "class Net(torch.nn.Module):\n    pass\n"
        "assert type(pickle.loads(pickle.dumps(Net()))) is Net\n"
        "print(value.item(), sys.argv[1:], __name__, __file__ == sys.argv[0])\n"
        "sys.exit(int(sys.argv[2]))\n"
    )
    out = run("-m", "pytensor.compat", str(script), "--lr", "0")
    assert out == "3.0 ['--lr', '0'] __main__ True\n"
    run("-m", "pytensor.compat", str(script), "-c", "3", ok=False)
    out = run("-m", "pytensor.compat", "-m", "script", "a", "0", cwd=tmp_path)
    assert out == "3.0 ['a', '0'] __main__ True\n"
    out = run("-m", "pytensor.compat", "-c", "import sys, torch; print(sys.argv)", "x")
    assert out == "['-c', 'x']\n"
    assert "usage" in run("-m", "pytensor.compat", "--help")
    assert "No such file" in run("-m", "pytensor.compat", "missing.py", ok=False)
    assert "argument expected" in run("-m", "pytensor.compat", "-m", ok=False)
    assert "unknown option" in run("-m", "pytensor.compat", "-x", ok=False)


def test_install_and_uninstall():
    code = """
        import sys
        import pytensor, pytensor.compat
        version = pytensor.__version__
        pytensor.compat.install()
        pytensor.compat.install()
        import torch.nn
        assert torch.nn is pytensor.nn and pytensor.compat.is_installed()
        pytensor.compat.uninstall()
        assert "torch" not in sys.modules and "torch.nn" not in sys.modules
        assert pytensor.__version__ == version == pytensor.version.__version__
        sys.modules["torch"] = object()
        try:
            pytensor.compat.install()
        except RuntimeError as error:
            print(error)
    """
    assert "already imported" in run("-c", textwrap.dedent(code))


def test_processes_are_forked_under_compat(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import torch\nimport torch.multiprocessing as mp\n"
        "def work(i, x, queue):\n    queue.put((i, x * i))\n"
        "def fail(i):\n    raise ValueError('on purpose')\n"
        "if __name__ == '__main__':\n"
        "    queue = mp.get_context('fork').SimpleQueue()\n"
        "    mp.spawn(work, (torch.ones(2), queue), nprocs=2)\n"
        "    print(sorted((i, x.tolist()) for i, x in (queue.get(), queue.get())))\n"
        "    try:\n        mp.spawn(fail, nprocs=1)\n"
        "    except mp.ProcessRaisedException as error:\n"
        "        print('ValueError: on purpose' in str(error), error.error_index)\n"
    )
    out = run("-m", "pytensor.compat", str(script))
    assert out == "[(0, [0.0, 0.0]), (1, [1.0, 1.0])]\nTrue 0\n"


def test_names():
    assert own_name("torch") == "pytensor"
    assert own_name("torch.nn") == "pytensor.nn"
    assert own_name("torchvision.transforms") == "pytensor.vision.transforms"
    assert own_name("torchaudio") is None
    assert own_name("torch_geometric") is None


@pytest.mark.parametrize("other", ["2.4", "1.13.1", "2.13", (2, 0), "2.13.0+cpu", "3", (2, 14)])
def test_versions_compare_as_torch_does(other):
    theirs = pytest.importorskip("torch").torch_version.TorchVersion("2.13.0+pytensor")
    ours = Version("2.13.0+pytensor")
    if "+" not in other:  # how PyTorch orders the part behind the plus is of no use here
        assert (ours < other) == (theirs < other)
        assert (ours >= other) == (theirs >= other)
    assert ours.startswith("2.13")
    assert ours.split("+")[1] == "pytensor"
    assert ours == "2.13.0+pytensor"
    assert ours != other


def test_own_version_is_kept_without_compat():
    assert pytensor.__version__ == pytensor._C.__version__
