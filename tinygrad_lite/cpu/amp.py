"""The older path to autocast: ``torch.cpu.amp.autocast``, which makes bfloat16 of nothing here."""

from tinygrad_lite.amp import GradScaler as GradScaler, autocast as autocast
