"""Sequences, one time step at a time: LSTM cells, a GRU decoder with attention."""

from __future__ import annotations

from typing import Any

from benchmarks.models.steps import Pair, Source, training


def cells(T: Any, width: int = 51, batch: int = 32, length: int = 20) -> Pair:
    nn = T.nn
    first, second, head = nn.LSTMCell(1, width), nn.LSTMCell(width, width), nn.Linear(width, 1)
    source, criterion = Source(T), nn.MSELoss()
    x, y = source.normal(batch, length), source.normal(batch, length)

    def model() -> Any:
        h1 = c1 = h2 = c2 = T.zeros(batch, width)
        seen = []
        for now in x.split(1, dim=1):
            h1, c1 = first(now, (h1, c1))
            h2, c2 = second(h1, (h2, c2))
            seen.append(head(h2))
        return T.cat(seen, dim=1)

    parameters = [p for part in (first, second, head) for p in part.parameters()]
    return training(T.optim.Adam(parameters, lr=1e-3), lambda: criterion(model(), y)), model


def translation(T: Any, width: int = 64, batch: int = 32, source: int = 15, target: int = 12, words: int = 500) -> Pair:
    nn, F = T.nn, T.nn.functional

    class Decoder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed, self.head = nn.Embedding(words, width), nn.Linear(width, words)
            self.ask, self.answer, self.score = nn.Linear(width, width), nn.Linear(width, width), nn.Linear(width, 1)
            self.recur = nn.GRU(2 * width, width, batch_first=True)

        def forward(self, seen: Any, state: Any, wanted: Any) -> Any:
            out = []
            for t in range(target):
                asked = T.tanh(self.ask(state.permute(1, 0, 2)) + self.answer(seen))
                weights = F.softmax(self.score(asked).squeeze(2).unsqueeze(1), dim=-1)
                now = T.cat((self.embed(wanted[:, t : t + 1]), T.bmm(weights, seen)), dim=2)
                y, state = self.recur(now, state)
                out.append(self.head(y))
            return F.log_softmax(T.cat(out, dim=1), dim=-1)

    embed, encode, decode = nn.Embedding(words, width), nn.GRU(width, width, batch_first=True), Decoder()
    data, criterion = Source(T), nn.NLLLoss()
    x, y = data.below(words, batch, source), data.below(words, batch, target)

    def model() -> Any:
        return decode(*encode(embed(x)), y)

    optimizers = [
        T.optim.Adam([*embed.parameters(), *encode.parameters()], lr=1e-3), T.optim.Adam(decode.parameters(), lr=1e-3),
    ]  # fmt: skip
    return training(optimizers, lambda: criterion(model().view(-1, words), y.view(-1))), model
