"""The hub as its users have it: the program, started and ended, and a reader that follows its events."""

import http.client
import json
import signal
import subprocess
import threading
import time

from wordpress import free_port, stop


class Missing(Exception):
    """Something that was waited for did not come."""


class Hub:
    """The program `roost run` with one source for every feed."""

    def __init__(self, program, folder, feeds):
        self.program = program
        self.folder = folder
        self.port = free_port()
        self.process = None
        self.is_up = threading.Event()
        self.configuration = folder / "roost.yaml"
        lines = [f"data: {folder / 'roost'}", f"listen: 127.0.0.1:{self.port}", "log: { level: info }", "sources:"]
        for name, url in feeds.items():
            lines += [f"  {name}:", "    connector: feed", f"    url: {json.dumps(url)}", "    every: 1s..2s"]
            lines += ["    allow_private_network: true"]
        self.configuration.write_text("\n".join(lines) + "\n")

    def start(self):
        """Returns once it listens."""
        self.process = subprocess.Popen(
            [self.program, "run", "--config", str(self.configuration)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        threading.Thread(target=self._read_log, args=(self.process,), daemon=True).start()
        if not self.is_up.wait(60) or self.process.poll() is not None:
            raise Missing(f"the hub did not start: see {self.folder / 'roost.log'}")

    def _read_log(self, process):
        with open(self.folder / "roost.log", "a") as log:
            for line in process.stderr:
                log.write(line)
                log.flush()
                if "listening on http:" in line:
                    self.is_up.set()
        # Waiting ends also when it never came so far.
        if process is self.process and not self.is_up.is_set():
            process.wait()
            self.is_up.set()

    def stop_in_order(self):
        """As an operator does; it has five seconds."""
        self.is_up.clear()
        begin = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(30)
        took = time.monotonic() - begin
        self.process = None
        if code != 0 or took > 5:
            raise Missing(f"the hub ended with code {code} after {took:.1f} s when it was told to stop; expected 0 within 5 s")

    def kill(self):
        """As a power cut does."""
        self.is_up.clear()
        self.process.kill()
        self.process.wait()
        self.process = None

    def stop(self):
        self.is_up.clear()
        if self.process:
            stop(self.process)

    def get(self, path, accept="application/json", method="GET"):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, headers={"Accept": accept})
            response = connection.getresponse()
            body = response.read()
            if response.status != 200:
                raise Missing(f"the hub answered {method} {path} with {response.status}: {body[:300]!r}")
            return json.loads(body)
        finally:
            connection.close()

    def sources(self):
        return {source["name"]: source for source in self.get("/v1/sources")["sources"]}

    def pages(self, **query):
        """The whole log, page by page."""
        after, events = "earliest", []
        words = "".join(f"&{name}={value}" for name, value in query.items())
        while True:
            page = self.get(f"/v1/events?after={after}&limit=1000{words}")
            events += page["events"]
            after = page["next"]
            if not page["more"]:
                return events


# Everything arrives within two polls, that is four seconds; the rest is for slow machines.
PATIENCE = 60


class Follower:
    """Reads the events as they come and goes on where it was whenever the hub is back, as a subscriber does."""

    def __init__(self, hub, deadline):
        self.hub = hub
        self.deadline = deadline
        self.events = []
        self.problem = None
        self.changed = threading.Condition()
        threading.Thread(target=self._follow, daemon=True).start()

    def _follow(self):
        while self.problem is None:
            self.hub.is_up.wait()
            try:
                self._read()
            except (OSError, http.client.HTTPException):
                # The hub is gone; it may take a moment until that is known.
                time.sleep(0.05)
            except Exception as problem:
                with self.changed:
                    self.problem = problem
                    self.changed.notify_all()

    def _read(self):
        after = self.events[-1]["sequence"] if self.events else "earliest"
        connection = http.client.HTTPConnection("127.0.0.1", self.hub.port, timeout=60)
        try:
            path = f"/v1/events?after={after}&wait=30s&duplicates=true"
            connection.request("GET", path, headers={"Accept": "application/x-ndjson"})
            response = connection.getresponse()
            if response.status != 200:
                raise Missing(f"the hub answered GET {path} with {response.status}")
            while (line := response.readline()).endswith(b"\n"):
                self._take(json.loads(line))
        finally:
            connection.close()

    def _take(self, event):
        with self.changed:
            if self.events and event["sequence"] <= self.events[-1]["sequence"]:
                raise Missing(f"event {event['sequence']} came after {self.events[-1]['sequence']}")
            self.events.append(event)
            self.changed.notify_all()

    def wait(self, missing):
        """Waits until `missing(events)` gives nothing; otherwise it gives the words for what is not there."""
        end = min(self.deadline, time.monotonic() + PATIENCE)
        with self.changed:
            while lacking := missing(self.events):
                left = end - time.monotonic()
                if self.problem:
                    raise self.problem
                if left <= 0 or not self.changed.wait(left):
                    raise Missing(f"out of time, waiting for {lacking}")

    def wait_for_pulls(self, count, names):
        """Waits until every source has asked its feed that often again, to see what does *not* come of it."""
        asked = {name: self.hub.sources()[name]["since_start"]["pulls"] for name in names}
        while True:
            now = self.hub.sources()
            waiting = [name for name in names if now[name]["since_start"]["pulls"] < asked[name] + count]
            if not waiting:
                return
            if time.monotonic() > self.deadline:
                raise Missing(f"out of time, waiting for {', '.join(waiting)} to ask again")
            time.sleep(0.1)
