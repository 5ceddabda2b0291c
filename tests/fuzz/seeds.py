#!/usr/bin/python3
# seeds.py - the first inputs of the fuzzers: small files of each kind, right ones and odd ones.
#
# usage: tests/fuzz/seeds.py FOLDER     writes FOLDER/NAME/... for each fuzzer (Debian's python3-h5py)
#
# What they grow into is in tests/fuzz/corpus, which tests/fuzz/keep.sh makes.
# SPDX-License-Identifier: MIT
import io
import os
import pathlib
import struct
import sys

import h5py
import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = pathlib.Path(sys.argv[1])


def seed(fuzzer, name, content):
    place = FOLDER / fuzzer
    place.mkdir(parents=True, exist_ok=True)
    (place / name).write_bytes(content)


# ---- HDF5 images ----


def image(fill, libver, user_bytes):
    memory = io.BytesIO()
    with h5py.File(memory, "w", libver=libver, userblock_size=user_bytes) as file:
        fill(file)
    return memory.getvalue()[user_bytes:]


def own(file):  # as Rondo writes them
    file["model/w"] = np.arange(6, dtype="<f4").reshape(2, 3)
    file["model/b"] = np.float64(0.5)
    file["step"] = np.array([-1, 1], dtype="<i8")
    file["history/text"] = np.array(b"abc", dtype="S3")
    file["empty"] = np.zeros((2, 0), dtype="<f8")


def ring(file):
    file["a/x"] = np.zeros(2, dtype="<f4")
    file["a/again"] = file["a"]
    file["same"] = file["a/x"]


def elsewhere(file):
    file["x"] = h5py.SoftLink("/y")
    file["y"] = h5py.ExternalLink("other.h5", "/z")


def odd_types(file):
    file["be"] = np.zeros(2, dtype=">f4")
    file["short"] = np.zeros(2, dtype="<i2")
    file["vlen"] = "text"
    file["pair"] = np.zeros(2, dtype=[("a", "<f4"), ("b", "<i8")])
    file["type"] = np.dtype("<f4")


def filtered(file):
    file.create_dataset("x", data=np.zeros(64, dtype="<f8"), chunks=(16,), compression="gzip", shuffle=True)
    file.create_dataset("y", data=np.zeros((4, 4), dtype="<f8"), chunks=(2, 2), fletcher32=True, maxshape=(None, 4))


def huge(file):
    file.create_dataset("none", shape=(0, 1 << 40), dtype="<f8")
    file.create_dataset("far", shape=(1 << 40,), dtype="<f4", chunks=(1 << 20,))


def table(file):
    rows = np.arange(12, dtype="<f8").reshape(6, 2)
    rows[2, 1] = np.nan
    file["t"] = rows
    file["t"].attrs["columns"] = np.array([b"one", b"two "], dtype="S4")
    file["v"] = np.arange(6, dtype=">i2")
    file["v"].attrs["columns"] = ["one"]
    file.create_dataset("c", data=rows.astype("<f4"), chunks=(4, 2), compression="gzip")
    file["c"].attrs["columns"] = ["a", "b"]


IMAGES = (own, ring, elsewhere, odd_types, filtered, huge, table)
for fill in IMAGES:
    for version, libver in ((0, "earliest"), (2, "v108")):
        checkpoint = image(fill, libver, 512)
        seed("checkpoint", f"{fill.__name__}{version}", bytes([version | 8]) + checkpoint)
        seed("hdf5", f"{fill.__name__}{version}", bytes([version // 2]) + image(fill, libver, 0))

# ---- columns of numbers: options of windows, then a byte or eight for each number ----

for name, options in (("values", (0, 3, 2, 0, 0, 2, 1, 9, 0, 1)), ("ahead", (6, 2, 3, 32, 1, 1, 3, 2, 4, 0, 64, 36)),
                      ("calendar", (14, 2, 2, 4, 0, 68, 0, 132, 0, 196, 0))):
    numbers = bytes(range(100, 160)) + bytes((0, 7, 0, 9, 0, 5))
    seed("series", name, b"\4" + bytes(options).ljust(40, b"\1") + b"\2" + numbers)
    days = struct.pack("<24d", *(x for i in range(12) for x in (i * 0.5, 1e9 + i * 86400)))
    seed("series", name + "_days", b"\3" + bytes(options).ljust(40, b"\2") + b"\1" + days)

# ---- what a child sends: see core/store/hdf5_module.h ----

ENTRY, IMAGE, DONE, ERROR = 1, 2, 3, 4
SAVE, LOAD, LOOK = 0, 1, 2


def frame(kind, what=0, shape=(), name=b"", content=0):
    return struct.pack("<4I8QQ", kind, what, len(shape), len(name), *shape, *([0] * (8 - len(shape))), content)


def entry(what, shape, name, content):
    return frame(ENTRY, what, shape, name, len(content)) + name + content


def child(name, asked, *frames):
    seed("reader", name, bytes([asked]) + struct.pack(">I", 256) + b"".join(frames))


def tile(*shape):
    return frame(ENTRY, 0, shape) + struct.pack(f"<{shape[2] * shape[3]}d", *range(shape[2] * shape[3]))


child("load", LOAD, entry(0, (2,), b"a/w", bytes(8)), entry(1, (), b"b", bytes(8)),
      entry(2, (1, 2), b"c", bytes(16)), entry(3, (3,), b"history/t", b"abc"), frame(DONE, content=4))
child("nothing", LOAD, frame(DONE))
child("save", SAVE, frame(IMAGE, content=600), bytes(600))
child("error", LOAD, frame(ERROR, name=b"it is bad"), b"it is bad")
child("look", LOOK, entry(1, (3, 2), b"x", b"a\nb\n"), entry(1, (3,), b"y", b""),
      entry(2, (), b"z", b"does not hold numbers"), frame(DONE, content=3), tile(0, 0, 3, 2), frame(DONE),
      tile(0, 0, 3, 1), frame(DONE))
child("tiles", LOOK, entry(1, (4, 2), b"x", b""), frame(DONE, content=1), tile(0, 0, 2, 1), tile(2, 0, 2, 1),
      tile(0, 1, 4, 1), frame(DONE))
child("wide", LOOK, entry(1, (0, 1 << 40), b"x", b""), frame(DONE, content=1))

# ---- files of rows ----

GAPS = b"t,a,b\n1,0.1,\n2,,0.3\n3,,\n4,0.7,-1e9\n5,,\n6,1e-7,0.1\n7,,\n"
FILES = {file.stem: file.read_bytes() for file in sorted((ROOT / "tests/lua/csv").glob("*.csv"))}
for name, content in FILES.items():
    seed("csv", name, bytes(3) + content)
THIRDS = b"t,a\n" + b"".join(b"%d,%s\n" % (i, b"" if i % 3 else b"%g" % (i * i * 0.1 + 0.3)) for i in range(40))
for name, content in (("gaps", GAPS), ("thirds", THIRDS), ("gaps_first", GAPS.replace(b"0.1,\n2", b"0.1,3\n2"))):
    for more in (0x10, 0x11, 0x20, 0x21, 0x31):  # missing is an error, as before, on a line; rows of a part
        seed("csv", f"{name}{more:x}", bytes((0, 0, more)) + content)

# ---- texts, at each level; and vocabularies ----

TEXTS = {
    "plain": "one two, two three.\nThree (four) 3.14 don't well-known\n\n \t\nlast line",
    "points": "\ufeffGr\u00fc\u00dfe \u0416\u0436 \u03a3 \u20ac \u3001\u300c\U0001f3b5\u300d\n\u0100\u0101\u2019s",
    "marks": "<unk> <bos> <eos> a\x00b \x00 c ( [ ) 50 % : !\r\nx\x0b\x0cy",
    "long": "ab" * 90 + " " * 140 + "\u00e4" * 80 + "1" * 130 + "\n" + "aaaa bbbb " * 8,
}
for name, text in TEXTS.items():
    for level in range(4):
        for how, size, rest in ((0x80, 0, 3), (0xF0, 0, 0x82), (0x0C, 1, 4), (0x1C, 0x2C, 0x80)):
            seed("text", f"{name}{level}{how:x}", bytes([level | how, size, rest, 100]) + text.encode())
seed("text", "broken", bytes([1, 0, 0, 0]) + b"a\xc3\xa4\xe2\x82 \xed\xa0\x80 \xf4\x90\x80\x80")


def vocabulary(name, how, part, text):
    seed("vocabulary", name, bytes([how]) + struct.pack(">H", len(part)) + part + text)


LEVELS = {"byte": 0, "char": 1, "word": 2, "bpe": 3}
MERGES = struct.pack(">10H", 97, 98, 256, 256, 98, 98, 257, 99, 258, 97)
vocabulary("byte", 0, b"\0\0\n\0\0a\0\0z", b"a\nza?")
vocabulary("char", 0x71, b"\0\0\n\0\0a\0 \xac\x01\xf3\xb5", "a\u20ac\U0001f3b5\nb".encode())
vocabulary("word", 0x7A, b"\none\ntwo\n.\n", b"One two. <unk>\n")
vocabulary("bpe", 0x33, MERGES, b"abababbc abab\nbbb" + "\u00e4".encode())
vocabulary("same", 2, b"a\na\n", b"a")
vocabulary("later", 3, struct.pack(">2H", 97, 256), b"a")
vocabulary("doubled", 3, struct.pack(">4H", 97, 97, 97, 97), b"a")
DOUBLING = b"".join(struct.pack(">2H", a, a) for a in (97, 256, 257, 258, 259, 260, 261, 262))
vocabulary("growing", 3, DOUBLING, b"a" * 200)
