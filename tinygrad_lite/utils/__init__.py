"""The door that PyTorch's import paths need: `tinygrad_lite.utils.data`."""

from tinygrad_lite.utils import checkpoint as checkpoint, data as data
