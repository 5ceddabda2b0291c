"""make_evil.py - HDF5 files that lead elsewhere, ask for too much, or are not what they say: FOLDER/<kind>.h5.

For test_strangers.c, which has what must be said of each. Every file has a user block of 512 bytes (--user-block N),
where a seal can be put, and holds an honest dataset 'a' of 0..4, by which a series is read where the rest is refused.
Called as `make_evil.py FOLDER`; needs h5py.
SPDX-License-Identifier: MIT
"""
import os
import struct
import sys

import h5py
import numpy as np
from h5py import h5a, h5d, h5p, h5s, h5t, h5z

kinds = {}


def kind(f):
    kinds[f.__name__] = f
    return f


# ---- links ----

@kind
def soft_ring(f):
    f["x"] = h5py.SoftLink("/y")
    f["y"] = h5py.SoftLink("/x")


@kind
def external_link(f):
    f["x"] = h5py.ExternalLink("/etc/passwd", "/a")


@kind
def ring(f):
    f["x"] = f["/"]


@kind
def two_rings(f):  # 2^32 ways
    f["x"] = f["/"]
    f["y"] = f["/"]


@kind
def diamonds(f):  # 2^30 ways to the last one, without a ring
    g = f.create_group("x")
    for _ in range(30):
        inner = g.create_group("l")
        g["r"] = inner
        g = inner
    g["z"] = np.zeros(0)


@kind
def deep(f):
    g = f
    for _ in range(3000):
        g = g.create_group("g")
    g["z"] = np.arange(5.0)


@kind
def crowded(f):
    for i in range(5000):
        f["d%d" % i] = np.float32(i)


@kind
def folders(f):
    for i in range(20000):
        f.create_group("g%d" % i)


# ---- names ----

@kind
def long_name(f):
    f["x" * 65000] = np.arange(5.0)


@kind
def odd_names(f):
    f["\x1b[2J\nx"] = np.arange(5.0)
    f[b"\xff\xfe"] = np.arange(5.0)


@kind
def slash(f):  # finish() makes it a/x
    f["qqqqq"] = np.arange(5.0)


@kind
def dots(f):  # finish() makes it ..
    f["qq"] = np.arange(5.0)


@kind
def nameless(f):  # finish() takes it away
    f["QQQ"] = np.arange(5.0)


# ---- storage ----

def create(f, name, kind_, shape, plist):
    h5d.create(f.id, name.encode(), kind_, h5s.create_simple(shape), plist).close()


@kind
def raw_storage(f):
    f.create_dataset("x", (10,), "f8", external=[("/etc/passwd", 0, 80)])


@kind
def virtual(f):
    v = h5py.VirtualLayout((5,), "f8")
    v[:] = h5py.VirtualSource("/etc/passwd", "a", shape=(5,))
    f.create_virtual_dataset("x", v)


def with_filter(f, number, values=()):
    p = h5p.create(h5p.DATASET_CREATE)
    p.set_chunk((5,))
    p.set_filter(number, h5z.FLAG_OPTIONAL, values)
    create(f, "x", h5t.IEEE_F64LE, (5,), p)


@kind
def unknown_filter(f):
    with_filter(f, 32768)


@kind
def scale_offset(f):
    f.create_dataset("x", data=np.arange(5), chunks=(5,), scaleoffset=2)


@kind
def lzf(f):
    f.create_dataset("x", data=np.arange(100.0), compression="lzf")


@kind
def huge(f):
    p = h5p.create(h5p.DATASET_CREATE)
    p.set_chunk((1024,))
    create(f, "x", h5t.IEEE_F64LE, (2**62,), p)


@kind
def huge_square(f):  # 2^64 values: the product wraps to 0
    p = h5p.create(h5p.DATASET_CREATE)
    p.set_chunk((32, 32))
    create(f, "x", h5t.STD_I8LE, (2**32, 2**32), p)


@kind
def wide(f):
    p = h5p.create(h5p.DATASET_CREATE)
    p.set_chunk((1, 1024))
    create(f, "x", h5t.STD_I8LE, (1, 2000000), p)


@kind
def many_large(f):  # each fits a file of this size, all do not
    for i in range(100):
        p = h5p.create(h5p.DATASET_CREATE)
        p.set_chunk((1024,))
        create(f, "x%02d" % i, h5t.IEEE_F64LE, (1000000,), p)


@kind
def many_columns(f):  # each has a few, and no rows, all have too many to name
    for name in "xyz":
        f.create_dataset(name, (0, 400000), "f8")


@kind
def huge_contiguous(f):
    create(f, "x", h5t.STD_I8LE, (2**62,), h5p.create(h5p.DATASET_CREATE))


@kind
def huge_numbers(f):
    create(f, "x", h5t.IEEE_F64LE, (2**40,), h5p.create(h5p.DATASET_CREATE))


@kind
def large_chunk(f):
    f.create_dataset("x", (10**7,), "f8", chunks=(10**7,))


@kind
def no_columns(f):
    f.create_dataset("x", (5, 0), "f8")


@kind
def bomb(f):  # 8 MB in a few kilobytes: honest
    f.create_dataset("x", data=np.zeros(1000000), chunks=(100000,), compression="gzip", compression_opts=9)


@kind
def compact(f):
    p = h5p.create(h5p.DATASET_CREATE)
    p.set_layout(h5d.COMPACT)
    create(f, "x", h5t.IEEE_F64LE, (5,), p)


# ---- types ----

@kind
def types(f):
    f["compound"] = np.zeros(5, [("x", "f8"), ("y", "i4")])
    f.create_dataset("vlen", (5,), h5py.vlen_dtype("f8"))
    f["strings"] = np.array([b"one", b"two", b"3", b"4", b"5"])
    f.create_dataset("text", (5,), h5py.string_dtype())
    f.create_dataset("object", (5,), h5py.ref_dtype)
    f.create_dataset("region", (5,), h5py.regionref_dtype)
    f["opaque"] = np.zeros(5, "V8")
    f["choice"] = np.zeros(5, h5py.enum_dtype({"no": 0, "yes": 1}, "i4"))
    f["bool"] = np.zeros(5, bool)
    f["complex"] = np.zeros(5, complex)
    f["wide"] = np.zeros(5, np.longdouble)
    create(f, "block", h5t.array_create(h5t.IEEE_F64LE, (3,)), (5,), h5p.create(h5p.DATASET_CREATE))
    create(f, "bits", h5t.STD_B64LE, (5,), h5p.create(h5p.DATASET_CREATE))
    f["type"] = np.dtype("f8")
    f["cube"] = np.zeros((2, 2, 2))
    f["scalar"] = 5.0
    f["nothing"] = h5py.Empty("f8")


@kind
def shared_type(f):
    f["type"] = np.dtype("f8")
    f.create_dataset("x", data=np.arange(5.0), dtype=f["type"])


# ---- names of columns ----

def columns(f, name, value, n=2):
    f.create_dataset(name, data=np.zeros((5, n))).attrs.create("columns", value)


@kind
def column_names(f):
    columns(f, "count", ["a", "b", "c"])
    columns(f, "numbers", np.arange(2))
    columns(f, "empty", ["", "b"])
    columns(f, "lines", ["a\nb", "c"])
    columns(f, "long", ["x" * 70000, "y"])
    columns(f, "bytes", np.array([b"\xff", b"\xfe"]))
    columns(f, "nothing", h5py.Empty("S1"))
    columns(f, "blank", np.array([b"  ", b"b "]))
    d = f.create_dataset("unwritten", data=np.zeros((5, 2)))  # its names are null
    h5a.create(d.id, b"columns", h5t.py_create(h5py.string_dtype(), logical=True), h5s.create_simple((2,)))


@kind
def wide_names(f):  # one fixed string of 60 KB
    columns(f, "x", np.array([b"a" * 60000]), 1)


@kind
def dense_attribute(f):
    d = f.create_dataset("x", data=np.zeros((5, 2)))
    for i in range(100):
        d.attrs["k%d" % i] = np.zeros(1000)


# ---- byte by byte, once the file is there ----

def replace(path, old, new):
    with open(path, "r+b") as f:
        data = f.read()
        at = data.find(old)
        assert at >= 0, (path, old)
        f.seek(at)
        f.write(new)


def endless_header(path):
    """The continuation of the dataset's header (version 1, message 0x0010) is the header's first block again."""
    with open(path, "r+b") as f:
        data = f.read()
        at = data.find(struct.pack("<HHI", 0x10, 16, 0))
        assert at >= 0
        start = at
        while data[start] != 1 or data[start + 1] != 0 or struct.unpack_from("<I", data, start + 4)[0] != 1:
            start -= 8
        f.seek(at + 8)
        f.write(struct.pack("<QQ", start + 16 - 512, 0x100))


def one_address(path):
    """All chunks of a B-tree of version 1 lie in the same place."""
    with open(path, "r+b") as f:
        data = f.read()
        at = data.find(b"TREE\x01")
        assert at >= 0
        n = struct.unpack_from("<H", data, at + 6)[0]
        key = 8 + 8 * 2
        first = at + 24 + key
        for i in range(1, n):
            f.seek(first + i * (key + 8))
            f.write(data[first:first + 8])


@kind
def continuation(f):
    d = f.create_dataset("x", data=np.arange(5.0))
    for i in range(8):
        d.attrs["k%d" % i] = np.zeros(30)


@kind
def overlap(f):
    f.create_dataset("x", data=np.arange(4096.0), chunks=(512,))


finish = {
    "slash": lambda path: replace(path, b"qqqqq", b"a/b/c"),
    "nameless": lambda path: replace(path, b"QQQ\0", b"\0\0\0\0"),
    "dots": lambda path: replace(path, b"qq\0", b"..\0"),
    "continuation": endless_header,
    "overlap": one_address,
}

# Formats without checksums, and with B-trees.
OLD = {"continuation", "dots", "huge", "huge_square", "nameless", "overlap", "slash"}


def main(folder):
    for name, make in kinds.items():
        path = os.path.join(folder, name + ".h5")
        version = "earliest" if name in OLD else "latest"
        with h5py.File(path, "w", userblock_size=512, libver=(version, "latest")) as f:
            f["a"] = np.arange(5.0)
            make(f)
        finish.get(name, lambda path: None)(path)
    with h5py.File(os.path.join(folder, "m%d.h5"), "w", driver="family", memb_size=4096) as f:
        f["a"] = np.arange(2000.0)
    print(" ".join(kinds))


main(sys.argv[1])
