"""Waits for the end of a process, then stops the servers that it owned and removes their directory.

    watch.py PID SCRIPT DIR

A test run that is aborted, or killed outright, cannot clean up after itself.
"""
import os
import select
import sys

owner, script, directory = sys.argv[1:]
os.setsid()
try:
    select.select([os.pidfd_open(int(owner))], [], [])
except ProcessLookupError:
    pass
os.execv(script, [script, "stop", directory, "--remove"])
