"""Runs one command and prints what it took: wall seconds, CPU seconds, peak resident KiB, exit status.

    python3 -I -S measure.py COMMAND...

CPU and memory are those of the whole process tree, as far as the command waits for its children. This is a process of
its own because the kernel counts the pages inherited from the forking process as the command's: about 7 MB from here,
less than any program measured, but a good deal more from a large one.
"""
import os
import sys
import time

command = sys.argv[1:]
start = time.perf_counter()
child = os.fork()
if child == 0:
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    os.dup2(0, 1)
    os.execvp(command[0], command)
_, status, used = os.wait4(child, 0)
wall = time.perf_counter() - start
print(wall, used.ru_utime + used.ru_stime, used.ru_maxrss, os.waitstatus_to_exitcode(status))
