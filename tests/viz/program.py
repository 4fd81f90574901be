"""Runs the text of a graph, and the graph of a backward pass, with nothing but the operations' forwards and rules."""

import re
from itertools import count

import numpy as np

import tinygrad_lite as tl
from tinygrad_lite.viz.formats.text import Program
from tinygrad_lite.viz.scene.boxes import NEUTRAL
from tinygrad_lite.viz.words import spoken

OPEN, CLOSE = "([{", ")]}"


def leaves_of(graph, arrays):
    """Return the arrays of every leaf: those given by name, and the constants from the graph."""
    values = dict(arrays)
    for node in graph.nodes:
        if node.kind in ("const", "param", "buffer", "input") and node.id not in values and node.value is not None:
            values[node.id] = np.array(node.value, node.dtype).reshape(node.shape)
    return values


def split(text):
    """Split at the commas outside of brackets."""
    out, depth, start = [], 0, 0
    for i, c in enumerate(text):
        depth += (c in OPEN) - (c in CLOSE)
        if c == "," and not depth:
            out.append(text[start:i])
            start = i + 1
    return [part.strip() for part in (*out, text[start:]) if part.strip()]


def closing(text, start):
    """Return the position behind the bracket that closes the one at ``start``."""
    depth = 0
    for i in range(start, len(text)):
        depth += (text[i] in OPEN) - (text[i] in CLOSE)
        if not depth:
            return i + 1
    raise AssertionError(text)


def in_turn(text, k):
    """Return what a text with braces says in turn ``k``."""

    def one(found):
        inside = found[1]
        if " | " in inside:
            return inside.split(" | ")[k]
        numbers = list(map(int, re.findall(r"\d+", inside)))
        stride = numbers[1] - numbers[0] if len(numbers) == 3 else np.sign(numbers[-1] - numbers[0])
        return str(numbers[0] + k * stride)

    return re.sub(r"\{([^{}]*)\}", one, text)


class Machine:
    """Executes the lines of a program one after the other."""

    def __init__(self, graph, arrays):
        self.graph, self.values = graph, leaves_of(graph, arrays)
        self.returned = []
        self.lines = [line for line in graph.to_text().split("\n") if not line.startswith(("#", "input "))]
        self.counts, self.shown = {}, {}
        self.run(0, len(self.lines))

    def depth(self, i):
        return (len(self.lines[i]) - len(self.lines[i].lstrip())) // 2

    def run(self, start, end, carried=None):
        i = start
        while i < end:
            line = self.lines[i].strip()
            stop = i + 1
            while stop < end and self.depth(stop) > self.depth(i):
                stop += 1
            turns = re.search(r" × ([\d,]+)(  .*)?$", line)
            if turns and " = " not in line:
                for k in range(int(turns[1].replace(",", ""))):
                    self.turn = k
                    self.loop(i + 1, stop, k)
                i = stop
            else:
                self.line(i, line)
                i += 1

    def loop(self, start, stop, k):
        body = start
        pattern = re.compile(r"(%\d+) = (.*), then (.*)$")
        new = {}
        while body < stop and (found := pattern.match(self.lines[body].strip())):
            first = self.at(body, found[2]) if not k else None
            new[found[1]] = self.value(found[3] if k else first)
            body += 1
        self.values.update(new)
        self.run(body, stop)

    def at(self, i, text, part=0):
        """Return a part of line ``i`` as it stands the n-th time it is executed."""
        n = self.counts.setdefault((i, part), count())
        return in_turn(text, next(n))

    def value(self, word):
        word = word.strip()
        if word in self.values:
            found = self.values[word]
            return found[0] if isinstance(found, tuple) else found
        picked = re.fullmatch(r"(%\d+)\[(\d+)\]", word)
        if picked:
            return self.values[picked[1]][int(picked[2])]
        return self.option(word)

    def option(self, word):
        space = {"S": np.s_, "nan": np.nan, "inf": np.inf, "np": np}
        try:
            if word.startswith("["):
                indexing = ":" in word or "..." in word
                return eval(f"S{word}" if indexing else word, space)
            return eval(f"S[{word}]" if ":" in word and "'" not in word else word, space)
        except (NameError, SyntaxError, AttributeError):
            return word

    def line(self, i, line):
        if line.startswith("return "):
            self.returned.append(self.value(line.removeprefix("return ").rpartition(" = ")[2]))
            return
        found = re.match(r"(%\d+) = (\w+)\(", line)
        if not found:
            return
        end = closing(line, found.end() - 1)
        inside = line[found.end() : end - 1]
        rest = line[end:]
        params = rest[3 : closing(rest, 2) - 1] if rest.startswith("  [") else ""
        # shape and dtype follow every parameter
        params = [re.sub(r" \([\d, ]*\) \w+.*$", "", p) for p in split(params)]
        node = self.node(i)
        assert found[2] == spoken(node)
        op = tl.OPS[node.op]
        given, listed = {}, []
        for k, text in enumerate([*split(inside), *params]):
            part = self.at(i, text, k)
            word, equals, value = part.partition("=")
            if equals and word in op.params:
                given[word] = self.value(value) if word in op.arrays or value in self.values else self.option(value)
            else:
                listed.append(self.value(part))
        if op.sequence:
            given[op.sequence] = listed
        else:
            at = 0
            for value in listed:
                while op.params[at] in given:
                    at += 1
                given[op.params[at]] = value
        for word, value in list(given.items()):
            if word == "path" or isinstance(value, str) and not isinstance(node.attrs.get(word, ""), str):
                given[word] = node.attrs[word]  # no literal: a large array, a memory format, the path of a write
        neutral = {p: NEUTRAL[p] for p in op.params if p in NEUTRAL}
        missing = {p: node.attrs[p] for p in neutral if p not in given and p in node.attrs}
        words = {**op.defaults, **missing, **given}
        self.values[found[1]] = op.forward(*[words.get(p) for p in op.params])

    def node(self, i):
        """Return the node that line ``i`` shows."""
        if not self.shown:
            ops = [line.id for line in Program(self.graph).lines if line.kind == "op"]
            numbered = (j for j, line in enumerate(self.lines) if re.match(r"\s*%\d+ = (?!.*, then )", line))
            self.shown = {j: self.graph.by_id[id] for j, id in zip(numbered, ops, strict=True)}
        return self.shown[i]


def undefined(text):
    """Return the names that a program uses and does not define, and those that it defines twice."""
    defined = re.findall(r"^\s*(%\d+) = ", text, re.M)
    used = set(re.findall(r"%\d+", text))
    return sorted(used - set(defined)) + sorted({name for name in defined if defined.count(name) > 1})
