"""Starts one server: binds first, then drops root, then execs.

    launch.py USER PORT CONFIG CWD COMMAND...      (the template of CONFIG comes on standard input)

XRootD listens on all interfaces and cannot report a port that it chose. So the socket is bound here to 127.0.0.1 and
handed over the way systemd does it (LISTEN_FDS): the port is never raced for, and no other machine can reach it. The
process keeps its id through the exec. PORT 0 means any; the one taken is written to CWD/port.
"""
import os
import pwd
import random
import resource
import socket
import sys

LISTEN_FD = 3


def bind(port):
    # A port outside the kernel's range for outgoing connections (32768 and up): while a server is stopped, nobody
    # gets its port by chance, and it can be started again on it.
    wanted = [port] if port else random.sample(range(12000, 32768), 200)
    for number in wanted:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", number))
            return listener
        except OSError as error:
            listener.close()
            reason = error.strerror
    sys.exit("cannot listen on 127.0.0.1:%d: %s" % (number, reason))


def drop_root(user):
    account = pwd.getpwnam(user)
    os.setgroups([])
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)


def main():
    user, port, config, cwd, *command = sys.argv[1:]
    os.setsid()  # out of reach of the terminal's Ctrl-C
    listener = bind(int(port))
    port = str(listener.getsockname()[1])
    with open(config, "w") as file:
        file.write(sys.stdin.read().replace("@PORT@", port))
    with open(os.path.join(cwd, "port"), "w") as file:
        file.write(port + "\n")

    os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
    os.dup2(listener.detach(), LISTEN_FD)
    os.set_inheritable(LISTEN_FD, True)  # not done by dup2 when the socket is that descriptor already
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 16384) if hard > 0 else 16384, hard))
    if user:
        drop_root(user)
    os.chdir(cwd)
    os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
    os.execv(command[0], command)


main()
