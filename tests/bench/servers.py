"""The servers of a benchmark: XRootD with its objects, and a director in front of it."""
import json
import os
import subprocess
import time

GIB = 1 << 30
SMALL_COUNT = 2000
SMALL_BYTES = 4096
TREE_COUNT = 10_000


class Servers:
    """Runs while its context is entered; everything lives below one directory.

    origin         URL of an XRootD origin with TLS: /public read by all, /protected by token
    data           where it keeps its objects
    federation     host and port of the discovery service; its director knows only that origin
    ca             PEM file with the authorities of both
    ca_directory   the same for programs that want them by hash
    token_file     a token that may read and write below /protected
    """

    def __init__(self, repository, directory, suite):
        self.repository = repository
        self.directory = directory
        self.suite = suite
        self.script = os.path.join(repository, "tests/xrootd/xrootd.sh")
        self.director = None

    def __enter__(self):
        try:
            self._start_xrootd()
            self._start_director()
            self._make_objects()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.director:
            self.director.stdin.close()
            try:
                self.director.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.director.kill()
        subprocess.run([self.script, "stop", self._path("xrootd"), "--remove"], check=True)

    def _path(self, name):
        return os.path.join(self.directory, name)

    def _start_xrootd(self):
        subprocess.run([self.script, "install", "--suite", self.suite], check=True)
        # Without traces: they would be measured too.
        subprocess.run([self.script, "start", self._path("xrootd"), "--suite", self.suite,
                        "--owner", str(os.getpid()), "--no-trace"], check=True)
        env = read_pairs(self._path("xrootd/env"))
        self.version, self.origin, self.data = env["VERSION"], env["HTTPS_URL"], env["HTTPS_DATA"]
        self.issuer, self.xrootd_ca = env["ISSUER_URL"], env["CA_FILE"]
        self.token_file = self._path("token")
        write(self.token_file, env["TOKEN_WRITE"])
        write(self._path("header"), "Authorization: Bearer " + env["TOKEN_WRITE"])
        self.header_file = self._path("header")

    def _start_director(self):
        place = {"servers": [self.origin], "writers": [self.origin], "collections": self.origin}
        write(self._path("director.json"), json.dumps({"namespaces": [
            {"prefix": "/public", **place},
            {"prefix": "/protected", "requireToken": True, "issuers": [self.issuer], **place}]}))
        state = self._path("federation.env")
        self.director = subprocess.Popen(
            [os.path.join(self.repository, "artifacts/bin/Federation/release/federation"),
             "--root", self._path("federation"), "--director-config", self._path("director.json"),
             "--other-ca", self.xrootd_ca, "--state", state, "--until-stdin-closes"], stdin=subprocess.PIPE)
        while not os.path.exists(state):
            if self.director.poll() is not None:
                raise SystemExit("the director did not start")
            time.sleep(0.05)
        env = read_pairs(state)
        self.federation, self.ca = env["DISCOVERY_HOST"], env["CA_FILE"]
        self.ca_directory = self._path("ca")
        os.mkdir(self.ca_directory)
        digest = subprocess.run(["openssl", "x509", "-hash", "-noout", "-in", self.xrootd_ca],
                                check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        os.symlink(self.xrootd_ca, os.path.join(self.ca_directory, digest + ".0"))

    def _make_objects(self):
        large = os.path.join(self.data, "public/1g")
        block = os.urandom(1 << 24)
        with open(large, "wb") as file:
            for _ in range(GIB // len(block)):
                file.write(block)
        self._give([large])
        self.make_small("public/small", [small_name(number) for number in range(SMALL_COUNT)])

    def make_small(self, folder, names):
        """Makes a collection of small objects, unless it is there."""
        folder = os.path.join(self.data, folder)
        if os.path.exists(folder):
            return
        os.mkdir(folder)
        paths = [os.path.join(folder, name) for name in names]
        for path in paths:
            with open(path, "wb") as file:
                file.write(os.urandom(SMALL_BYTES))
        self._give([folder] + paths)

    def _give(self, paths):
        # A server keeps digests as attributes of the file, so that it must own it.
        owner = os.stat(self.data)
        for path in paths:
            os.chown(path, owner.st_uid, owner.st_gid)


def small_name(number):
    return "object-%04d" % number


def read_pairs(path):
    with open(path) as file:
        return dict(line.rstrip("\n").split("=", 1) for line in file)


def write(path, text):
    with open(path, "w") as file:
        file.write(text + "\n")
