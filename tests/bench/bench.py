"""Runs the rows of the benchmark and prints a Markdown table for each. Usage: see bench.sh."""
import argparse
import contextlib
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
from daemon import DAEMON_ROWS
from rows import ROWS
from servers import Servers

ROWS = {**ROWS, **DAEMON_ROWS}
HERE = os.path.dirname(os.path.abspath(__file__))
REPOSITORY = os.path.dirname(os.path.dirname(HERE))


class Failure(Exception):
    """A program did not do what it was told."""


def run(row, command, environment):
    """Wall seconds, CPU seconds and peak resident MB of one run."""
    environment = {**environment, **row.environment}
    row.prepare()
    os.sync()  # or one run would wait for the disk because of what another wrote
    done = subprocess.run([sys.executable, "-I", "-S", os.path.join(HERE, "measure.py")] + command,
                          env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    *figures, status = done.stdout.split() or [done.returncode]
    wrong = row.check() if status == "0" else "exit status %s" % status
    if wrong:
        raise Failure("%s\n%s" % (wrong, done.stderr[-2000:]))
    wall, cpu, resident = map(float, figures)
    return wall, cpu, resident / 1000


def measure(row, other, rounds, environment):
    """Medians of each contender that did its work, and what the others said. The other row is that of another executable of pelican.

    The contenders take turns, so that what disturbs the machine for a while disturbs all of them; who begins changes.
    """
    contenders, runs, failures = {name: (row, command) for name, command in row.contenders().items()}, {}, {}
    if other and contenders:
        contenders["pelican, the other"] = (other, other.contenders()["pelican"])
    for round_number in range(-1, rounds):
        names = [name for name in contenders if name not in failures]
        turn = max(round_number, 0) % len(names) if names else 0
        for name in names[turn:] + names[:turn]:
            try:
                figures = run(*contenders[name], environment)
            except Failure as failure:
                failures[name] = str(failure)
                continue
            if round_number >= 0:  # the first is a warm-up
                runs.setdefault(name, []).append(figures)
    medians = {name: [statistics.median(column) for column in zip(*runs[name])]
               for name in contenders if name in runs and name not in failures}
    return medians, failures


def print_table(row, rounds, medians, failures):
    """Times as such, and in proportion to the best of the others."""
    figures = list(row.figures())
    if figures:
        print("\n%s\n\n| | |\n|---|---|" % row.title)
        print("".join("| %s | %.4g |\n" % figure for figure in figures), end="")
        return
    peers = [figures for name, figures in medians.items() if not name.startswith("pelican")]
    best = [min(column) for column in zip(*peers)] if peers else None
    print("\n%s; medians of %d runs each\n" % (row.title, rounds))
    print("| | wall, s | ÷ best peer | CPU, s | ÷ best peer | peak RSS, MB |")
    print("|---|---|---|---|---|---|")
    for name, (wall, cpu, resident) in medians.items():
        ratios = ["%.2f" % (value / least) for value, least in zip((wall, cpu), best)] if best else ["", ""]
        print("| %s | %.4g | %s | %.4g | %s | %.0f |" % (name, wall, ratios[0], cpu, ratios[1], resident))
    for name, message in failures.items():
        print("| %s | failed | | | | |" % name)
        print("%s: %s" % (name, message), file=sys.stderr)
    sys.stdout.flush()


def print_machine(servers):
    def first_line(*command):
        lines = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout.splitlines()
        return lines[0] if lines else ""

    with open("/proc/cpuinfo") as file:
        model = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), platform.machine())
    print("%d × %s; %s; files on %s; XRootD %s" % (
        os.cpu_count(), model, platform.release(),
        first_line("findmnt", "-n", "-o", "FSTYPE", "-T", servers.directory), servers.version))
    versions = [first_line("curl", "--version").split(" (")[0], first_line("rclone", "version"),
                first_line("aria2c", "--version"), "davix " + first_line("davix-get", "--version")]
    print("; ".join(versions))


def absolute(path):
    """A path as the caller meant it, before bench.sh changed the directory."""
    return os.path.abspath(os.path.join(os.environ.get("BENCH_FROM", "."), path))


def main():
    parser = argparse.ArgumentParser(prog="bench.sh")
    parser.add_argument("names", nargs="*", metavar="NAME", help="rows: " + ", ".join(ROWS))
    parser.add_argument("--suite", default=os.environ.get("PELICAN_XROOTD_SUITE", "bookworm"))
    parser.add_argument("--rounds", type=int, help="instead of each row's own number, or of 5")
    parser.add_argument("--against", metavar="EXECUTABLE", type=absolute, help="another executable of pelican, measured beside this one")
    parser.add_argument("--directory", default="/var/tmp", type=absolute, help="where all files are; /dev/shm is memory on most machines")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.names if name not in ROWS]
    if arguments.against and not os.access(arguments.against, os.X_OK):
        parser.error("'%s' cannot be run" % arguments.against)
    if unknown or arguments.rounds is not None and arguments.rounds < 1:
        parser.error("no row '%s'; there are %s" % (unknown[0], ", ".join(ROWS)) if unknown else "at least one round")

    # Not below the repository: that may be in a home that the servers' user cannot enter. Not in /tmp: that may be memory.
    directory = tempfile.mkdtemp(prefix="pelican-bench-", dir=arguments.directory)
    os.chmod(directory, 0o755)
    failed = False
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what follows is undone
    try:
        with Servers(REPOSITORY, directory, arguments.suite) as servers:
            print_machine(servers)
            # Nothing of the caller's: proxies, tokens and settings would be measured too.
            environment = {"PATH": os.environ["PATH"], "HOME": directory, "SSL_CERT_FILE": servers.ca,
                           "BEARER_TOKEN_FILE": servers.token_file}
            for name in arguments.names or ROWS:
                with contextlib.ExitStack() as rows:
                    row, other = (executable and rows.enter_context(contextlib.closing(ROWS[name](servers, executable)))
                                  for executable in (os.path.join(REPOSITORY, "dist/pelican"), arguments.against))
                    rounds = arguments.rounds or row.rounds
                    medians, failures = measure(row, other, rounds, environment)
                    print_table(row, rounds, medians, failures)
                    failed |= bool(failures)
    finally:
        shutil.rmtree(directory)
    sys.exit(1 if failed else 0)


main()
