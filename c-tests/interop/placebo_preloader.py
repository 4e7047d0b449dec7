"""A preloader that preloads nothing: asked for a worker it starts `start_command` of that worker's arguments, and answers for it itself, as the stub of
Passenger's own tests does (which no package has). So who writes the answer is not who it is about, and the answer ends with a newline.

It keeps the protocol of rack-preloader.rb otherwise: a socket in `socket_dir`, the word in its own work directory, one connection per command, an end
with its standard input. Commands: spawn, pid. With the argument `exit-immediately` it says that it is ready, and ends.
"""
import json
import os
import select
import signal
import socket
import sys

work_dir = os.environ["PASSENGER_SPAWN_WORK_DIR"]


def arguments(directory):
    with open(directory + "/args.json") as file:
        return json.load(file)


def say(name, text):
    with open(work_dir + "/response/" + name, "w") as file:
        file.write(text)


def start(directory):
    """The worker opens its streams itself, as it would if it had been forked from an application. What it runs is a loader that is started by itself as a
    rule, and has steps that a worker of a preloader has not: wsgi-loader.py dies where they have no directory."""
    command = arguments(directory)["start_command"]
    for step in ("exec_wrapper", "wrapper_preparation", "app_load_or_exec"):
        os.mkdir(directory + "/response/steps/subprocess_" + step, 0o700)
    pid = os.fork()
    if pid == 0:
        for name, flags, fds in (("stdin", os.O_RDONLY, [0]), ("stdout_and_err", os.O_WRONLY, [1, 2])):
            opened = os.open(directory + "/" + name, flags)
            for fd in fds:
                os.dup2(opened, fd)
        os.environ["PASSENGER_SPAWN_WORK_DIR"] = directory
        os.execv("/bin/sh", ["/bin/sh", "-c", "exec " + command])
    return pid


signal.signal(signal.SIGCHLD, signal.SIG_IGN)
path = arguments(work_dir)["socket_dir"] + "/placebo." + str(os.getpid())
listener = socket.socket(socket.AF_UNIX)
listener.bind(path)
os.chmod(path, 0o600)
listener.listen(16)
say("properties.json", json.dumps({"sockets": [{"address": "unix:" + path, "protocol": "preloader", "concurrency": 1}]}))
say("finish", "1")
while "exit-immediately" not in sys.argv:
    ready = select.select([listener, 0], [], [])[0]
    if 0 in ready:
        break
    client = listener.accept()[0]
    document = json.loads(client.makefile().readline())
    if document["command"] == "spawn":
        answer = {"result": "ok", "pid": start(document["work_dir"])}
    elif document["command"] == "pid":
        answer = {"result": "ok", "pid": os.getpid()}
    else:
        answer = {"result": "error", "message": "unknown command"}
    client.sendall(json.dumps(answer).encode() + b"\n")
    client.close()
os.unlink(path)
