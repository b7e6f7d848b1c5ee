"""``torch.hub``: weights from the network, kept in a folder, and models from local folders."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import sys
from typing import Any
from urllib.parse import urlparse

_HASH = re.compile(r"-([a-f0-9]{6,})\.")
_state: dict[str, str | None] = {"folder": None}


def get_dir() -> str:
    """The folder for what is downloaded: ``$TORCH_HOME/hub``, by default ~/.cache/torch/hub."""
    if _state["folder"]:
        return str(_state["folder"])
    cache = os.environ.get("XDG_CACHE_HOME", os.path.join("~", ".cache"))
    home = os.environ.get("TORCH_HOME", os.path.join(cache, "torch"))
    return os.path.join(os.path.expanduser(home), "hub")


def set_dir(d: str | os.PathLike[str]) -> None:
    """Sets the folder for what is downloaded."""
    _state["folder"] = os.path.expanduser(os.fspath(d))


def download_url_to_file(
    url: str, dst: str, hash_prefix: str | None = None, progress: bool = True
) -> None:
    """Downloads a file; it appears under its name only when it is complete.

    Args:
        url: where it is.
        dst: the path it gets.
        hash_prefix: how the SHA-256 of its content must begin.
        progress: whether to say on stderr what is downloaded. Default: ``True``.

    Raises:
        RuntimeError: the download failed, or its SHA-256 is another.
    """
    from urllib.error import URLError
    from urllib.request import Request, urlopen

    from pytensor.serialization._atomic import AtomicFile

    digest = hashlib.sha256()
    if progress:
        print(f'Downloading: "{url}" to {dst}', file=sys.stderr)
    try:
        request = Request(url, headers={"User-Agent": "pytensor"})
        with urlopen(request, timeout=60) as answer, AtomicFile(dst) as file:
            while part := answer.read(1 << 20):
                digest.update(part)
                file.write(part)
            if hash_prefix and not digest.hexdigest().startswith(hash_prefix):
                raise RuntimeError(
                    f'invalid hash value (expected "{hash_prefix}", got "{digest.hexdigest()}")'
                )
    except (URLError, OSError) as error:
        raise RuntimeError(
            f"could not download {url}: {error}. Without a connection, put the file to {dst}"
        ) from error


def load_state_dict_from_url(
    url: str,
    model_dir: str | None = None,
    map_location: Any = None,
    progress: bool = True,
    check_hash: bool = False,
    file_name: str | None = None,
    weights_only: bool = True,
) -> Any:
    """Loads a file from the network, or the copy of it from an earlier call.

    Args:
        url: where it is.
        model_dir: the folder of the copies. Default: ``get_dir()/checkpoints``.
        map_location: see ``load``.
        progress: whether to say on stderr what is downloaded. Default: ``True``.
        check_hash: whether the name holds the start of the file's SHA-256, as in
            "name-0123abcd.pth". Default: ``False``.
        file_name: the name of the copy. Default: the last part of ``url``.
        weights_only: see ``load``; unlike PyTorch's function, safe by default.

    Raises:
        RuntimeError: the file is not there and cannot be downloaded.
    """
    from pytensor.serialization import load

    folder = model_dir or os.path.join(get_dir(), "checkpoints")
    name = file_name or os.path.basename(urlparse(url).path)
    if not name or name != os.path.basename(name) or name in (".", ".."):
        raise ValueError(f"load_state_dict_from_url(): {url!r} names no file; give file_name")
    path = os.path.join(folder, name)
    if not os.path.exists(path):
        os.makedirs(folder, exist_ok=True)
        found = _HASH.search(name) if check_hash else None
        download_url_to_file(url, path, found[1] if found else None, progress)
    return load(path, map_location=map_location, weights_only=weights_only)


def _hubconf(folder: str, source: str) -> Any:
    if source != "local":
        raise RuntimeError(
            "hub.load() from the network would run code that was not looked at: clone the "
            "repository and call hub.load(folder, ..., source='local')"
        )
    path = os.path.join(folder, "hubconf.py")
    if not os.path.isfile(path):
        raise FileNotFoundError(f"hub: there is no hubconf.py in {folder}")
    spec = importlib.util.spec_from_file_location("hubconf", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, folder)
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(folder)
    return module


def load(repo_or_dir: str, model: str, *args: Any, source: str = "github", **kwargs: Any) -> Any:
    """What the function ``model`` of a folder's hubconf.py returns.

    Args:
        repo_or_dir: the folder.
        model: the function's name.
        *args: its arguments.
        source: must be "local".
        **kwargs: its keyword arguments; those of PyTorch's function itself are left out.

    Raises:
        RuntimeError: for any other source, or an unknown name.
    """
    for name in ("trust_repo", "force_reload", "verbose", "skip_validation"):
        kwargs.pop(name, None)
    function = getattr(_hubconf(repo_or_dir, source), model, None)
    if not callable(function):
        raise RuntimeError(f"Cannot find callable {model} in hubconf")
    return function(*args, **kwargs)


def list(github: str, source: str = "github", **kwargs: Any) -> Any:
    """The functions in a folder's hubconf.py; ``source`` must be "local"."""
    module = _hubconf(github, source)
    return [name for name in dir(module) if callable(getattr(module, name)) and name[0] != "_"]
