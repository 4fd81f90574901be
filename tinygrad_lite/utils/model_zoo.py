"""Downloads of weights, by PyTorch's older import path."""

from tinygrad_lite.hub import load_state_dict_from_url

load_url = load_state_dict_from_url
