"""Damaged and hostile files: one clear error, no large memory, nothing executed."""

import io
import json
import os
import pickle
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest
from hypothesis import given, strategies as st

import tinygrad_lite as tl
from tinygrad_lite.errors import FileError

MEGABYTE = 1 << 20


def refused(data, match=None):
    """Load ``data``, expect FileError and little memory."""
    tracemalloc.start()
    try:
        with pytest.raises(FileError, match=match):
            tl.load(io.BytesIO(data))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 16 * MEGABYTE + 20 * len(data)


def npz():
    buffer = io.BytesIO()
    tl.save({"w": np.arange(100.0), "b": [1, {"c": tl.tensor([1, 2, 3])}]}, buffer)
    return buffer.getvalue()


def safetensors(head, body=b"", length=None):
    text = head if isinstance(head, bytes) else json.dumps(head).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + body


def zipped(members, compression=zipfile.ZIP_STORED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return buffer.getvalue()


def npy(head, body=b""):
    text = str(head).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + body


# ------------------------------------------------------------------------------------------------ any file
@pytest.mark.parametrize("data", [b"", b"P", b"PK", b"hello world, this is text", b"\x00" * 100, b"\x93NUMPY\x01\x00"])
def test_not_our_files(data):
    refused(data)


@pytest.mark.parametrize("part", [0.02, 0.3, 0.6, 0.9, 0.999])
def test_truncated(part):
    whole = npz()
    refused(whole[: int(len(whole) * part)])
    buffer = io.BytesIO()
    tl.serialization.save_file({"w": np.arange(100.0)}, buffer)
    whole = buffer.getvalue()
    refused(whole[: int(len(whole) * part)])


@given(st.binary(max_size=200), st.sampled_from([b"", b"PK\x03\x04", b"\x80\x02", b"\x08\0\0\0\0\0\0\0{"]))
def test_any_bytes(data, start):
    try:
        tl.load(io.BytesIO(start + data))
    except FileError:
        pass


@given(st.data())
def test_one_changed_byte_is_read_or_refused(data):
    whole = bytearray(npz())
    whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        tl.load(io.BytesIO(bytes(whole)))
    except FileError:
        pass


def test_a_changed_number_raises():
    whole = npz()
    at = whole.index(np.array([42.0]).tobytes())
    refused(whole[:at] + b"\x01" + whole[at + 1 :], "CRC|damaged")


# ------------------------------------------------------------------------------------------------ npz
@pytest.mark.parametrize(
    ("head", "body", "match"),
    [
        ({"descr": "<f8", "fortran_order": False, "shape": (10**12,)}, b"\0" * 8, "needs"),
        ({"descr": "<f8", "fortran_order": False, "shape": (2,)}, b"\0" * 8, "needs 16 bytes, the file has 8"),
        ({"descr": "<f8", "fortran_order": False, "shape": (-1,)}, b"\0" * 8, "needs"),
        ({"descr": "|O", "fortran_order": False, "shape": (1,)}, pickle.dumps([1]), "object|executed"),
        ({"descr": "<U8", "fortran_order": False, "shape": (1,)}, b"\0" * 32, "dtype"),
        ({"descr": "nonsense", "fortran_order": False, "shape": (1,)}, b"\0" * 8, "damaged"),
        ("__import__('os').system('touch /tmp/executed')", b"", "damaged"),
        ({"descr": "<f8", "fortran_order": False, "shape": (1,), "x" * 20000: 1}, b"\0" * 8, "damaged"),
    ],
)
def test_arrays_with_false_headers(head, body, match):
    refused(zipped([("w.npy", npy(head, body))]), match)
    assert not os.path.exists("/tmp/executed")


def test_duplicate_names():
    with pytest.warns(UserWarning, match="Duplicate name"):
        data = zipped([("w.npy", npy({"descr": "<f8", "fortran_order": False, "shape": ()}, b"\0" * 8))] * 2)
    refused(data, "twice")


def test_zip_bombs():
    head = {"descr": "|u1", "fortran_order": False, "shape": (300 * MEGABYTE,)}
    refused(zipped([("w.npy", npy(head, bytes(300 * MEGABYTE)))], zipfile.ZIP_DEFLATED), "bomb")


def test_overlapping_members():
    """One member lies inside another, so that both are read from the same bytes."""
    inner = npy({"descr": "|u1", "fortran_order": False, "shape": (5000,)}, bytes(5000))
    whole = zipped([("b.npy", inner)])
    hidden = whole[: whole.index(b"PK\x01\x02")]
    data = bytearray(zipped([("a.npy", hidden)]))
    start, end = data.index(b"PK\x01\x02"), data.index(b"PK\x05\x06")
    second = bytearray(whole[whole.index(b"PK\x01\x02") : whole.index(b"PK\x05\x06")])
    second[42:46] = struct.pack("<I", data.index(hidden))
    tail = bytearray(data[end:])
    tail[8:12] = struct.pack("<HH", 2, 2)
    tail[12:16] = struct.pack("<I", end - start + len(second))
    refused(bytes(data[:end] + second + tail), "overlap")


@pytest.mark.parametrize(
    "text",
    [
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"$": "function", "name": "os.system"}',
        b'{"$": "tensor"}',
        b'{"$": "tensor", "name": "nothing"}',
        b'{"$": "tensor", "name": {"a": 1}}',
        b'{"$": "dtype", "name": "quaternion"}',
        b'{"$": "dict", "items": [[[1], 2]]}',
        b'{"$": "dict", "items": [1]}',
        b'{"$": ["x"]}',
        b'{"$": "float", "text": []}',
    ],
)
def test_invalid_descriptions(text):
    refused(zipped([("structure.json", text)]))


def test_other_archives():
    refused(zipped([("word/document.xml", b"<a/>")]), "neither")


# ------------------------------------------------------------------------------------------------ safetensors
ONE = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (safetensors({}, length=10**18), "claims"),
        (safetensors({"a": ONE}, bytes(8), length=200_000_000), "claims"),
        (safetensors(b"[1]"), "expected|not"),
        (safetensors(b"{" + b" " * 20), "JSON"),
        (safetensors(b"{" + b'"a":{' * 50_000), "JSON"),
        (safetensors(b'{"\xff": 1}'), "JSON"),
        (
            safetensors(b'{"a": ' + json.dumps(ONE).encode() + b', "a": ' + json.dumps(ONE).encode() + b"}", bytes(8)),
            "twice",
        ),
        (safetensors(b'{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}', bytes(8)), "twice"),
        (safetensors({"a": ONE}, bytes(7)), "truncated"),
        (safetensors({"a": ONE}, bytes(9)), "truncated"),
        (safetensors({"a": ONE, "b": ONE}, bytes(8)), "overlaps"),
        (safetensors({"a": ONE, "b": {**ONE, "data_offsets": [4, 12]}}, bytes(12)), "overlaps"),
        (safetensors({"a": {**ONE, "data_offsets": [8, 16]}}, bytes(16)), "hole"),
        (safetensors({"a": {**ONE, "data_offsets": [0, 10**15], "shape": [10**15 // 4]}}, bytes(8)), "need"),
        (safetensors({"a": {**ONE, "shape": [3]}}, bytes(8)), "fill"),
        (safetensors({"a": {**ONE, "shape": [2**62, 2**62]}}, bytes(8)), "fill"),
        (safetensors({"a": {**ONE, "shape": [-2]}}, bytes(8)), "numbers"),
        (safetensors({"a": {**ONE, "shape": [2.0]}}, bytes(8)), "numbers"),
        (safetensors({"a": {**ONE, "shape": [True, 2]}}, bytes(8)), "numbers"),
        (safetensors({"a": {**ONE, "data_offsets": [8, 0]}}, bytes(8)), "offsets"),
        (safetensors({"a": {**ONE, "data_offsets": [0]}}, bytes(8)), "offsets"),
        (safetensors({"a": {**ONE, "dtype": "F8_E4M3"}}, bytes(8)), "F8_E4M3"),
        (safetensors({"a": {**ONE, "dtype": 3}}, bytes(8)), "dtype"),
        (safetensors({"a": {**ONE, "dtype": ["F32"]}}, bytes(8)), "dtype"),
        (safetensors({"a": {"dtype": "F32"}}, bytes(8)), "needs"),
        (safetensors({"a": [1]}, bytes(8)), "needs"),
        (safetensors({"__metadata__": {"a": 1}}), "metadata"),
        (safetensors({"__metadata__": "a"}), "metadata"),
    ],
)
def test_hostile_safetensors(data, match):
    refused(data, match)


# ------------------------------------------------------------------------------------------------ pickles
class Evil:
    def __reduce__(self):
        return (os.system, ("touch /tmp/executed",))


def pt(data, members=()):
    return zipped([("x/data.pkl", data), ("x/version", b"3"), *members])


def test_bare_pickles_are_refused():
    refused(pickle.dumps(Evil()), "pickle")
    refused(pickle.dumps({"a": 1}), "pickle")
    assert not os.path.exists("/tmp/executed")


@pytest.mark.parametrize("protocol", range(6))
def test_loading_a_pt_file_executes_nothing(protocol):
    refused(pt(pickle.dumps({"a": Evil()}, protocol)), "posix.system|nt.system|system|instruction")
    refused(pt(pickle.dumps(np.float64(3.0), protocol)), "numpy|instruction|_codecs")
    assert not os.path.exists("/tmp/executed")


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"", "no end|damaged"),
        (b"\x80\x02.", "damaged"),
        (b"\x80\x02}", "damaged|no end"),
        (b"\x80\x02K\x01K\x02.", "damaged"),
        (b"\x80\x02cposix\nsystem\n.", "posix.system"),
        (b"\x80\x02cbuiltins\neval\n.", "builtins.eval"),
        (b"\x80\x02c__builtin__\ngetattr\n.", "builtins.getattr"),
        (b"\x80\x02ctorch.nn.modules.linear\nLinear\n)\x81.", "torch.nn.modules.linear.Linear.*state_dict"),
        (b"\x80\x02K\x01)R.", "not a function"),
        (b"\x80\x02ctorch\nSize\nK\x05\x85R.", "damaged"),
        (b"\x80\x02]r\xff\xff\xff\xff.", None),
        (b"\x80\x02B\xff\xff\xff\x7f.", "damaged"),
        (b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.", "damaged"),
        (b"\x80\x02K\x01Q.", "damaged"),
        (
            b"\x80\x02(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x04tQ.",
            "missing",
        ),
        (b"\x80\x02e.", "without a beginning"),
        (b"\x80\x02]]h\x05.", "damaged"),
        (b"\x80\x02}]K\x01s.", "damaged"),
        (b"\x80\x02K\x01}b.", "attributes"),
    ],
)
def test_invalid_pickles(data, match):
    if match is None:
        assert tl.load(io.BytesIO(pt(data))) == []
    else:
        refused(pt(data), match)


def tensor_pickle(size, stride, offset=0, numel=4):
    """What PyTorch writes for one tensor, with numbers of our choice."""

    def number(n):
        return b"J" + struct.pack("<i", n)

    def tuple_of(ns):
        return b"(" + b"".join(map(number, ns)) + b"t"

    storage = (
        b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpu" + number(numel) + b"tQ"
    )
    rest = b"\x89ccollections\nOrderedDict\n)R"
    return (
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n("
        + storage
        + number(offset)
        + tuple_of(size)
        + tuple_of(stride)
        + rest
        + b"tR."
    )


def test_the_unchanged_pickle_is_read():
    data = np.arange(4, dtype="f")
    back = tl.load(io.BytesIO(pt(tensor_pickle((2, 2), (1, 2)), [("x/data/0", data.tobytes())])))
    assert back.tolist() == [[0.0, 2.0], [1.0, 3.0]]


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"size": (5,), "stride": (1,)}, "reaches"),
        ({"size": (2,), "stride": (1,), "offset": 3}, "reaches"),
        ({"size": (2, 2), "stride": (1,)}, "different length"),
        ({"size": (-2,), "stride": (1,)}, "from 0"),
        ({"size": (2,), "stride": (-1,)}, "from 0"),
        ({"size": (2,), "stride": (1,), "offset": -1}, "from 0"),
        ({"size": (2**30, 2**30), "stride": (0, 0)}, "repeats"),
        ({"size": (4,), "stride": (1,), "numel": 1000}, "announced"),
        ({"size": (4,), "stride": (1,), "numel": -4}, "announced"),
    ],
)
def test_tensors_with_false_sizes(options, match):
    refused(pt(tensor_pickle(**options), [("x/data/0", bytes(16))]), match)


def test_a_pickle_that_grows():
    """One long list, copied into a set again and again."""
    start = b"\x80\x02](" + b"".join(b"J" + struct.pack("<i", i) for i in range(20_000)) + b"eq\x00"
    again = b"c__builtin__\nset\nh\x00\x85R"
    refused(pt(start + b"(" + again * 1000 + b"t."), "copies")


def test_memory_from_a_number():
    refused(pt(b"\x80\x02c__builtin__\nbytearray\nJ\xff\xff\xff\x7f\x85R."), "builtins.bytearray")
