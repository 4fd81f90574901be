"""Readers bound by the size of the file; a wrong graph is a ValueError, too little memory a MemoryError."""

import io
import json
import struct
import time
import warnings
import zipfile

import numpy as np
import pytest

import tinygrad_lite as tl
from tests.serialization.test_damaged import npy, npz, pt, refused, zipped
from tinygrad_lite import viz


def test_a_compressed_description():
    refused(zipped([("structure.json", b"[" + b"[]," * 400_000 + b"[]]")], zipfile.ZIP_DEFLATED), "bomb")
    small = zipped([("structure.json", json.dumps([1] * 5000))], zipfile.ZIP_DEFLATED)
    assert tl.load(io.BytesIO(small)) == [1] * 5000


@pytest.mark.parametrize("text", [b"[" * 100_000, b'{"a":' * 100_000, b"[" * 1600 + b"]" * 1600])
def test_deep_nesting_is_refused_before_it_is_read(text, monkeypatch):
    """Python's own reader would end the interpreter of a browser, which has a small stack."""
    read = []
    loads = json.loads
    monkeypatch.setattr(json, "loads", lambda text, **words: read.append(text) or loads(text, **words))
    refused(zipped([("structure.json", text)]), "1500 brackets")
    refused(struct.pack("<Q", len(text) + 5) + b'{"a":' + text, "1500 brackets")
    with pytest.raises(ValueError, match="1500 brackets"):
        viz.Graph.from_json(text.decode())
    assert not read
    strings = ["[" * 5000, '"' + "{" * 5000, [[]] * 2000]  # brackets in strings and beside one another are none
    file = io.BytesIO()
    tl.save(strings, file)
    assert tl.load(io.BytesIO(file.getvalue())) == strings


@pytest.mark.parametrize("sign", "-+~")
def test_signs_over_and_over(sign):
    head = "{'descr': '<f8', 'fortran_order': False, 'shape': (" + sign * 1900 + "1,)}"
    refused(zipped([("w.npy", npy(head, b"\0" * 8))]), "nested too deeply")


@pytest.mark.parametrize("shape", [(True,), (False, 2), (0, 2**70), (1,) * 80, (2.0,)])
def test_shapes_that_are_none(shape):
    refused(zipped([("w.npy", npy({"descr": "<f8", "fortran_order": False, "shape": shape}, b"\0" * 8))]))


def test_many_names_of_which_one_stands_twice():
    """Quadratic in the number of names, this took 18 s."""
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w") as archive:
        warnings.simplefilter("ignore")
        for i in (*range(4000), 3999):
            archive.writestr(f"{i}.npy", b"")
    refused(buffer.getvalue(), "'3999.npy' stands twice")


def long_of(n):
    data = n.to_bytes(n.bit_length() // 8 + 1, "little")
    return b"\x8a" + bytes([len(data)]) + data


def test_keys_with_one_hash():
    """20,000 of them took eight seconds."""
    numbers = [k * (2**61 - 1) for k in range(1, 20_000)]
    started = time.perf_counter()
    pairs = b"".join(long_of(n) + b"N" for n in numbers)
    refused(pt(b"\x80\x02}(" + pairs + b"u."), "60 bits")
    refused(pt(b"\x80\x02}(" + b"".join(long_of(n) + b"\x85N" for n in numbers) + b"u."), "60 bits")
    refused(zipped([("structure.json", json.dumps({"$": "dict", "items": [[n, 0] for n in numbers]}))]), "60 bits")
    assert time.perf_counter() - started < 5
    assert tl.load(io.BytesIO(pt(b"\x80\x02}(" + long_of(2**60) + b"Nu."))) == {2**60: None}


def test_a_key_of_tuples_that_share_their_elements():
    """Hashed, it has 2**60 elements."""
    tuples = b"N\x85q\0" + b"".join(b"h\0\x86q\0" for _ in range(60))
    refused(pt(b"\x80\x02}(" + tuples + b"Nu."), "more elements")
    assert isinstance(tl.load(io.BytesIO(pt(b"\x80\x02" + tuples + b".")), strict=False), tuple)


def exhausted(*args, **options):
    raise MemoryError


@pytest.mark.parametrize("data", [npz(), pt(b"\x80\x02}.")])
def test_too_little_memory_is_no_damage(data, monkeypatch):
    monkeypatch.setattr(zipfile.ZipFile, "open", exhausted)
    with pytest.raises(MemoryError):
        tl.load(io.BytesIO(data))


def graph_with(**node):
    data = json.loads(viz.draw(tl.ones(2).requires_grad_().sum()).to_json())
    data["nodes"][0].update(node)
    return json.dumps(data)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"a":' * 100_000,
        None,
        3,
        "1" * 5000,
        graph_with(attrs={"a": {"array": "x", "dtype": "S1000000000", "shape": [1]}}),
        graph_with(attrs={"a": {"array": 1, "dtype": "O"}}),
        graph_with(attrs={"a": {"array": 1e999, "dtype": "int64"}}),
        graph_with(attrs={"a": {"array": 2**70, "dtype": "int8"}}),
        graph_with(shape=[float("inf")]),
        graph_with(kind=[]),
        graph_with(id=[]),
        graph_with(call={}),
        graph_with(attrs=3),
        graph_with(stats=3),
        graph_with(measured=3),
    ],
)
def test_a_wrong_graph_is_a_value_error(text):
    with pytest.raises(ValueError, match="^from_json: "):
        viz.Graph.from_json(text)


def test_arrays_of_numbers_are_read():
    text = graph_with(attrs={"a": {"array": [1, 2], "dtype": "int8", "shape": [2]}, "b": {"array": 2, "dtype": "bool"}})
    attrs = viz.Graph.from_json(text).nodes[0].attrs
    assert attrs["a"].tolist() == [1, 2] and attrs["b"] == np.True_
