# covers: IT-8
import argparse
import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from .build import build_library
from .place import ROOT, TARGET, shown
from .talk import Failed, colour, step
from .tools import apt_install

CLIENT = ROOT / "scripts/daemons_client.c"
PROTOCOL_NOTIFY, READY_EXEC = 1, 0
STARTED, SERVING, PROGRESS, COMMITTED, ABORTED, OWNER_ENDED, GAVE_UP, STOPPED = range(1, 9)

APP = '''import os, time
def app(environ, start):
    if environ["PATH_INFO"] == "/slow":
        time.sleep(1)
    body = b"%d\\n" % os.getpid()
    start("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
'''
ASGI = '''import asyncio, os
async def app(scope, receive, send):
    if scope["type"] != "http":
        raise ValueError(scope["type"])
    if scope["path"] == "/slow":
        await asyncio.sleep(1)
    body = b"%d\\n" % os.getpid()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})
'''


class Daemon:
    """One of Debian's, and how it is told of its listener, when it is ready, how it is stopped, and how it reloads by itself."""

    package = ""
    ready = "READY=1"
    stop = [(signal.SIGTERM, 30000), (signal.SIGKILL, -1)]
    env = {}
    notes = ""
    clean = True

    def prepare(self, place, port):
        pass

    def command(self, place, port, number):
        raise NotImplementedError

    def health(self, place):
        """A shell command line; $PS_HEALTH_PID is whom it looks at."""

    def own_command(self, place, port):
        """To run it without a supervisor of ours."""

    def own_reload(self, pid, place):
        raise NotImplementedError


class Gunicorn(Daemon):
    package = program = "gunicorn"
    notes = "says READY=1 before its workers have loaded the application: looks at its health"

    def prepare(self, place, port):
        (place / "app.py").write_text(APP)

    def words(self, place):
        # Debian's own python, whatever comes first in PATH.
        return ["/usr/bin/python3", "/usr/bin/gunicorn", "--chdir", place, "-k", "gthread", "-w", "2", "--threads", "24", "--keep-alive", "5",
                "--graceful-timeout", "30", "--log-level", "warning", "app:app"]

    def command(self, place, port, number):
        return self.words(place)

    def health(self, place):
        # Both workers have begun: they are children of the one that was started.
        return 'test "$(wc -w < /proc/$PS_HEALTH_PID/task/$PS_HEALTH_PID/children)" -ge 2'

    def own_command(self, place, port):
        return self.words(place)[:-1] + ["-b", f"127.0.0.1:{port}", "app:app"]

    def own_reload(self, pid, place):
        os.kill(pid, signal.SIGHUP)


class Haproxy(Daemon):
    package = program = "haproxy"
    stop = [(signal.SIGUSR1, 30000), (signal.SIGTERM, 2000), (signal.SIGKILL, -1)]
    notes = "bind fd@3; SIGUSR1 is its soft stop"

    def prepare(self, place, port):
        for name, bind in (("given", "fd@3"), ("own", f"127.0.0.1:{port}")):
            (place / f"{name}.cfg").write_text(f"""
global
    stats socket {place}/{name}.sock level admin expose-fd listeners
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
    timeout tarpit 1s
frontend web
    bind {bind}
    http-request return status 200 content-type text/plain string ok if !{{ path /slow }}
    default_backend slow
backend slow
    server one 127.0.0.1:{self.backend}
""")

    def command(self, place, port, number):
        return ["/usr/sbin/haproxy", "-Ws", "-q", "-f", place / "given.cfg"]

    def own_command(self, place, port):
        return ["/usr/sbin/haproxy", "-Ws", "-q", "-f", place / "own.cfg"]

    def own_reload(self, pid, place):
        os.kill(pid, signal.SIGUSR2)


class Nginx(Daemon):
    package, program = "nginx-light", "nginx"
    ready = "its exec, then health: it writes its pid file when it has its listeners"
    env = {"NGINX": "3;"}
    stop = [(signal.SIGQUIT, 30000), (signal.SIGTERM, 2000), (signal.SIGKILL, -1)]
    notes = "its own convention for an upgrade, NGINX=\"3;\", and the address of `listen`; SIGQUIT is its graceful end"

    def prepare(self, place, port):
        (place / "slow").write_text("x" * 4096)
        (place / "nginx.conf").write_text(f"""
daemon off;
worker_processes 2;
error_log {place}/error.log warn;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {place}/body; proxy_temp_path {place}/proxy; fastcgi_temp_path {place}/fastcgi;
    uwsgi_temp_path {place}/uwsgi; scgi_temp_path {place}/scgi;
    server {{
        listen 127.0.0.1:{port};
        location / {{ return 200 "ok\\n"; }}
        location = /slow {{ proxy_pass http://127.0.0.1:{self.backend}; }}
    }}
}}
""")

    def command(self, place, port, number):
        return ["/usr/sbin/nginx", "-c", place / "nginx.conf", "-g", f"pid {place}/{number}.pid;"]

    def health(self, place):
        return f'grep -qx "$PS_HEALTH_PID" {place}/*.pid && test -n "$(cat /proc/$PS_HEALTH_PID/task/$PS_HEALTH_PID/children)"'

    def own_command(self, place, port):
        return ["/usr/sbin/nginx", "-c", place / "nginx.conf", "-g", f"pid {place}/own.pid;"]

    def own_reload(self, pid, place):
        os.kill(pid, signal.SIGHUP)


class Lighttpd(Daemon):
    package = program = "lighttpd"
    ready = "its exec, then health: a socket of its own"
    stop = [(signal.SIGINT, 30000), (signal.SIGTERM, 2000), (signal.SIGKILL, -1)]
    notes = "server.systemd-socket-activation; SIGINT is its graceful end"

    def prepare(self, place, port):
        (place / "index.txt").write_text("ok\n")
        (place / "lighttpd.conf").write_text(f"""
server.modules = ("mod_proxy")
server.systemd-socket-activation = "enable"
server.bind = "127.0.0.1"
server.port = {port}
server.document-root = "{place}"
index-file.names = ("index.txt")
server.pid-file = env.PIDFILE
server.graceful-shutdown-timeout = 30
$HTTP["url"] == "/slow" {{ proxy.server = ("" => (("host" => "127.0.0.1", "port" => {self.backend}))) }}
""")

    def command(self, place, port, number):
        return ["/usr/bin/env", f"PIDFILE={place}/{number}.pid", "/usr/sbin/lighttpd", "-D", "-f", place / "lighttpd.conf"]

    def health(self, place):
        return f'grep -qx "$PS_HEALTH_PID" {place}/*.pid'

    def own_command(self, place, port):
        return ["/usr/bin/env", f"PIDFILE={place}/own.pid", "/usr/sbin/lighttpd", "-D", "-f", place / "lighttpd.conf"]

    def own_reload(self, pid, place):
        os.kill(pid, signal.SIGUSR1)


class Uvicorn(Daemon):
    package = program = "uvicorn"
    ready = "its exec, then health: a file that its application writes"
    notes = "--fd 3; no sd_notify; at its end it closes connections that it has just accepted, and on which nothing has come yet"
    clean = False

    def prepare(self, place, port):
        (place / "asgi.py").write_text(ASGI + f'open("{place}/ready." + str(os.getpid()), "w")\n')

    def command(self, place, port, number):
        return ["/usr/bin/python3", "/usr/bin/uvicorn", "--app-dir", place, "--log-level", "warning", "--fd", "3", "asgi:app"]

    def health(self, place):
        return f"test -e {place}/ready.$PS_HEALTH_PID"

    def own_command(self, place, port):
        return None


DAEMONS = [Gunicorn, Haproxy, Nginx, Lighttpd, Uvicorn]


def daemons(arguments):
    """Daemons of Debian that know nothing of procsup, replaced in supervised overlap under load: gunicorn, haproxy, nginx, lighttpd, uvicorn.

    Counts failed and slow requests: fresh connections, kept ones, and requests that take a second; and the same for each one's own reload. As root
    it gets by apt what is not here, else what is missing is left out, and counted.

    Takes five minutes; with --quick ten seconds.

    --only NAME       only this one; may be repeated
    --seconds N       under load for so long each (default 30)
    --replace N       so many replacements in that time (default 6)
    --rate N          fresh connections a second (default 400)
    --quick           ten seconds for one that is small: what ./x test runs
    --library DIR     libprocsup.so from there
    --no-own          not their own reload
    --no-install      gets nothing

    What came of it: target/daemons/report.md (docs/evidence/handoff-daemons.md has one). Exit code 1: a request has failed under the supervisor."""
    parser = argparse.ArgumentParser(prog="./x daemons", add_help=False)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--replace", type=int, default=6)
    parser.add_argument("--rate", type=int, default=400)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--library")
    parser.add_argument("--no-own", action="store_true")
    parser.add_argument("--no-install", action="store_true")
    options = parser.parse_args(arguments)
    if options.quick:
        options.seconds, options.replace, options.rate, options.no_own = 4, 2, 50, True
    wanted = [kind for kind in DAEMONS if not options.only or kind.__name__.lower() in options.only]
    if options.quick:
        wanted = [kind for kind in wanted if shutil.which(kind.program)][:1] or [Gunicorn]
    missing = [kind.package for kind in wanted if not shutil.which(kind.program)]
    if missing and os.geteuid() == 0 and not options.no_install:
        print("Getting by apt: " + " ".join(missing), flush=True)
        apt_install(missing)
    left_out = [kind for kind in wanted if not shutil.which(kind.program)]
    for kind in left_out:
        print(colour("33", f"{kind.__name__.lower()} is not here: left out"))
    here = [kind for kind in wanted if kind not in left_out]
    if not here:
        print("none is here: skipped")
        return 77 if options.quick else 1
    if not options.library:
        build_library()
    face = Face(options.library or str(TARGET / "release"))
    client = built_client()
    rows = []
    with tempfile.TemporaryDirectory(prefix="procsup-daemons.") as folder, SlowBackend() as backend:
        os.chmod(folder, 0o755)  # workers are other users
        for kind in here:
            place = Path(folder) / kind.__name__.lower()
            place.mkdir(mode=0o777)
            os.chmod(place, 0o777)
            kind.backend = backend.port
            step(f"{kind.__name__.lower()}: replaced {options.replace} times in {options.seconds:g} s")
            rows.append(supervised(face, kind(), place, client, options))
            show(rows[-1])
            if not options.no_own and kind().own_command(place, 1):
                rows.append(own(kind(), place, client, options))
                show(rows[-1])
    report(rows, left_out)
    # Who drops connections by itself when it ends is shown, and held against nobody.
    failed = sum(row["counts"][kind]["failed"] for row in rows if row["by"] == "procsup" and row["clean"] for kind in ("fresh", "kept", "long"))
    lacking = [row for row in rows if row["by"] == "procsup" and row["times"] < options.replace]
    print(f"{failed} requests have failed; {len(left_out)} daemons left out; {len(lacking)} not replaced as often as they were to be")
    return 1 if failed or lacking else 0


def show(row):
    total = {key: sum(row["counts"][kind][key] for kind in row["counts"]) for key in ("done", "failed", "again", "slow")}
    print(f"  {row['name']} by {row['by']}: {row['times']} times, {total['done']} requests, {total['failed']} failed, {total['again']} sent again, "
          f"{total['slow']} slow", flush=True)


def built_client():
    out = TARGET / "daemons/client"
    out.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cc", "-O2", "-o", out, CLIENT, "-lpthread"], check=True)
    return out


def listener():
    one = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.bind(("127.0.0.1", 0))
    one.listen(1024)
    return one


def begin_client(client, port, options):
    return subprocess.Popen([str(client), str(port), str(options.seconds), str(options.rate), "8", "4"], stdout=subprocess.PIPE)


def counted(process, seconds):
    out, _ = process.communicate(timeout=seconds + 60)
    return json.loads(out)


def wait_for(port, seconds=20):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as one:
                one.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                if b" 200 " in one.recv(64):
                    return
        except OSError:
            pass
        time.sleep(0.02)
    raise Failed(f"nobody answers at port {port}")


def supervised(face, daemon, place, client, options):
    with listener() as held:
        port = held.getsockname()[1]
        daemon.prepare(place, port)
        with face.supervisor() as supervisor:
            supervisor.listener("http", held.fileno())
            line = daemon.health(place)
            if line:
                supervisor.health(["/bin/sh", "-c", line], 20000)
            supervisor.probation(200)
            commanded = lambda number: face.command(daemon.command(place, port, number), daemon.env, daemon.stop, daemon.ready == "READY=1", place)
            supervisor.start(commanded(0))
            supervisor.expect(SERVING)
            wait_for(port)
            load = begin_client(client, port, options)
            times, begun, took = 0, time.monotonic(), []
            try:
                for number in range(1, options.replace + 1):
                    supervisor.pump_until(begun + options.seconds * (number - 0.5) / options.replace)
                    if load.poll() is not None:
                        break
                    since = time.monotonic()
                    while not supervisor.replace(commanded(number), 30000, 30000):
                        supervisor.pump_until(time.monotonic() + 0.02)  # the last one drains yet
                    supervisor.expect(COMMITTED)
                    supervisor.expect(SERVING)
                    took.append(time.monotonic() - since)
                    times += 1
                while load.poll() is None:
                    supervisor.pump_until(time.monotonic() + 0.05)
                counts = counted(load, options.seconds)
            finally:
                if load.poll() is None:
                    load.kill()
            outcome = supervisor.outcome()
            supervisor.stop(5000)
            supervisor.expect(STOPPED)
    return {"name": type(daemon).__name__.lower(), "by": "procsup", "times": times, "counts": counts, "notes": daemon.notes, "ready": daemon.ready,
            "clean": daemon.clean, "took": sorted(took)[len(took) // 2] if took else 0, "outcome": outcome}


def own(daemon, place, client, options):
    with listener() as one:
        port = one.getsockname()[1]
    daemon.prepare(place, port)
    with open(place / "own.log", "w") as log:
        process = subprocess.Popen([str(word) for word in daemon.own_command(place, port)], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                   start_new_session=True)
    try:
        wait_for(port)
        load = begin_client(client, port, options)
        begun = time.monotonic()
        for number in range(1, options.replace + 1):
            time.sleep(max(0, begun + options.seconds * (number - 0.5) / options.replace - time.monotonic()))
            daemon.own_reload(process.pid, place)
        counts = counted(load, options.seconds)
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
    return {"name": type(daemon).__name__.lower(), "by": "its own reload", "times": options.replace, "counts": counts, "notes": "", "ready": "",
            "clean": daemon.clean, "took": 0, "outcome": None}


def report(rows, left_out):
    path = TARGET / "daemons/report.md"
    lines = ["| daemon | by | times | fresh: done, failed, slow | kept: done, failed, again, slow | long: done, failed, again | slowest fresh, kept | "
             "replace to COMMITTED |", "|---|---|---|---|---|---|---|---|"]
    for row in rows:
        fresh, kept, long = (row["counts"][kind] for kind in ("fresh", "kept", "long"))
        lines.append(f"| {row['name']} | {row['by']} | {row['times']} | {fresh['done']}, **{fresh['failed']}**, {fresh['slow']} | {kept['done']}, "
                     f"**{kept['failed']}**, {kept['again']}, {kept['slow']} | {long['done']}, **{long['failed']}**, {long['again']} | "
                     f"{fresh['slowest_us'] / 1000:.0f}, {kept['slowest_us'] / 1000:.0f} ms | {row['took'] * 1000:.0f} ms |"
                     .replace("| 0 ms |", "| |"))
    lines += [""] + [f"left out: {kind.__name__.lower()}" for kind in left_out]
    path.write_text("\n".join(lines) + "\n")
    print("\n".join(lines))
    print(f"written to {shown(path)}")


class SlowBackend:
    """What proxies ask for /slow: one second for each answer."""

    def __enter__(self):
        code = ("import http.server, sys, time\n"
                "class H(http.server.BaseHTTPRequestHandler):\n"
                " protocol_version = 'HTTP/1.1'\n"
                " def do_GET(self):\n  time.sleep(1)\n  self.send_response(200)\n  self.send_header('Content-Length', '3')\n  self.end_headers()\n"
                "  self.wfile.write(b'ok\\n')\n"
                " def log_message(self, *a): pass\n"
                "s = http.server.ThreadingHTTPServer(('127.0.0.1', 0), H)\ns.daemon_threads = True\n"
                "print(s.server_address[1], flush=True)\ns.serve_forever()\n")
        self.process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.port = int(self.process.stdout.readline())
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


class Event(ctypes.Structure):
    _fields_ = [("size", ctypes.c_uint32), ("kind", ctypes.c_int32), ("handoff_id", ctypes.c_uint64), ("pid", ctypes.c_int32),
                ("peer_pid", ctypes.c_int32), ("generation", ctypes.c_uint64), ("phase", ctypes.c_int32), ("reason", ctypes.c_int32),
                ("exit_code", ctypes.c_int32), ("exit_signal", ctypes.c_int32), ("time_ns", ctypes.c_int64), ("reserved", ctypes.c_uint64)]


class Face:
    """The C interface, as a language that only dlopens it has it."""

    def __init__(self, directory):
        self.c = ctypes.CDLL(os.path.join(directory, "libprocsup.so"))
        self.c.ps_status_name.restype = ctypes.c_char_p
        self.c.ps_error_message.restype = ctypes.c_char_p

    def call(self, name, *arguments, may=()):
        error = ctypes.c_void_p()
        status = getattr(self.c, name)(*arguments, ctypes.byref(error))
        if status < 0 and self.c.ps_status_name(status).decode() not in may:
            text = self.c.ps_error_message(error) if error else b""
            raise Failed(f"{name}: {self.c.ps_status_name(status).decode()}: {(text or b'').decode()}")
        self.c.ps_error_free(error)
        return status

    def command(self, words, env, plan, says_ready, place):
        command = ctypes.c_void_p()
        first, *rest = [os.fsencode(str(word)) for word in words]
        self.call("ps_command_new", first, ctypes.byref(command))
        for word in rest:
            self.call("ps_command_arg", command, word)
        for name, value in env.items():
            self.call("ps_command_env", command, name.encode(), value.encode())
        for number, wait in plan:
            self.call("ps_command_stop_step", command, int(number), ctypes.c_int64(wait))
        if not says_ready:
            self.call("ps_command_readiness", command, READY_EXEC, None, ctypes.c_int64(0))
        return command

    def supervisor(self):
        return Supervisor(self)


class Supervisor:
    def __init__(self, face):
        self.face, self.handle = face, ctypes.c_void_p()

    def __enter__(self):
        self.call("new", None, ctypes.byref(self.handle), bare=True)
        self.call("set_protocol", PROTOCOL_NOTIFY)
        return self

    def __exit__(self, *_):
        self.face.c.ps_handoff_supervisor_free(self.handle)

    def call(self, name, *arguments, bare=False, may=()):
        head = () if bare else (self.handle,)
        return self.face.call("ps_handoff_supervisor_" + name, *head, *arguments, may=may)

    def listener(self, name, fd):
        self.call("listener", name.encode(), fd)

    def health(self, words, timeout_ms):
        command = self.face.command(words, {}, [], True, None)
        self.call("set_health_command", command, ctypes.c_int64(timeout_ms))
        self.face.c.ps_command_free(command)

    def probation(self, ms):
        self.call("set_probation", ctypes.c_int64(ms))

    def start(self, command):
        self.call("start", command)
        self.face.c.ps_command_free(command)

    def replace(self, command, deadline_ms, drain_ms):
        status = self.call("replace", command, ctypes.c_int64(deadline_ms), ctypes.c_int64(drain_ms), may=("PS_ERR_IN_PROGRESS",))
        self.face.c.ps_command_free(command)
        return status == 0

    def stop(self, grace_ms):
        self.call("stop", ctypes.c_int64(grace_ms))

    def next(self, timeout_ms):
        event = Event(size=ctypes.sizeof(Event))
        status = self.call("next_event", ctypes.c_int64(timeout_ms), ctypes.byref(event))
        return event if status == 0 else None

    def expect(self, kind, seconds=60):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            event = self.next(100)
            if event is None or event.kind in (PROGRESS, STARTED):
                continue
            if event.kind != kind:
                raise Failed(f"event {event.kind} in the place of {kind}: {self.face.c.ps_status_name(event.reason).decode()}: {self.outcome()}")
            return event
        raise Failed(f"no event {kind}")

    def pump_until(self, at):
        while (left := at - time.monotonic()) > 0:
            event = self.next(int(left * 1000) + 1)
            if event is not None and event.kind not in (PROGRESS, STARTED):
                raise Failed(f"event {event.kind} of {event.pid}: {self.face.c.ps_status_name(event.reason).decode()}, exit {event.exit_code}")

    def outcome(self):
        text = ctypes.create_string_buffer(16384)
        status = self.call("outcome_text", 0, 1, text, ctypes.c_size_t(16384), None, may=("PS_ERR_NOT_FOUND",))
        return text.value.decode() if status == 0 else None
