"""Steps of the models people bring, written once for both libraries: ``python -m benchmarks.models``.

Each builder takes ``T``, which is `torch` or `tinygrad_lite`, and sizes; it returns a training step and an inference.
Only names that both libraries have are used, so every builder is also a test that a PyTorch script runs unchanged.
`side_by_side` measures both in one process, or one alone; `__main__` writes the tables.
"""

from __future__ import annotations

from benchmarks.models import images, sequences, tables, texts

STEPS = {
    "gpt": ("GPT, 3 layers of 48, exact GELU, AdamW", texts.gpt),
    "char-lstm": ("LSTM over characters, 2 x 128", texts.characters),
    "lstm-cell": ("LSTMCell twice, 20 time steps", sequences.cells),
    "gru-attention": ("GRU encoder and decoder with attention", sequences.translation),
    "mnist": ("CNN 3x3 for MNIST, batch 64", images.mnist),
    "cnn5x5": ("CNN 5x5 with BatchNorm, batch 100", images.wide_kernels),
    "resnet": ("small ResNet, batch 32", images.residual),
    "dcgan": ("DCGAN, 16 x 16", images.adversarial),
    "vae": ("variational autoencoder", tables.autoencoder),
    "ppo": ("PPO update", tables.policy),
    "mlp": ("MLP 784-512-512-10, batch 256", tables.dense),
    "kan": ("KAN layers", tables.splines),
    "unet": ("U-Net, 32 x 32", images.segmentation),
    "encoder": ("transformer encoder", texts.encoder),
    "text": ("text classifier with an embedding", texts.classifier),
    "soft-kmeans": ("soft K-means", tables.clusters),
    "gcn": ("graph convolution, dense", tables.graph),
}

SIZES: dict[str, list[dict[str, int]]] = {
    "gpt": [dict(layers=2, width=128, heads=4, length=64, batch=8), dict(layers=1, width=32, heads=2, batch=64)],
    "char-lstm": [dict(width=64, batch=16, length=100), dict(width=256, batch=64, length=25)],
    "lstm-cell": [dict(width=128, batch=64, length=10), dict(width=16, batch=128, length=40)],
    "gru-attention": [dict(width=128, batch=64, source=20, target=8)],
    "mnist": [dict(batch=16), dict(batch=256)],
    "cnn5x5": [dict(batch=32), dict(batch=200)],
    "resnet": [dict(batch=8), dict(batch=64, channels=8), dict(batch=16, channels=32)],
    "dcgan": [dict(batch=16, channels=64), dict(batch=128, channels=16)],
    "vae": [dict(batch=32), dict(batch=512, hidden=200)],
    "ppo": [dict(batch=256, hidden=128), dict(batch=512, hidden=32)],
    "mlp": [dict(batch=32, hidden=256), dict(batch=512, hidden=256)],
    "kan": [dict(batch=32, inputs=64), dict(batch=256, inputs=32, hidden=32)],
    "unet": [dict(batch=4, channels=8, size=64), dict(batch=16, channels=24, size=16)],
    "encoder": [dict(batch=32, length=16, width=128), dict(batch=4, length=128, width=64)],
    "text": [dict(batch=256, length=20), dict(batch=16, length=200, width=128)],
    "soft-kmeans": [dict(points=10_000, features=16, centers=8), dict(points=200, features=2, centers=3)],
    "gcn": [dict(nodes=500, features=300, hidden=64)],
}
"""Other sizes of the same steps: a change is good for the kind only if it is good for these too."""
