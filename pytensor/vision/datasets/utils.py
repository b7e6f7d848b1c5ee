"""Files of data sets: checksums, downloads and archives."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import shutil
import tarfile
import urllib.error
import urllib.request
import zipfile
from pathlib import Path
from typing import IO, Any

import pytensor

__all__ = [
    "calculate_md5",
    "check_integrity",
    "check_md5",
    "download_and_extract_archive",
    "download_url",
    "extract_archive",
]

_CHUNK = 1 << 20
_TIMEOUT_S = 30


def calculate_md5(fpath: str | Path, chunk_size: int = _CHUNK) -> str:
    """The MD5 sum of a file, in hexadecimal. It guards against damage, not against malice."""
    digest = hashlib.md5(usedforsecurity=False)
    with open(fpath, "rb") as file:
        while chunk := file.read(chunk_size):
            digest.update(chunk)
    return digest.hexdigest()


def check_md5(fpath: str | Path, md5: str, **kwargs: Any) -> bool:
    """Whether a file has an MD5 sum."""
    return calculate_md5(fpath, **kwargs) == md5


def check_integrity(fpath: str | Path, md5: str | None = None) -> bool:
    """Whether a file is there and, if `md5` is given, undamaged."""
    return os.path.isfile(fpath) and (md5 is None or check_md5(fpath, md5))


def download_url(
    url: str,
    root: str | Path,
    filename: str | Path | None = None,
    md5: str | None = None,
    max_redirect_hops: int = 3,
) -> None:
    """Fetches a file, unless it is there undamaged.

    Args:
        url: where it is.
        root: folder to put it in.
        filename: its name there. Default: the last part of the URL.
        md5: its checksum; a file with another one is an error. Default: unchecked.
        max_redirect_hops: accepted; redirections are followed in any case.

    Raises:
        RuntimeError: it cannot be had, or is damaged.
    """
    target = Path(root).expanduser() / (filename or os.path.basename(url))
    if check_integrity(target, md5):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    # Another name until it is complete: an interrupted download leaves no file that looks whole.
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        agent = {"User-Agent": f"pytensor/{pytensor.__version__}"}
        request = urllib.request.Request(url, headers=agent)
        with (
            urllib.request.urlopen(request, timeout=_TIMEOUT_S) as response,
            open(part, "wb") as file,
        ):
            shutil.copyfileobj(response, file, _CHUNK)
        if not check_integrity(part, md5):
            raise RuntimeError(f"{url}: the file is damaged (its MD5 sum is not {md5})")
        os.replace(part, target)
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise RuntimeError(
            f"cannot download {url}: {reason}. Without a network, put the file at {target} yourself"
        ) from error
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.remove(part)


def extract_archive(
    from_path: str | Path, to_path: str | Path | None = None, remove_finished: bool = False
) -> str | Path:
    """Unpacks a zip or (compressed) tar archive, or a single compressed file.

    Args:
        from_path: the archive.
        to_path: folder for its contents. Default: the archive's.
        remove_finished: whether the archive is deleted afterwards. Default: ``False``.

    Returns:
        The folder, or the name of the single file.

    Raises:
        RuntimeError: the kind of archive is unknown.
    """
    source = Path(from_path)
    folder = source.parent if to_path is None else Path(to_path)
    result: str | Path = folder if to_path is None else to_path
    if zipfile.is_zipfile(source):
        with zipfile.ZipFile(source) as archive:
            archive.extractall(folder)
    elif source.suffix == ".tgz" or ".tar" in source.suffixes:
        with tarfile.open(source) as archive:
            _extract_tar(archive, folder)
    elif source.suffix == ".gz":
        folder.mkdir(parents=True, exist_ok=True)
        result = folder / source.stem
        with gzip.open(source, "rb") as packed, open(result, "wb") as file:
            shutil.copyfileobj(packed, file, _CHUNK)
    else:
        raise RuntimeError(f"extract_archive(): {source} is no zip, tar or gzip file")
    if remove_finished:
        os.remove(source)
    return result


def _extract_tar(archive: tarfile.TarFile, folder: Path) -> None:
    if hasattr(tarfile, "data_filter"):
        archive.extractall(folder, filter="data")
        return
    base = folder.resolve()
    for member in archive.getmembers():
        inside = (base / member.name).resolve().is_relative_to(base)
        if not inside or not (member.isfile() or member.isdir()):
            raise RuntimeError(f"extract_archive(): {member.name} would be outside of {folder}")
    archive.extractall(folder)


def download_and_extract_archive(
    url: str,
    download_root: str | Path,
    extract_root: str | Path | None = None,
    filename: str | Path | None = None,
    md5: str | None = None,
    remove_finished: bool = False,
) -> None:
    """``download_url`` and ``extract_archive``; the contents go to `extract_root`."""
    root = Path(download_root).expanduser()
    name = filename or os.path.basename(url)
    download_url(url, root, name, md5)
    extract_archive(root / name, extract_root or root, remove_finished)


def open_packed(path: str | Path) -> IO[bytes]:
    """A file for reading, unpacked on the way when gzip made it."""
    with open(path, "rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if packed else open(path, "rb")  # type: ignore[return-value]
