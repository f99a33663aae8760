#!/usr/bin/env python3
"""What it costs to bring files to the disk: fsync.py DIRECTORY

Writes 500 files of 10 kB, then one of 256 MiB, as a download does (a hidden name, close, rename): without a flush, as direct
commands on a local disk; with fsync of file and directory, as on file systems of the network and for single files of jobs; and
with a syncfs each 250 ms, as the trees of jobs. Prints seconds.
"""
import ctypes
import os
import sys
import time

LIBC = ctypes.CDLL(None)


def run(directory, count, size, how):
    content = os.urandom(size)
    parent = os.open(directory, os.O_RDONLY)
    start = last = time.monotonic()
    for i in range(count):
        part = f"{directory}/.{i}.part"
        file = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        for at in range(0, size, 65536):
            os.pwrite(file, content[at:at + 65536], at)
        if how == "fsync":
            os.fsync(file)
        os.close(os.dup(file))
        os.rename(part, f"{directory}/{i}")
        if how == "fsync":
            os.fsync(parent)
        os.close(file)
        if how == "syncfs" and time.monotonic() - last > 0.25:
            LIBC.syncfs(parent)
            last = time.monotonic()
    if how == "syncfs":
        LIBC.syncfs(parent)
    elapsed = time.monotonic() - start
    for i in range(count):
        os.unlink(f"{directory}/{i}")
    os.sync()
    os.close(parent)
    return elapsed


for count, size in ((500, 10_000), (1, 256 << 20)):
    for how in ("none", "fsync", "syncfs"):
        print(f"{count:4} x {size:9} bytes, {how:6} {run(sys.argv[1], count, size, how):7.3f} s", flush=True)
