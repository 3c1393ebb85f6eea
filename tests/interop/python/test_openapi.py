"""Schemathesis reads /openapi.json of a running server, sends valid and invalid requests, and checks the answers."""

import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

PROGRAM = os.environ["INTERNAL_NOTIFICATIONS_BIN"]
API_KEY = "an-api-key-of-thirty-two-bytes-or-so"
SECRET = "a-secret-of-thirty-two-bytes-or-more"
SEED = os.environ.get("INTEROP_SEED", str(int(time.time())))
# A request can match the schema and break a rule that no schema expresses, such as `ids` without
# `all`.
EXCLUDED_CHECKS = "positive_data_acceptance"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class OpenApi(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder, port = tempfile.TemporaryDirectory(), free_port()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.url = f"http://127.0.0.1:{port}"
        variables = {
            "INTERNAL_NOTIFICATIONS_LISTEN": f"127.0.0.1:{port}",
            "INTERNAL_NOTIFICATIONS_DATABASE_URL": f"sqlite://{cls.folder}/inbox.db",
            "INTERNAL_NOTIFICATIONS_JWT_SECRET": SECRET,
            "INTERNAL_NOTIFICATIONS_API_KEYS": f"shop:{API_KEY}",
        }
        environment = {**os.environ, **variables}
        server = subprocess.Popen([PROGRAM, "serve"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        cls.addClassCleanup(server.wait)
        cls.addClassCleanup(server.terminate)
        token = [PROGRAM, "token", "--user", "ada", "--push"]
        cls.token = subprocess.run(token, env=environment, check=True, capture_output=True, text=True).stdout.strip()
        cls.description = cls.read_description()

    @classmethod
    def read_description(cls):
        end = time.monotonic() + 20
        while True:
            try:
                with urllib.request.urlopen(f"{cls.url}/openapi.json") as answer:
                    return json.load(answer)
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)

    def run_schemathesis(self, bearer, description=None, **options):
        arguments = ["--exclude-path-regex", "^/apps?/", "--exclude-checks", EXCLUDED_CHECKS, "--seed", SEED, "--no-color"]
        for name, value in options.items():
            arguments += [f"--{name.replace('_', '-')}", value]
        source = f"{self.url}/openapi.json"
        if description is not None:
            source = self.folder / "changed.json"
            source.write_text(json.dumps(description))
            arguments += ["--url", self.url]
        program = [pathlib.Path(sys.executable).with_name("schemathesis"), "run", source, *arguments]
        program += ["--header", f"Authorization: Bearer {bearer}"]
        return subprocess.run(program, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def test_a_user_receives_the_described_answers(self):
        run = self.run_schemathesis(self.token, max_examples="20")
        self.assertEqual(run.returncode, 0, f"seed {SEED}\n{run.stdout}")

    def test_a_backend_receives_the_described_answers(self):
        run = self.run_schemathesis(API_KEY, max_examples="10")
        self.assertEqual(run.returncode, 0, f"seed {SEED}\n{run.stdout}")

    def test_a_wrong_description_is_found(self):
        self.description["components"]["schemas"]["InboxPage"]["allOf"][1]["required"].append("no_such_key")
        run = self.run_schemathesis(self.token, self.description, max_examples="5", include_path="/v1/inbox")
        self.assertIn("no_such_key", run.stdout)
        self.assertEqual(run.returncode, 1)


if __name__ == "__main__":
    unittest.main()
