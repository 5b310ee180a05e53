"""A service that uses a registry by a client of Python: registers, lists others and calls them by name."""
import json
import os
import signal
import sys
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlparse

NAME, SERVICE, PORT = os.environ["NAME"], os.environ["SERVICE"], int(os.environ["PORT"])
HOST, REGISTRY_PORT = os.environ["REGISTRY"].split(":")
METADATA = {"by": "python", "name": NAME}


class Eureka:
    def __init__(self):
        import py_eureka_client.eureka_client as client
        self.client = client
        client.init(
            eureka_server=f"http://{HOST}:{REGISTRY_PORT}/eureka/", app_name=SERVICE, instance_host="127.0.0.1",
            instance_ip="127.0.0.1", instance_port=PORT, renewal_interval_in_secs=1, duration_in_secs=3,
            metadata=METADATA)

    def listed(self, service):
        found = self.client.get_client().applications.get_application(service.upper()).up_instances
        return [{"host": each.ipAddr, "port": each.port.port, "metadata": each.metadata} for each in found]

    def call(self, service):
        return self.client.do_service(service, "/hello")

    def stop(self):
        self.client.stop()


class Consul:
    def __init__(self):
        import consul
        self.client = consul.Consul(host=HOST, port=int(REGISTRY_PORT))
        self.id = f"{SERVICE}-{NAME}"
        # Meta is not among the words of the older client: this service has tags.
        self.client.agent.service.register(
            SERVICE, service_id=self.id, address="127.0.0.1", port=PORT, tags=[f"name={NAME}", "by=python"],
            check=consul.Check.ttl("3s"))
        self.over = threading.Event()
        threading.Thread(target=self.beat, daemon=True).start()

    def beat(self):
        while True:
            try:
                self.client.agent.check.ttl_pass(f"service:{self.id}", "alive")
            except Exception as error:
                print("beat:", error, file=sys.stderr, flush=True)
            if self.over.wait(1):
                return

    def listed(self, service):
        _, found = self.client.health.service(service, passing=True)
        return [{
            "host": each["Service"]["Address"], "port": each["Service"]["Port"],
            "metadata": dict(tag.split("=", 1) for tag in each["Service"]["Tags"] if "=" in tag),
        } for each in found]

    def call(self, service):
        one = self.listed(service)[0]
        return urllib.request.urlopen(f"http://{one['host']}:{one['port']}/hello", timeout=5).read().decode()

    def stop(self):
        self.over.set()
        self.client.agent.service.deregister(self.id)


class Answers(BaseHTTPRequestHandler):
    def do_GET(self):
        asked = urlparse(self.path)
        service = parse_qs(asked.query).get("service", [""])[0]
        try:
            if asked.path == "/hello":
                status, text = 200, NAME
            elif asked.path == "/listed":
                status, text = 200, json.dumps(client.listed(service))
            elif asked.path == "/call":
                status, text = 200, client.call(service)
            else:
                status, text = 404, ""
        except Exception as error:
            status, text = 502, repr(error)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


def end(*_):
    raise SystemExit


signal.signal(signal.SIGTERM, end)
server = ThreadingHTTPServer(("127.0.0.1", PORT), Answers)
client = {"eureka": Eureka, "consul": Consul}[os.environ["PROTOCOL"]]()
threading.Thread(target=server.serve_forever, daemon=True).start()
try:
    print("ready", flush=True)
    while True:
        signal.pause()
finally:
    client.stop()
