"""A Rollcall client with nothing but the standard library: register, beat, look up, watch, leave.

    python3 rollcall.py http://127.0.0.1:7400 orders 8080 orders.json

registers this process as an instance of `orders` at port 8080, follows the service, and prints which instances can be
called whenever that changes; SIGTERM leaves. Without a registry the list comes from memory, after a restart from the file.
"""
import http.client
import json
import os
import pathlib
import random
import signal
import sys
import threading
import time
import urllib.error
import urllib.request

EMPTY = 'W/"0000000000000000"'  # the sign of a list without instances


class Refused(Exception):
    """The registry understood and says no: trying again does not help."""


class Rollcall:
    def __init__(self, url, service, snapshot):
        self.api, self.service, self.snapshot = f"{url}/api/v1", service, pathlib.Path(snapshot)
        self.incarnation = time.time_ns() // 1_000_000  # higher than that of any process here before
        self.own, self.offer = {}, {}
        self.instances = json.loads(self.snapshot.read_text()) if self.snapshot.exists() else {}
        self.source, self.sign = "snapshot", EMPTY
        self.stopped = threading.Event()

    def call(self, method, path, body=None, timeout=5, **headers):
        """JSON in, JSON and ETag out; None for "not modified". OSError: no answer that counts, try again."""
        data = None if body is None else json.dumps(body).encode()
        headers["Content-Type"] = "application/json"
        request = urllib.request.Request(self.api + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as response:
                return json.load(response), response.headers["ETag"]
        except urllib.error.HTTPError as error:
            if error.code == 304:
                return None, None
            if error.code == 429 or error.code >= 500:
                raise
            raise Refused(error.read().decode(errors="replace")) from None

    def register(self, port, host="127.0.0.1", **more):
        """Registers this process and beats for it, in the background, until `leave`."""
        self.own = {"service": self.service, "id": f"{host}:{port}", "incarnation": self.incarnation}
        self.offer = {**self.own, "host": host, "port": port, **more}
        threading.Thread(target=self._forever, args=(self._beat,), daemon=True).start()

    def _beat(self):
        answer, _ = self.call("POST", "/heartbeat", {"instances": [self.own]})
        if answer["deregistered"] or answer["superseded"]:
            raise Refused(f"{self.own['id']} was taken out, or another process has it: {answer}")
        if answer["unknown"]:  # the first time, and after a registry lost its memory
            self.call("POST", "/register", {"instances": [self.offer]})
        self.stopped.wait(5)

    def watch(self, changed):
        """Follows the service in the background; `changed()` is called when the list may be another one."""
        threading.Thread(target=self._forever, args=(self._poll, changed), daemon=True).start()

    def _poll(self, changed):
        path = f"/services/{self.service}?wait=30s"
        view, sign = self.call("GET", path, timeout=40, **{"If-None-Match": self.sign})
        if view is None:
            return
        listed = {each["id"]: each for each in view["instances"]}
        # A registry that began with nothing does not know yet which instances live: what is missing may.
        self.instances = {**self.instances, **listed} if view["stale"] else listed
        self.sign, self.source = EMPTY if view["stale"] else sign, "registry"
        written = self.snapshot.with_suffix(f".{os.getpid()}")
        written.write_text(json.dumps(self.instances))
        written.replace(self.snapshot)  # whole or not at all
        changed()
        self.stopped.wait(1 if view["stale"] else 0)

    def candidates(self):
        """Those that can be called: all that are up, else those in doubt. From memory, never from the network."""
        by_state = lambda state: [each for each in self.instances.values() if each["state"] == state]
        return by_state("up") or by_state("suspect")

    def leave(self):
        """Takes this process out of the list. Serve for a second more: calls may be on their way."""
        self.stopped.set()
        self.call("POST", "/deregister", {"instances": [self.own]})

    def _forever(self, step, *args):
        pause = 0.1
        while not self.stopped.is_set():
            try:
                step(*args)
                pause = 0.1
            except Refused as error:
                return print(f"rollcall: {error}", file=sys.stderr)
            except (OSError, ValueError, http.client.HTTPException):  # no registry, or half an answer
                self.stopped.wait(random.uniform(0, pause))
                pause = min(2 * pause, 5)


if __name__ == "__main__":
    url, service, port, snapshot = sys.argv[1:]
    rollcall = Rollcall(url, service, snapshot)
    show = lambda: print(f"{rollcall.source}:", *sorted(each["id"] for each in rollcall.candidates()), flush=True)
    show()
    rollcall.register(int(port))
    rollcall.watch(show)
    signal.signal(signal.SIGTERM, lambda *_: rollcall.stopped.set())
    rollcall.stopped.wait()
    rollcall.leave()
