"""Files by their address, as in ``torch.hub``; code is never downloaded."""

from __future__ import annotations

import hashlib
import os
import re
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlparse as urlparse

from tinygrad_lite.engine.no_effect import absent
from tinygrad_lite.serialization import load as _load
from tinygrad_lite.serialization.atomic import replacing

__all__ = ["download_url_to_file", "get_dir", "load_state_dict_from_url", "set_dir"]
_chosen: dict[str, str] = {}
_CODE = "no code is downloaded; build the network from nn or vision.models and load its weights with load()"
load, list, help = (absent(f"hub.{name}", _CODE) for name in ("load", "list", "help"))


HASH_REGEX = re.compile(r"-([a-f0-9]*)\.")


def _get_torch_home() -> str:
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    return os.path.expanduser(os.environ.get("TORCH_HOME", os.path.join(cache, "torch")))


def get_dir() -> str:
    """Return the folder of downloads: `set_dir`'s, ``$TORCH_HOME/hub``, or ``~/.cache/torch/hub``."""
    return _chosen.get("dir") or os.path.join(_get_torch_home(), "hub")


def set_dir(d: str | os.PathLike[str]) -> None:
    """Choose the folder of downloads."""
    _chosen["dir"] = os.path.expanduser(d)


def download_url_to_file(url: str, dst: Any, hash_prefix: str | None = None, progress: bool = True) -> None:
    """Download a file to ``dst``; its SHA-256 must begin with ``hash_prefix``. A part of a file is never left.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "a").write_text("text")
    ...     download_url_to_file(Path(folder, "a").as_uri(), Path(folder, "b"))
    ...     Path(folder, "b").read_text()
    'text'
    """
    place = Path(dst).expanduser()
    digest = hashlib.sha256()
    with urllib.request.urlopen(url, timeout=60) as source, replacing(place) as file:
        while block := source.read(1 << 16):
            file.write(block)
            digest.update(block)
        if hash_prefix and not digest.hexdigest().startswith(hash_prefix):
            raise RuntimeError(f'invalid hash value (expected "{hash_prefix}", got "{digest.hexdigest()}")')


def load_state_dict_from_url(
    url: str, model_dir: str | None = None, map_location: Any = None, progress: bool = True, check_hash: bool = False,
    file_name: str | None = None, weights_only: bool = True,
) -> Any:  # fmt: skip
    """Return the object in a file at ``url``, which is downloaded once.

    With ``check_hash`` the file is called ``name-hash.ext`` and must have that hash.
    """
    folder = Path(model_dir or os.path.join(get_dir(), "checkpoints"))
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / (file_name or url.split("?")[0].rpartition("/")[2])
    if not place.exists():
        found = HASH_REGEX.search(place.name) if check_hash else None
        download_url_to_file(url, place, found[1] if found else None, progress)
    return _load(place, map_location=map_location)


def __getattr__(name: str) -> Any:
    """Find `tqdm` if that package is installed."""
    if name == "tqdm":
        from importlib import import_module

        try:
            return import_module("tqdm").tqdm
        except ImportError:
            raise AttributeError("hub.tqdm is the package tqdm, which is not installed: pip install tqdm") from None
    raise AttributeError(f"module 'tinygrad_lite.hub' has no attribute '{name}'")
