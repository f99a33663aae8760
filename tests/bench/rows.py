"""The rows of the benchmark: what each program is told to do, and how its work is checked and undone."""
import os
import shutil
import tempfile
from servers import GIB, SMALL_BYTES, SMALL_COUNT, TREE_COUNT, small_name


class Row:
    """One comparison. A subclass says what is compared; "pelican" is the program that is compared with the others."""

    rounds = 5
    environment = {}  # beside that of all rows
    many = False  # whether a run makes thousands of files

    def __init__(self, servers, pelican):
        self.servers = servers
        self.pelican = pelican
        self.out = os.path.join(servers.directory, "out")
        self.large = os.path.join(servers.data, "public/1g")

    def federation_url(self, path):
        return "pelican://%s%s" % (self.servers.federation, path)

    def aria2c(self):
        # By default it would write the whole file twice, and ask for digests that make XRootD 5.5 answer 500.
        return ["aria2c", "-q", "--ca-certificate", self.servers.ca, "--file-allocation=none", "--header=Want-Digest:",
                "-d", self.out]

    def contenders(self):
        """Name and command line of each."""
        raise NotImplementedError

    def prepare(self):
        """Undoes what the run before has done."""
        if self.many and os.path.exists(self.out):
            # ext4 passes over each inode that was deleted in the last minutes: up to three seconds of CPU for the next to make files.
            os.rename(self.out, tempfile.mkdtemp(dir=self.servers.directory))
        shutil.rmtree(self.out, ignore_errors=True)
        os.mkdir(self.out)

    def check(self):
        """What is wrong with the outcome of a run; None if it is right."""
        return None

    def figures(self):
        """Figures that are no comparison: name and value of each."""
        return ()

    def close(self):
        """Ends what was started for this row alone."""


class Startup(Row):
    title = "start-up: `--version`"
    rounds = 30

    def contenders(self):
        return {"pelican": [self.pelican, "--version"], "curl": ["curl", "--version"],
                "davix-get": ["davix-get", "--version"], "aria2c": ["aria2c", "--version"],
                "rclone": ["rclone", "version"]}


class Get(Row):
    title = "get-1g: one object of 1 GiB over TLS to local disk"

    def contenders(self):
        url, target, ca = self.servers.origin + "/public/1g", self.out + "/1g", self.servers.ca
        return {
            "pelican": [self.pelican, "object", "get", self.federation_url("/public/1g"), target],
            "curl": ["curl", "-sSf", "--cacert", ca, "-o", target, url],
            "rclone": ["rclone", "--ca-cert", ca, "copyurl", url, target],
            "aria2c": self.aria2c() + ["-o", "1g", url],
            "davix-get": ["davix-get", "--capath", self.servers.ca_directory, url, target],
        }

    def check(self):
        return wrong_size(self.out + "/1g", GIB)


class Put(Row):
    title = "put-1g: one file of 1 GiB over TLS into a namespace that takes a token"

    def __init__(self, servers, pelican):
        super().__init__(servers, pelican)
        self.stored = os.path.join(servers.data, "protected/1g")

    def contenders(self):
        url, ca, source = self.servers.origin + "/protected/1g", self.servers.ca, self.large
        with open(self.servers.header_file) as file:
            header = file.read().strip()
        return {
            "pelican": [self.pelican, "object", "put", source, self.federation_url("/protected/1g")],
            "curl": ["curl", "-sSf", "--cacert", ca, "-H", "@" + self.servers.header_file, "-T", source, url],
            "rclone": ["rclone", "--ca-cert", ca, "--header", header, "copyto", source,
                       ":webdav,url='%s':/protected/1g" % self.servers.origin],
            "davix-put": ["davix-put", "--capath", self.servers.ca_directory, "-H", header, source, url],
        }

    def prepare(self):
        if os.path.exists(self.stored):
            os.unlink(self.stored)

    def check(self):
        return wrong_size(self.stored, GIB)


class Small(Row):
    many = True
    title = "small: %d objects of %d bytes over TLS, named on one command line" % (SMALL_COUNT, SMALL_BYTES)

    def contenders(self):
        names = [small_name(number) for number in range(SMALL_COUNT)]
        urls = ["%s/public/small/%s" % (self.servers.origin, name) for name in names]
        listed = os.path.join(self.servers.directory, "urls")
        with open(listed, "w") as file:
            file.write("\n".join(urls) + "\n")
        return {
            "pelican": [self.pelican, "object", "get"]
            + [self.federation_url("/public/small/" + name) for name in names] + [self.out],
            "curl -Z": ["curl", "-Z", "--parallel-max", "16", "-sSf", "--cacert", self.servers.ca,
                        "--remote-name-all", "--output-dir", self.out] + urls,
            "aria2c -j16": self.aria2c() + ["-j16", "-i", listed],
        }

    def check(self):
        for number in range(SMALL_COUNT):
            wrong = wrong_size(os.path.join(self.out, small_name(number)), SMALL_BYTES)
            if wrong:
                return wrong
        return None


class Tree(Row):
    many = True
    title = "tree: `object get -r` of %d objects of %d bytes over TLS" % (TREE_COUNT, SMALL_BYTES)

    def __init__(self, servers, pelican):
        super().__init__(servers, pelican)
        self.names = [small_name(number) for number in range(TREE_COUNT)]
        servers.make_small("public/tree", self.names)

    def contenders(self):
        # curl is given the list, in a file: so many do not fit on a command line.
        listed = os.path.join(self.servers.directory, "curl.conf")
        with open(listed, "w") as file:
            file.writelines('url = "%s/public/tree/%s"\n' % (self.servers.origin, name) for name in self.names)
        return {
            "pelican": [self.pelican, "object", "get", "-r", self.federation_url("/public/tree"), self.out + "/tree"],
            "curl -Z": ["curl", "-Z", "--parallel-max", "16", "-sSf", "--cacert", self.servers.ca,
                        "--remote-name-all", "--create-dirs", "--output-dir", self.out + "/tree", "-K", listed],
        }

    def check(self):
        for name in self.names:
            wrong = wrong_size(os.path.join(self.out, "tree", name), SMALL_BYTES)
            if wrong:
                return wrong
        return None


def wrong_size(path, expected):
    try:
        size = os.path.getsize(path)
    except FileNotFoundError:
        return path + " is missing"
    return None if size == expected else "%s has %d bytes instead of %d" % (path, size, expected)


ROWS = {"startup": Startup, "get-1g": Get, "put-1g": Put, "small": Small, "tree": Tree}
