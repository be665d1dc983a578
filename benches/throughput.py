#!/usr/bin/env python3
"""Requests a second over HTTP: one user looked up by `userName eq` among many.

    python3 benches/throughput.py             measures, prints the table
    python3 benches/throughput.py --readme    and writes it into README.md

`provider` is built for release and started over each of its stores: in memory, SQLite and PostgreSQL.
Beside them are an axum server that answers with a constant JSON of the same size, in tokio's runtime of
several threads, as axum's documentation has it, and `scim2-server` of PyPI. `wrk` puts the same load on each: the requests
are the same bytes, each for one of many users, and in every round the servers take turns, so that
what else the machine does meets all alike. The medians of the rounds are shown.

It takes some five minutes, the build apart, and ends with an error if one of our servers has less than
its part of the constant's figure.

It needs Linux, a Rust toolchain and Python 3; `wrk`, PostgreSQL and `venv` are installed where they
are missing and Debian's `apt-get` can. A server that cannot be had is left out, and said to be.
"""

import argparse
import contextlib
import datetime
import http.client
import itertools
import json
import os
import pathlib
import pwd
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
BEGIN = "<!-- throughput: written by `--readme` -->\n"
END = "<!-- end of throughput -->"
TOKEN = "throughput-token"
HOST = "127.0.0.1"
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
# The same in every request to every server.
HEADERS = {"Authorization": f"Bearer {TOKEN}", "Accept": "application/scim+json"}
# What a server must reach, as a part of the constant answer's figure.
FLOORS = {"MemoryStore": 0.5, "SQLite": 0.2, "PostgreSQL": 0.1}
# Different requests that a client makes, spread over the users.
REQUESTS = 5_000
BULK_OPERATIONS = 500
PEER = "scim2-server"
PEER_VERSION = "0.8.3"


def user_name(number):
    return f"user{number:07}@example.com"


def user(number):
    """A user with what identity providers usually send."""
    return {
        "schemas": [USER],
        "userName": user_name(number),
        "externalId": f"00u{number:017}",
        "name": {"givenName": f"Given{number}", "familyName": f"Family{number % 5000}"},
        "displayName": f"Given{number} Family{number % 5000}",
        "active": number % 10 != 0,
        "emails": [{"value": user_name(number), "type": "work", "primary": True}],
    }


def look_up(number):
    name = urllib.parse.quote(f'userName eq "{user_name(number)}"')
    return f"/Users?filter={name}"


class Unavailable(Exception):
    """A server that cannot be had on this machine."""


class Server:
    """A server with its users, which waits to be measured."""

    def __init__(self, name, process, base, log):
        self.name, self.process, self.log = name, process, log
        self.url = urllib.parse.urlsplit(base)
        self.users = 0
        self.rounds = []

    def connect(self):
        return http.client.HTTPConnection(self.url.hostname, self.url.port, timeout=600)

    def ask(self, method, path, body=None, connection=None):
        connection = connection or self.connect()
        headers = dict(HEADERS)
        if body is not None:
            headers["Content-Type"] = "application/scim+json"
            body = json.dumps(body).encode()
        connection.request(method, self.url.path + path, body, headers)
        response = connection.getresponse()
        return response.status, response.read()

    def load(self, users, seconds):
        """Creates the users by bulk requests of several clients; no more than fit in the time."""
        begun = time.monotonic()
        starts = iter(range(0, users, BULK_OPERATIONS))
        lock, failures, loaded = threading.Lock(), [], []

        def work():
            connection = self.connect()
            while not failures and time.monotonic() - begun < seconds:
                with lock:
                    start = next(starts, None)
                if start is None:
                    return
                numbers = range(start, min(start + BULK_OPERATIONS, users))
                operations = [
                    {"method": "POST", "path": "/Users", "bulkId": str(number), "data": user(number)}
                    for number in numbers
                ]
                try:
                    body = {"schemas": [BULK], "Operations": operations}
                    status, text = self.ask("POST", "/Bulk", body, connection)
                    results = json.loads(text).get("Operations", []) if status == 200 else []
                    if [result["status"] for result in results] != ["201"] * len(numbers):
                        failures.append(f"a bulk request was answered with {status}: {text[:200]}")
                    loaded.append(numbers)
                except (OSError, ValueError, http.client.HTTPException) as error:
                    failures.append(repr(error))

        clients = [threading.Thread(target=work) for _ in range(4)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        if failures:
            raise Unavailable(f"{self.name} cannot be loaded: {failures[0]}; its log is {self.log}")
        self.users = sum(map(len, loaded))
        # Whatever the order the clients came in, these are the first ones.
        assert {number for numbers in loaded for number in numbers} == set(range(self.users))
        print(f"   {self.name}: {self.users:,} users in {time.monotonic() - begun:.0f} s", flush=True)

    def check(self):
        """Whether it answers a look-up; the answer."""
        for number in (0, self.users // 2, self.users - 1):
            status, text = self.ask("GET", look_up(number))
            found = json.loads(text)
            assert status == 200 and found["totalResults"] == 1, (self.name, status, text)
            assert found["Resources"][0]["userName"] == user_name(number), text
        return text

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Servers:
    """The servers, and the folder of their data, which end together."""

    def __init__(self, folder):
        self.folder = folder
        self.running = []
        self.postgres = None

    def start(self, name, command, banner, environment=None):
        """Starts a server that prints its URL, which `banner` finds."""
        log = self.folder / f"{name}.log"
        with open(log, "wb") as output:
            process = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
            )
        begun = time.monotonic()
        while time.monotonic() - begun < 60:
            found = re.search(banner, log.read_text(errors="replace"))
            if found and listens(found.group(0)):
                server = Server(name, process, found.group(0), log)
                self.running.append(server)
                return server
            if process.poll() is not None:
                break
            time.sleep(0.05)
        process.kill()
        raise Unavailable(f"{name} does not start: {log.read_text(errors='replace')[-500:]}")

    def provider(self, name, arguments, environment=None):
        program = program_folder() / "provider"
        command = [program, "--listen", f"{HOST}:0", "--token", TOKEN, *arguments]
        # No line for each request: the server that is compared to writes none either.
        environment = {"RUST_LOG": "warn", **(environment or {})}
        return self.start(name, command, rf"http://{HOST}:\d+/scim/v2", environment)

    def memory(self):
        return self.provider("MemoryStore", ["--memory-store"])

    def sqlite(self):
        return self.provider("SQLite", ["--database", self.folder / "scim.db"])

    def postgresql(self):
        programs = postgres_programs()
        folder = self.folder / "postgres"
        folder.mkdir()
        # PostgreSQL does not run as root: another user owns the folder and runs it.
        account = {}
        if os.geteuid() == 0:
            entry = next(entry for entry in pwd.getpwall() if entry.pw_name in ("postgres", "nobody"))
            os.chown(folder, entry.pw_uid, entry.pw_gid)
            self.folder.chmod(0o755)
            account = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        data = folder / "data"
        initdb = [programs / "initdb", "-D", data, "-U", "scim", "-A", "trust", "-E", "UTF8", "--locale=C"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder, **account}
        subprocess.run([*initdb, "--no-sync"], check=True, **quiet)
        # Nothing of what is measured is a write; those that load it need not last.
        command = [programs / "postgres", "-D", data, "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off"]
        self.postgres = subprocess.Popen(command, **quiet)
        wait_for(lambda: (folder / ".s.PGSQL.5432").exists(), "PostgreSQL does not start")
        url = f"postgres://scim@localhost/postgres?host={urllib.parse.quote(str(folder), safe='')}"
        wait_for(
            lambda: subprocess.run([programs / "pg_isready", "-h", folder], **quiet).returncode == 0,
            "PostgreSQL does not answer",
        )
        server = self.provider("PostgreSQL", [], {"DATABASE_URL": url})
        server.after_load = lambda: subprocess.run(
            [programs / "psql", "-h", folder, "-U", "scim", "-c", "VACUUM ANALYZE", "postgres"], check=True, **quiet
        )
        return server

    def peer(self):
        folder = ROOT / "target" / "throughput-venv"
        python = folder / "bin" / "python"
        if not python.exists():
            installed = subprocess.run([sys.executable, "-m", "venv", "--clear", folder], capture_output=True)
            if installed.returncode != 0:
                apt_install("python3-venv")
                subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        if subprocess.run([*pip, f"{PEER}=={PEER_VERSION}"]).returncode != 0:
            raise Unavailable(f"{PEER} {PEER_VERSION} cannot be installed")
        command = [folder / "bin" / PEER, "--hostname", HOST, "--bearer-token", TOKEN, "--port", free_port()]
        return self.start(PEER, command, rf"http://{HOST}:\d+", {"PYTHONUNBUFFERED": "1"})

    def constant(self, answer):
        file = self.folder / "answer.json"
        file.write_bytes(answer)
        command = [program_folder() / "constant", "0", file]
        return self.start("constant", command, rf"http://{HOST}:\d+")

    def stop(self):
        for server in self.running:
            server.stop()
        if self.postgres:
            # An interrupt lets it end its own processes.
            self.postgres.send_signal(2)
            self.postgres.wait()


def listens(url):
    parts = urllib.parse.urlsplit(url)
    with contextlib.suppress(OSError):
        http.client.HTTPConnection(parts.hostname, parts.port, timeout=5).connect()
        return True
    return False


def wait_for(condition, message):
    begun = time.monotonic()
    while not condition():
        if time.monotonic() - begun > 60:
            raise Unavailable(message)
        time.sleep(0.05)


def free_port():
    import socket

    with socket.socket() as listener:
        listener.bind((HOST, 0))
        return listener.getsockname()[1]


def program_folder():
    return pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release" / "examples"


def postgres_programs():
    def found():
        folders = [*pathlib.Path("/usr/lib/postgresql").glob("*/bin")]
        folders += [pathlib.Path(folder) for folder in os.environ.get("PATH", "").split(":")]
        return next((folder for folder in folders if (folder / "initdb").exists()), None)

    if not found():
        apt_install("postgresql")
    programs = found()
    if not programs:
        raise Unavailable("PostgreSQL is not installed")
    return programs


def apt_install(package):
    """Installs a package of Debian, if this machine and user can; whoever needs it looks whether it is there."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with contextlib.suppress(OSError):
        for command in (["update", "-qq"], ["install", "-yqq", "--no-install-recommends", package]):
            subprocess.run(["apt-get", *command], env=environment, stdout=subprocess.DEVNULL)


def measure(server, options, script):
    """One run of wrk: requests a second, and the latencies in milliseconds that half and 99 % stay within."""
    paths = [server.url.path + look_up(number) for number in spread(server.users or options.users)]
    # Each request is made once, before the clock runs: the client's part costs as little as it can.
    script.write_text(
        "local paths = {" + ",".join(f"'{path}'" for path in paths) + "}\n"
        "local requests, next = {}, 0\n"
        "function init(args)\n"
        + "".join(f"  wrk.headers['{name}'] = '{value}'\n" for name, value in HEADERS.items())
        + "  for i, path in ipairs(paths) do requests[i] = wrk.format('GET', path) end\n"
        "end\n"
        "function request()\n  next = next % #requests + 1\n  return requests[next]\nend\n"
    )
    command = ["wrk", "-t1", f"-c{options.connections}", f"-d{options.seconds}s", "--latency", "--timeout", "30s"]
    url = f"http://{server.url.netloc}/"
    output = subprocess.run([*command, "-s", script, url], capture_output=True, text=True, check=True).stdout
    bad = re.search(r"Non-2xx or 3xx responses: \d+|Socket errors: .*", output)
    # That server closes a connection after an answer; wrk counts what it then cannot read.
    if bad and not (server.name == PEER and "Socket errors" in bad.group(0)):
        raise SystemExit(f"{server.name}: {bad.group(0)}; its log is {server.log}\n{output}")
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", output).group(1))
    return rate, latency(output, "50"), latency(output, "99")


def latency(output, percent):
    number, unit = re.search(rf"^\s+{percent}%\s+([\d.]+)(us|ms|s|m)\s*$", output, re.MULTILINE).groups()
    return float(number) * {"us": 1e-3, "ms": 1, "s": 1e3, "m": 6e4}[unit]


def spread(users):
    """Numbers of users all over the table, in an order in which neighbours are far apart."""
    count = min(REQUESTS, users)
    step = 7919
    return [(index * step) % users for index in range(count)]


def report(servers, options, answer):
    """The table, as Markdown."""
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if "model name" in line), "?")
    rust = subprocess.run(["rustc", "--version"], capture_output=True, text=True).stdout.split()[1]
    day = datetime.date.today().isoformat()
    medians = {
        server.name: [statistics.median(column) for column in zip(*server.rounds)] for server in servers
    }
    constant = medians["constant"][0]
    titles = {
        "constant": f"axum, a constant of {len(answer)} bytes",
        PEER: f"Python `{PEER}` {PEER_VERSION}",
        "MemoryStore": "`provider` on MemoryStore",
        "SQLite": "`provider` on SQLite",
        "PostgreSQL": "`provider` on PostgreSQL",
    }
    lines = [
        f"One run on {cpu}, {os.cpu_count()} cores (for the client too), rustc {rust}, {day}; {options.connections} "
        f"connections, medians of {options.rounds} rounds of {options.seconds} s:\n",
        "| | users | requests/s | of the constant | half within | 99 % within |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for server in servers:
        rate, half, most = medians[server.name]
        users = f"{server.users:,}" if server.users else ""
        lines.append(
            f"| {titles[server.name]} | {users} | {rate:,.0f} | × {digits(rate / constant)} | {half:.2f} ms | {most:.2f} ms |"
        )
    ratios = {server.name: medians[server.name][0] / constant for server in servers}
    lines += ["", floors(ratios)]
    return "\n".join(lines) + "\n", ratios


def missed(ratios):
    return {name: floor for name, floor in FLOORS.items() if ratios.get(name, floor) < floor}


def floors(ratios):
    """What is to be reached, and whether it is."""
    asked = ", ".join(f"× {floor} on {name}" for name, floor in FLOORS.items() if name in ratios)
    low = missed(ratios)
    return f"To be reached: {asked}. " + (f"Missed on {', '.join(low)}." if low else "All are reached.")


def digits(ratio):
    return f"{ratio:.2f}" if ratio >= 0.1 else f"{ratio:.2g}"


def write_readme(table):
    readme = README.read_text()
    before, rest = readme.split(BEGIN)
    _, after = rest.split(END)
    README.write_text(before + BEGIN + table + END + after)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=100_000, help="users in each store (100000)")
    parser.add_argument("--seconds", type=int, default=4, help="of one round for one server (4)")
    parser.add_argument("--rounds", type=int, default=7, help="in which the servers take turns (7)")
    parser.add_argument("--connections", type=int, default=16, help="open at a time (16)")
    parser.add_argument("--load-seconds", type=int, default=1200, help="for loading our stores (1200)")
    parser.add_argument("--peer-load-seconds", type=int, default=60, help=f"for loading {PEER} (60)")
    kinds = ["memory", "sqlite", "postgresql", "peer"]
    parser.add_argument("--only", nargs="+", choices=kinds, default=kinds, help="these servers, and the constant")
    parser.add_argument("--readme", action="store_true", help="write the table into README.md")
    options = parser.parse_args()
    if options.readme and options.only != kinds:
        parser.error("the table of README.md has all servers")
    return options


def run(options, folder):
    servers = Servers(folder)
    try:
        print("-- starting and loading the servers", flush=True)
        measured, answer = [], None
        for kind in options.only:
            try:
                server = getattr(servers, kind)()
                server.load(options.users, options.peer_load_seconds if kind == "peer" else options.load_seconds)
            except Unavailable as error:
                if options.readme:
                    raise SystemExit(str(error)) from error
                print(f"   left out: {error}", flush=True)
                continue
            if kind != "peer" and server.users < options.users:
                raise SystemExit(f"{server.name}: no more than {server.users:,} users were loaded in time")
            getattr(server, "after_load", lambda: None)()
            found = server.check()
            answer = answer or found
            measured.append(server)
        measured.insert(0, servers.constant(answer or json.dumps(user(0)).encode()))
        # Once without being counted: caches are filled, connections made, statements prepared.
        print("-- measuring", flush=True)
        quick = argparse.Namespace(**{**vars(options), "seconds": 2})
        for server in measured:
            measure(server, quick, folder / "load.lua")
        for number in range(options.rounds):
            for server in measured if number % 2 == 0 else reversed(measured):
                server.rounds.append(measure(server, options, folder / "load.lua"))
                print(f"   round {number + 1}, {server.name}: {server.rounds[-1][0]:,.0f} requests/s", flush=True)
        return report(measured, options, answer or b"")
    finally:
        servers.stop()


def main():
    options = arguments()
    if not shutil.which("wrk"):
        apt_install("wrk")
        if not shutil.which("wrk"):
            raise SystemExit("`wrk` is not installed")
    # The system's own variable would let the client go through a proxy.
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = HOST
    # What the caller has set for a server of their own is not what is measured.
    for variable in ("DATABASE_URL", "SCIM_TOKEN", "SCIM_CURSOR_KEY"):
        os.environ.pop(variable, None)
    print("-- building", flush=True)
    build = ["cargo", "build", "--release", "--locked", "--package", "scim-examples"]
    subprocess.run([*build, "--example", "provider", "--example", "constant"], check=True, cwd=ROOT)
    # In memory where there is such a folder: the reads are of cached pages anyway, and loading is quicker.
    shm = pathlib.Path("/dev/shm")
    place = shm if shm.is_dir() and shutil.disk_usage(shm).free > 4 << 30 else None
    with tempfile.TemporaryDirectory(prefix="throughput-", dir=place) as folder:
        table, ratios = run(options, pathlib.Path(folder))
    print("\n" + table)
    low = missed(ratios)
    for name, floor in low.items():
        print(f"{name} is below {floor} of the constant", file=sys.stderr)
    if options.readme:
        write_readme(table)
    return 1 if low else 0


if __name__ == "__main__":
    sys.exit(main())
