"""Files: tensors and containers of them, written without pickle and read without executing anything."""

from tinygrad_lite.serialization.files import load as load
from tinygrad_lite.serialization.files import save as save
from tinygrad_lite.serialization.safetensors import load_file as load_file
from tinygrad_lite.serialization.safetensors import save_file as save_file
