"""Runs the text of a graph, and the graph of a backward pass, with nothing but the operations' forwards and rules."""

import re
from itertools import count
from types import SimpleNamespace

import numpy as np

import tinygrad_lite as tl
from tinygrad_lite.engine.sums import unbroadcast
from tinygrad_lite.viz.formats.text import Program
from tinygrad_lite.viz.scene.boxes import NEUTRAL
from tinygrad_lite.viz.words import spoken

OPEN, CLOSE = "([{", ")]}"


DETACH = SimpleNamespace(
    forward=lambda x: x, params=("x",), arrays=("x",), defaults={}, sequence=None, saved_names=()
)  # fmt: skip


def op_of(node):
    return DETACH if node.op == "detach" else tl.OPS[node.op]


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
        op = op_of(node)
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


class Missing:
    """A value that the graph does not give to a rule; any use of it fails."""

    def __getattr__(self, name):
        raise AssertionError("the rule uses a value that the graph does not name")

    __getitem__ = __iter__ = __array__ = __add__ = __mul__ = __rmul__ = __gt__ = __getattr__


def gradients(graph, arrays):
    """Run the backward pass of a joint graph on the values that its edges name; return the gradient of every leaf.

    The forward pass runs from the nodes of the graph, the backward pass by the rules of the registry.
    """
    values = {(id, 0): array for id, array in leaves_of(graph, arrays).items()}
    found, sums = {}, {}
    for node in graph.nodes:
        edges = graph.arguments[node.id]
        if node.kind == "output":
            values[node.id, 0] = values[edges[0].src, edges[0].out_index]
        elif node.kind == "op":
            op = op_of(node)
            edges = [e for e in edges if not e.name]
            given = [values[e.src, e.out_index] for e in edges]
            words = {**op.defaults, **node.attrs}
            if op.sequence:
                words[op.sequence] = given
            else:
                words |= {op.params[e.arg_index]: a for e, a in zip(edges, given, strict=True)}
            out = op.forward(*[words.get(p) for p in op.params])
            for i, y in enumerate(out if isinstance(out, tuple) else (out,)):
                values[node.id, i] = np.asarray(y)
            found[node.id] = words, out
    for node in graph.nodes:
        if node.kind == "grad":
            for key, g in rule_of(graph, node, values, found, sums):
                sums.setdefault(key, []).append(g)
    return {id: sum(parts) for (id, _), parts in sums.items() if not graph.by_id[id].op}


def rule_of(graph, node, values, found, sums):
    """Yield ((gradient node, output), gradient) of what one gradient node passes on."""
    own = node.id.removesuffix(".grad")
    passed = sorted(graph.users[node.id], key=lambda e: e.out_index)
    if not node.op:
        for e in passed:  # the start of backward
            yield (e.dst, e.name), np.ones(values[own, 0].shape, values[own, 0].dtype)
        return
    op, (words, out) = tl.OPS[node.op], found[own]
    named = {}
    for e in graph.arguments[node.id]:
        if not e.src.endswith(".grad"):
            named.setdefault(e.name, []).append(values[e.src, e.out_index])
    saved = []
    for word in op.saved_names:
        if word in named:
            saved.append(named[word] if word == op.sequence else named[word][0])
        elif word.endswith("_shape") and word.removesuffix("_shape") in words:
            whole = words[word.removesuffix("_shape")]
            saved.append([np.shape(v) for v in whole] if isinstance(whole, list) else np.shape(whole))
        elif word.endswith("_dtype") and word.removesuffix("_dtype") in words:
            saved.append(np.result_type(words[word.removesuffix("_dtype")]))
        elif word in op.arrays and word not in words:
            saved.append(None)
        elif word not in op.arrays and word in op.params or words.get(word, 0) is None:
            saved.append(words[word])
        elif not isinstance(words.get(word), (np.ndarray, type(None))):
            saved.append(words[word])  # a plain number is no node
        else:
            saved.append(Missing())
    arrived = {name: sum(parts) for (id, name), parts in sums.items() if id == node.id}
    if isinstance(out, tuple):
        g = tuple(arrived.get(f"g{i}" if i else "", np.zeros_like(y)) for i, y in enumerate(out))
    else:
        g = arrived[""]
    places = {e.out_index: e for e in passed}
    if op.gather is not None:
        rule = op.gather.args[0]
        results = enumerate(rule(g, tuple(saved)))
    else:
        wanted = {op.arrays.index(op.params[k]) for k in places}
        results = ((i, rule(g, tuple(saved))) for i, rule in op.rules if i in wanted)
    for i, gp in results:
        k = i if op.sequence else op.params.index(op.arrays[i])
        if k in places and gp is not None:
            yield (places[k].dst, places[k].name), unbroadcast(np.asarray(gp), places[k].shape)
