"""The rows about the Client API server: calls against a running one, its memory, and what many jobs do to it."""
import json
import os
import sqlite3
import socket
import subprocess
import tempfile
import threading
import time
import uuid
from rows import Row

CALLS = 1000
QUEUED = 100_000
PAST = 1_000_000
CLIENTS = 8


class Daemon:
    """A server with a home of its own. Its jobs are for a federation that never answers, so that they stay where they are."""

    def __init__(self, pelican, directory):
        self.pelican, self.home = pelican, tempfile.mkdtemp(prefix="home-", dir=directory)
        self.socket = os.path.join(self.home, ".pelican/client-api.sock")
        self.database = os.path.join(self.home, ".pelican/client-api.db")
        self.nobody = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = "pelican://127.0.0.1:%d/nowhere" % self.nobody.getsockname()[1]
        self.environment = {"PATH": os.environ["PATH"], "HOME": self.home}
        self.start()

    def run(self, *arguments):
        return subprocess.run([self.pelican, *arguments], env=self.environment, check=True, stdout=subprocess.PIPE, text=True).stdout

    def start(self):
        self.run("client-api", "serve", "--max-jobs", "1")
        with open(os.path.join(self.home, ".pelican/client-api.pid")) as file:
            self.process = int(file.read())

    def stop(self):
        self.run("client-api", "stop")

    def close(self):
        self.stop()
        self.nobody.close()

    def request(self):
        """The body of a job like that of the command line."""
        return json.dumps({"transfers": [{"operation": "put", "source": "/etc/hostname", "destination": self.url + "/object"}],
                           "options": {"umask": "022"}})

    def resident(self):
        """Resident memory, in MiB."""
        with open("/proc/%d/status" % self.process) as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS")) / 1024

    def submit(self, count):
        """Creates jobs over one connection."""
        body = self.request().encode()
        message = (b"POST /api/v1/xfer/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                   b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(self.socket)
            answers = connection.makefile("rb")
            for _ in range(count):
                connection.sendall(message)
                status = answers.readline()
                if b" 201 " not in status:
                    raise SystemExit("a job was not created: %r" % status)
                length = 0
                for line in iter(answers.readline, b"\r\n"):
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                answers.read(length)

    def add_past(self, count):
        """Writes completed jobs into the database, by its own tables. The server must not run."""
        with sqlite3.connect(self.database) as database:
            database.execute("PRAGMA synchronous=OFF")
            first = database.execute("SELECT coalesce(max(seq), 0) + 1 FROM jobs").fetchone()[0]
            start = int(time.time()) * 1_000_000 - count * 1000
            database.executemany(
                "INSERT INTO jobs(seq, id, status, created_at, started_at, completed_at, options, sequence, started_sequence,"
                " completed_sequence, transfers_total, transfers_completed, bytes, total_bytes)"
                " VALUES (?1, ?2, 'completed', ?3, ?3, ?3, '{\"umask\":\"022\"}', 3, 2, 3, 1, 1, 4096, 4096)",
                ((first + i, str(uuid.uuid4()), start + i * 1000) for i in range(count)))
            database.executemany(
                "INSERT INTO transfers(job, position, id, operation, source, destination, recursive, status, bytes, total_bytes)"
                " VALUES (?1, 0, ?2, 'put', '/etc/hostname', ?3, 0, 'completed', 4096, 4096)",
                ((first + i, str(uuid.uuid4()), self.url) for i in range(count)))
        database.close()


class DaemonRow(Row):
    """A row that needs a running server."""

    def __init__(self, servers, pelican):
        super().__init__(servers, pelican)
        self.daemon = Daemon(pelican, servers.directory)
        self.environment = self.daemon.environment
        self.api = "http://localhost/api/v1/xfer/jobs"

    def curl(self, *arguments):
        return ["curl", "-sSf", "--unix-socket", self.daemon.socket, *arguments]

    def close(self):
        self.daemon.close()


class Submit(DaemonRow):
    title = "submit: `object put --async` of one file, with a running server"
    rounds = 50

    def contenders(self):
        return {"pelican": [self.pelican, "object", "put", "--async", "/etc/hostname", self.daemon.url + "/object"],
                "curl": self.curl("-d", self.daemon.request(), self.api)}


class Loop(Submit):
    title = "loop: %d times `object put --async`, one after the other, by a shell" % CALLS
    rounds = 3

    def contenders(self):
        loop = 'n=0; while [ $n -lt %d ]; do "$@" || exit; n=$((n + 1)); done' % CALLS
        return {name: ["sh", "-c", loop, "loop", *command] for name, command in super().contenders().items()}


class Status(DaemonRow):
    title = "status: `job status` of one job, with a running server"
    rounds = 50

    def contenders(self):
        job = self.daemon.run("object", "put", "--async", "/etc/hostname", self.daemon.url + "/object").split()[2]
        return {"pelican": [self.pelican, "job", "status", job], "curl": self.curl(self.api + "/" + job)}


class List(DaemonRow):
    title = "list: `job list` with 10 past jobs, and with {:,}".format(PAST)
    rounds = 30

    def __init__(self, servers, pelican):
        super().__init__(servers, pelican)
        self.few = Daemon(pelican, servers.directory)
        for daemon, count in ((self.daemon, PAST), (self.few, 10)):
            daemon.stop()
            daemon.add_past(count)
            daemon.start()

    def contenders(self):
        return {"pelican": [self.pelican, "job", "list"],
                "pelican, 10 past jobs": ["env", "HOME=" + self.few.home, self.pelican, "job", "list"],
                "curl": self.curl(self.api)}

    def close(self):
        super().close()
        self.few.close()


class Memory(DaemonRow):
    """Figures of its own; there is nobody to compare with."""

    title = "memory: the server, resident"

    def contenders(self):
        return {}

    def figures(self):
        yield "MiB, just started", self.daemon.resident()
        time.sleep(1)
        start = time.perf_counter()
        self.daemon.submit(CALLS)
        yield "jobs a second, one client", CALLS / (time.perf_counter() - start)
        workers = [threading.Thread(target=self.daemon.submit, args=((QUEUED - CALLS) // CLIENTS,)) for _ in range(CLIENTS)]
        start = time.perf_counter()
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        yield "jobs a second, %d clients" % CLIENTS, (QUEUED - CALLS) // CLIENTS * CLIENTS / (time.perf_counter() - start)
        yield "MiB, with {:,} jobs waiting".format(QUEUED), self.daemon.resident()
        start = time.perf_counter()
        self.daemon.run("job", "list")
        yield "s for `job list` then", time.perf_counter() - start
        self.daemon.stop()
        self.daemon.start()
        yield "MiB, started again with them", self.daemon.resident()


DAEMON_ROWS = {"submit": Submit, "loop": Loop, "status": Status, "list": List, "memory": Memory}
