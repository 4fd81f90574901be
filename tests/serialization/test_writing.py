"""Writing of files: devices and pipes, what a killed process left, interruptions, every writer."""

import json
import os
import subprocess
import sys
import threading

import pytest

import tinygrad_lite as tl
from tinygrad_lite.serialization.atomic import replacing

posix = pytest.mark.skipif(os.name == "nt", reason="pipes, processes and permissions")


@posix
@pytest.mark.parametrize("save", [tl.save, tl.serialization.save_file])
def test_a_pipe_is_written_into(save, tmp_path):
    pipe, found = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: found.append(pipe.read_bytes()), daemon=True)
    reader.start()
    save({"w": tl.tensor([1.0, 2.0])}, pipe)
    reader.join(10)
    assert pipe.is_fifo() and os.listdir(tmp_path) == ["pipe"]
    place = tmp_path / "copy"
    place.write_bytes(found[0])
    assert tl.load(place)["w"].tolist() == [1.0, 2.0]


@posix
def test_a_device_stays_a_device(tmp_path, monkeypatch):
    """A link to a device that belongs to no one; `os.replace` must not be reached."""
    link = tmp_path / "null.npz"
    link.symlink_to("/dev/null")
    monkeypatch.setattr(os, "replace", lambda *names: pytest.fail(f"replaced {names}"))
    tl.save({"w": tl.ones(2)}, link)
    assert link.is_symlink() and os.listdir(tmp_path) == ["null.npz"]


@posix
def test_standard_output(tmp_path):
    with open(tmp_path / "out", "wb") as out:
        program = "import tinygrad_lite as tl; tl.save({'w': tl.ones(2)}, '/dev/stdout')"
        subprocess.run([sys.executable, "-c", program], stdout=out, check=True)
        assert os.fstat(out.fileno()).st_ino == (tmp_path / "out").stat().st_ino
    assert tl.load(tmp_path / "out")["w"].tolist() == [1.0, 1.0]


@posix
def test_the_next_save_removes_what_a_killed_process_left(tmp_path):
    from tinygrad_lite.serialization import atomic

    path = tmp_path / "x.npz"
    program = (
        "import os, signal, sys\nfrom tinygrad_lite.serialization.atomic import replacing\n"
        "with replacing(sys.argv[1]) as file: os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", program, str(path)], check=False)
    (left,) = os.listdir(tmp_path)
    alive = left.replace(left.split(".")[3].split("-")[0], str(os.getppid()), 1)
    others = [alive, ".y.npz" + left.removeprefix(".x.npz"), ".x.npz.old.part"]
    others += [left.replace(left.split("-")[1], "0" * 8)]  # another computer's
    for name in others:
        (tmp_path / name).touch()
    with replacing(path) as file:
        assert left not in os.listdir(tmp_path)
        (mine,) = set(os.listdir(tmp_path)) - {*others}
        tl.save({}, path)  # meanwhile, of the same process
        assert mine in os.listdir(tmp_path)
        file.write(b"whole")
    assert sorted(os.listdir(tmp_path)) == sorted([*others, "x.npz"]) and path.read_bytes() == b"whole"
    assert not atomic._writing


def test_an_interruption_leaves_neither_file_nor_descriptor(tmp_path):
    files = []
    with pytest.raises(KeyboardInterrupt), replacing(tmp_path / "x") as file:
        files.append(file)
        raise KeyboardInterrupt
    assert files[0].closed and os.listdir(tmp_path) == []


@posix
def test_names_of_every_kind(tmp_path):
    for path in (os.fsencode(tmp_path / "a.npz"), os.fsencode(tmp_path / "a.safetensors"), str(tmp_path / ("ä" * 120))):
        tl.save({"w": tl.ones(1)}, path)
        assert tl.load(path)["w"].tolist() == [1.0]
    before = os.umask(0o027)
    try:
        tl.save({}, tmp_path / "new")
    finally:
        assert os.umask(before) == 0o027
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o640


@posix
def test_profiles_are_replaced_whole(tmp_path, monkeypatch):
    path = tmp_path / "trace.json"
    with tl.profiler.profile() as p:
        tl.ones(2).sum()
    p.export_chrome_trace(path)
    before = path.read_bytes()
    assert json.loads(before)["traceEvents"]

    def fails(*names):
        raise OSError("no space left")

    monkeypatch.setattr(os, "replace", fails)
    with pytest.raises(OSError, match="no space"):
        p.export_chrome_trace(path)
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["trace.json"]


def test_images_are_replaced_whole(tmp_path, monkeypatch):
    pytest.importorskip("PIL")
    from tinygrad_lite.vision import io, utils

    image = tl.ones(3, 4, 4)
    for save in (utils.save_image, lambda x, path: io.write_png((x * 255).to(tl.uint8), path)):
        path = tmp_path / "image.png"
        save(image, path)
        before = path.read_bytes()
        assert io.read_image(path).shape == (3, 4, 4)
        with monkeypatch.context() as patch, pytest.raises(OSError, match="no space"):
            patch.setattr(os, "replace", lambda *names: (_ for _ in ()).throw(OSError("no space")))
            save(image * 0, path)
        assert path.read_bytes() == before and os.listdir(tmp_path) == ["image.png"]
        with pytest.raises(ValueError, match="suffix"):
            utils.save_image(image, tmp_path / "image.nothing")
