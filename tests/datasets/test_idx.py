import gzip
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from tinygrad_lite.datasets import read_idx

CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def idx(array):
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, CODES[array.dtype.str[1:]], array.ndim, *array.shape)
    return header + np.asarray(array, array.dtype.newbyteorder(">")).tobytes()


@pytest.mark.parametrize("kind", CODES)
@pytest.mark.parametrize("shape", [(), (0,), (5,), (2, 0, 3), (2, 3, 4)])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_round_trip(tmp_path, kind, shape, pack):
    array = np.asarray(np.random.default_rng(0).standard_normal(shape) * 50).astype(kind)
    (tmp_path / "x").write_bytes(pack(idx(array)))
    got = read_idx(tmp_path / "x")
    assert got.dtype == array.dtype and got.dtype.isnative and got.flags.writeable
    np.testing.assert_array_equal(got, array, strict=True)


def test_path_may_be_a_string(tmp_path):
    (tmp_path / "x").write_bytes(idx(np.arange(3, dtype="u1")))
    assert read_idx(str(tmp_path / "x")).tolist() == [0, 1, 2]


GOOD = idx(np.arange(24, dtype="u1").reshape(2, 3, 4))


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not an IDX file"),
        (b"\0\0", "not an IDX file"),
        (b"\x89PNG" + GOOD, "not an IDX file"),
        (b"\0\0\x07\x01" + GOOD[4:], "not an IDX file"),
        (b"\0\1" + GOOD[2:], "not an IDX file"),
        (b"\1\0" + GOOD[2:], "not an IDX file"),
        (GOOD[:9], "cut short: 3 dimensions"),
        (GOOD[:-1], "cut short"),
        (GOOD + b"\0", "goes on after"),
        (b"\0\0\x08\xff" + b"\0\0\0\1" * 255 + b"\0", "announces 255 dimensions"),
        (b"\0\0\x08\x03" + b"\xff" * 12, "max_bytes"),
        (b"\0\0\x08\x20" + b"\0\0\0\0" + b"\xff" * 124, "impossible shape"),
    ],
)
def test_damaged(tmp_path, data, message, pack):
    (tmp_path / "x").write_bytes(pack(data))
    with pytest.raises(ValueError, match=rf"read_idx: .*{message}"):
        read_idx(tmp_path / "x")


@pytest.mark.parametrize("cut", [3, 12, 25, -9, -1])
def test_cut_gzip(tmp_path, cut):
    (tmp_path / "x").write_bytes(gzip.compress(GOOD)[:cut])
    with pytest.raises(ValueError, match="read_idx: .*(damaged gzip|cut short)"):
        read_idx(tmp_path / "x")


def test_gzip_with_a_wrong_checksum(tmp_path):
    packed = bytearray(gzip.compress(GOOD))
    packed[-6] ^= 1
    (tmp_path / "x").write_bytes(packed)
    with pytest.raises(ValueError, match="damaged gzip"):
        read_idx(tmp_path / "x")


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_false_header_allocates_no_memory(tmp_path, pack):
    (tmp_path / "x").write_bytes(pack(struct.pack(">BBBB3I", 0, 0, 8, 3, 900, 1000, 1000) + b"\0" * 1000))
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="has room for at most"):
            read_idx(tmp_path / "x")
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


def test_inflation_is_bounded(tmp_path):
    (tmp_path / "x").write_bytes(gzip.compress(struct.pack(">BBBBI", 0, 0, 8, 1, 1 << 20) + bytes(1 << 20)))
    assert read_idx(tmp_path / "x").shape == (1 << 20,)
    with pytest.raises(ValueError, match="1048576 bytes; max_bytes is 1000"):
        read_idx(tmp_path / "x", max_bytes=1000)


def test_no_file(tmp_path):
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(FileNotFoundError, match="is not a file"):
            read_idx(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(head=st.binary(max_size=30), tail=st.binary(max_size=40), packed=st.booleans())
def test_any_bytes_give_an_array_or_a_clear_error(tmp_path, head, tail, packed):
    data = b"\0\0" + head + tail
    (tmp_path / "x").write_bytes(gzip.compress(data) if packed else data)
    try:
        assert isinstance(read_idx(tmp_path / "x", max_bytes=10_000), np.ndarray)
    except ValueError as error:
        assert str(error).startswith("read_idx: ")
