"""Downloads of weights, by PyTorch's older import path."""

from typing import Any

from tinygrad_lite import hub
from tinygrad_lite.hub import load_state_dict_from_url

load_url = load_state_dict_from_url


def __getattr__(name: str) -> Any:
    return getattr(hub, name)
