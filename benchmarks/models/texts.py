"""Text: a GPT, a recurrent net over characters, a transformer encoder, a bag of embeddings."""

from __future__ import annotations

from typing import Any

from benchmarks.models.steps import Pair, Source, switched, training


def gpt(
    T: Any, layers: int = 3, width: int = 48, heads: int = 3, length: int = 32, batch: int = 12, words: int = 65
) -> Pair:
    nn, F = T.nn, T.nn.functional

    class Attention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.project, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.register_buffer("past", T.tril(T.ones(length, length)).view(1, 1, length, length))

        def forward(self, x: Any) -> Any:
            n, t, _ = x.size()
            parts = self.project(x).split(width, dim=2)
            q, k, v = (p.view(n, t, heads, width // heads).transpose(1, 2) for p in parts)
            scores = (q @ k.transpose(-2, -1)) * (width // heads) ** -0.5
            scores = scores.masked_fill(self.past[:, :, :t, :t] == 0, float("-inf"))
            y = F.softmax(scores, dim=-1) @ v
            return self.out(y.transpose(1, 2).contiguous().view(n, t, width))

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attend, self.before, self.after = Attention(), nn.LayerNorm(width), nn.LayerNorm(width)
            self.think = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

        def forward(self, x: Any) -> Any:
            x = x + self.attend(self.before(x))
            return x + self.think(self.after(x))

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.word, self.place = nn.Embedding(words, width), nn.Embedding(length, width)
            self.blocks = nn.Sequential(*(Block() for _ in range(layers)))
            self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, words, bias=False)

        def forward(self, x: Any) -> Any:
            h = self.word(x) + self.place(T.arange(x.shape[1]))
            return self.head(self.norm(self.blocks(h)))

    model, source = Model(), Source(T)
    x, y = source.below(words, batch, length), source.below(words, batch, length)
    optimizer = T.optim.AdamW(model.parameters(), lr=1e-3)
    step = training(
        optimizer, lambda: F.cross_entropy(model(x).view(-1, words), y.view(-1)),
        lambda: nn.utils.clip_grad_norm_(model.parameters(), 1.0),
    )  # fmt: skip
    return step, lambda: model(x)


def characters(T: Any, width: int = 128, batch: int = 32, length: int = 50, words: int = 65) -> Pair:
    nn, F = T.nn, T.nn.functional

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed, self.head = nn.Embedding(words, width), nn.Linear(width, words)
            self.recur = nn.LSTM(width, width, num_layers=2, batch_first=True)

        def forward(self, x: Any) -> Any:
            return self.head(self.recur(self.embed(x))[0])

    model, source = Model(), Source(T)
    x, y = source.below(words, batch, length), source.below(words, batch, length)
    step = training(
        T.optim.Adam(model.parameters(), lr=1e-3), lambda: F.cross_entropy(model(x).reshape(-1, words), y.reshape(-1)),
        lambda: nn.utils.clip_grad_norm_(model.parameters(), 5.0),
    )  # fmt: skip
    return step, lambda: model(x)


def encoder(T: Any, batch: int = 16, length: int = 32, width: int = 64, words: int = 1000) -> Pair:
    nn = T.nn
    layer = nn.TransformerEncoderLayer(width, 4, 2 * width, dropout=0.1, batch_first=True)
    model = nn.Sequential(nn.Embedding(words, width), nn.TransformerEncoder(layer, 2), nn.Linear(width, words))
    source, criterion = Source(T), nn.CrossEntropyLoss()
    x, y = source.below(words, batch, length), source.below(words, batch, length)
    optimizer = T.optim.Adam(model.parameters(), lr=1e-3)
    return switched(model, training(optimizer, lambda: criterion(model(x).view(-1, words), y.view(-1))), x)


def classifier(T: Any, batch: int = 64, length: int = 50, words: int = 5000, width: int = 64, classes: int = 4) -> Pair:
    nn = T.nn
    embed, head = nn.Embedding(words, width), nn.Linear(width, classes)
    source, criterion = Source(T), nn.CrossEntropyLoss()
    x, y = source.below(words, batch, length), source.below(classes, batch)

    def model() -> Any:
        return head(embed(x).mean(dim=1))

    optimizer = T.optim.Adam([*embed.parameters(), *head.parameters()], lr=1e-3)
    return training(optimizer, lambda: criterion(model(), y)), model
