"""Pusher's library for Python against our broker's HTTP API (every call) and our signer (byte for byte)."""

import base64
import json
import os
import random
import subprocess
import time
import unittest

import pusher
import pusher.http
import pusher.signature
from pusher.errors import PusherBadAuth, PusherBadRequest, PusherBadStatus

from subscriber import Subscriber

PROGRAM = os.environ["INTEROP_BIN"]
KEY, SECRET, MASTER_KEY = "interop-key", "interop-secret", b"0123456789abcdef0123456789abcdef"
ROUNDS = 500
SEED = int(os.environ.get("INTEROP_SEED", time.time()))


def client(port=1, **other):
    options = {"app_id": "1815", "key": KEY, "secret": SECRET, **other}
    return pusher.Pusher(
        host="127.0.0.1",
        port=port,
        ssl=False,
        encryption_master_key_base64=base64.b64encode(MASTER_KEY).decode(),
        **options,
    )


class Program:
    """Our program, which reads and writes one JSON value per line."""

    def __init__(self, *arguments):
        self.child = subprocess.Popen([PROGRAM, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8")

    def read(self):
        return json.loads(self.child.stdout.readline())

    def ask(self, **question):
        self.child.stdin.write(json.dumps(question) + "\n")
        self.child.stdin.flush()
        return self.read()

    def stop(self):
        self.child.stdin.close()
        code = self.child.wait(30)
        self.child.stdout.close()
        return code


def rounds(test):
    """Runs the test many times, each with its own random seed, which a failure reports."""

    def run(self):
        for n in range(ROUNDS):
            with self.subTest(seed=SEED, round=n):
                test(self, random.Random(f"{SEED} {n}"))

    return run


class HttpApi(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.broker = Program("broker", "127.0.0.1:0")
        cls.port = int(cls.broker.read()["listening"].rpartition(":")[2])
        cls.pusher = client(cls.port)

    @classmethod
    def tearDownClass(cls):
        cls.pusher._pusher_client.http.session.close()
        assert cls.broker.stop() == 0, "the broker shuts down gracefully"

    def cached(self, channel):
        return self.pusher.channel_info(channel, ["cache"])["cache"]["data"]

    def test_trigger_reaches_every_channel(self):
        self.assertEqual(self.pusher.trigger(["cache-one", "cache-two"], "change", {"name": "Zoë"}), {})
        for channel in ["cache-one", "cache-two"]:
            self.assertEqual(json.loads(self.cached(channel)), {"name": "Zoë"})
        self.assertEqual(self.pusher.trigger("cache-one", "change", "text", "1.1"), {})
        self.assertEqual(self.cached("cache-one"), "text")

    def test_a_batch_keeps_its_order(self):
        batch = [{"channel": "cache-batch", "name": "change", "data": {"n": n}} for n in (1, 2)]
        self.assertEqual(self.pusher.trigger_batch(batch), {})
        self.assertEqual(json.loads(self.cached("cache-batch")), {"n": 2})

    def test_our_signer_opens_what_python_seals(self):
        channel = "private-encrypted-cache-sealed"
        self.pusher.trigger(channel, "change", {"n": 1})
        signer = Program("signer")
        opened = signer.ask(ask="open", channel=channel, data=self.cached(channel))
        self.assertEqual(signer.stop(), 0)
        self.assertEqual(json.loads(opened["data"]), {"n": 1})

    def test_channels_and_users_are_listed(self):
        subscriber = self.subscriber()
        ada = {"user_id": "ada", "user_info": {"name": "Zoë"}}
        subscriber.subscribe("presence-room", self.pusher.authenticate("presence-room", subscriber.socket_id, ada))
        subscriber.subscribe("private-room", self.pusher.authenticate("private-room", subscriber.socket_id))
        answer = self.pusher.channels_info("presence-", ["user_count"])
        self.assertEqual(answer, {"channels": {"presence-room": {"user_count": 1}}})
        self.assertLessEqual({"presence-room", "private-room"}, self.pusher.channels_info()["channels"].keys())
        answer = self.pusher.channel_info("presence-room", ["user_count", "subscription_count"])
        self.assertEqual(answer, {"occupied": True, "user_count": 1, "subscription_count": 1})
        self.assertEqual(self.pusher.users_info("presence-room"), {"users": [{"id": "ada"}]})
        self.assertEqual(self.pusher.channel_info("nobody"), {"occupied": False})

    def test_an_event_reaches_the_user_who_signed_in(self):
        subscriber = self.subscriber()
        subscriber.sign_in(self.pusher.authenticate_user(subscriber.socket_id, {"id": "ada"}))
        subscriber.subscribe("#server-to-user-ada")
        self.assertEqual(self.pusher.send_to_user("ada", "greeting", {"n": 1}), {})
        self.assertEqual(json.loads(subscriber.read("greeting")["data"]), {"n": 1})

    def subscriber(self):
        subscriber = Subscriber(self.port, KEY)
        self.addCleanup(subscriber.close)
        return subscriber

    def test_python_terminates_connections_at_a_path_that_does_not_exist(self):
        # Version 3.3.4 omits /apps/{id}. Pusher has no such path either.
        with self.assertRaises(PusherBadStatus) as refused:
            self.pusher.terminate_user_connections("ada")
        self.assertIn("404", str(refused.exception))

    def test_invalid_requests_are_refused_with_pushers_status(self):
        with self.assertRaises(PusherBadAuth):
            client(self.port, secret="another").trigger("one", "change", "")
        with self.assertRaises(PusherBadAuth):
            client(self.port, key="another").trigger("one", "change", "")
        with self.assertRaises(PusherBadRequest):
            self.pusher.users_info("public")
        with self.assertRaises(PusherBadRequest):
            self.pusher.channels_info(None, ["user_count"])
        with self.assertRaises(PusherBadStatus) as refused:
            self.pusher.trigger("one", "change", "x" * 10_241)
        self.assertIn("413", str(refused.exception))


class Signatures(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.signer = Program("signer")
        cls.pusher = client()

    @classmethod
    def tearDownClass(cls):
        assert cls.signer.stop() == 0

    @staticmethod
    def socket_id(draw):
        return f"{draw.randrange(10**10)}.{draw.randrange(10**10)}"

    @staticmethod
    def name(draw, limit):
        return "".join(draw.choices("abzAZ059_-=@,.;", k=draw.randint(1, limit)))

    @staticmethod
    def text(draw):
        return "".join(draw.choices('aZ0 "\\/<>&\n\0\u2028éß漢\U0001F600', k=draw.randrange(40)))

    @rounds
    def test_channels_are_authorized_alike(self, draw):
        channel, socket_id = draw.choice(["private-", "private-encrypted-", "private-cache-"]) + self.name(draw, 100), self.socket_id(draw)
        theirs = self.pusher.authenticate(channel, socket_id)
        if "shared_secret" in theirs:
            theirs["shared_secret"] = theirs["shared_secret"].decode()
        self.assertEqual(self.signer.ask(ask="channel", socket_id=socket_id, channel=channel), theirs)

    @rounds
    def test_members_are_authorized_alike(self, draw):
        channel, socket_id = "presence-" + self.name(draw, 100), self.socket_id(draw)
        theirs = self.pusher.authenticate(channel, socket_id, {"user_id": self.name(draw, 20), "user_info": self.text(draw)})
        ours = self.signer.ask(ask="channel", socket_id=socket_id, channel=channel, channel_data=theirs["channel_data"])
        self.assertEqual(ours, theirs)

    @rounds
    def test_users_are_authenticated_alike(self, draw):
        socket_id = self.socket_id(draw)
        theirs = self.pusher.authenticate_user(socket_id, {"id": self.name(draw, 20), "user_info": {"name": self.text(draw)}})
        self.assertEqual(self.signer.ask(ask="user", socket_id=socket_id, user_data=theirs["user_data"]), theirs)

    @rounds
    def test_requests_are_signed_alike(self, draw):
        body = {"name": self.text(draw), "n": draw.random()}
        path = "/apps/1815/" + self.name(draw, 20)
        request = pusher.http.Request(self.pusher._pusher_client, "POST", path, body)
        theirs = request.query_params
        ours = self.signer.ask(
            ask="request", method="POST", path=path, params=[], body=request.body.decode(), now=int(theirs["auth_timestamp"])
        )
        self.assertEqual(dict(pair.split("=", 1) for pair in ours["query"].split("&")), theirs)

    @rounds
    def test_data_is_sealed_alike(self, draw):
        channel, data, nonce = "private-encrypted-" + self.name(draw, 100), self.text(draw), draw.randbytes(24)
        theirs = pusher.crypto.encrypt(channel, data, MASTER_KEY, nonce)
        ours = self.signer.ask(ask="seal", channel=channel, nonce=list(nonce), data=data)["data"]
        self.assertEqual(json.loads(ours), theirs)
        self.assertEqual(self.signer.ask(ask="open", channel=channel, data=json.dumps(theirs)), {"data": data})

    @rounds
    def test_we_accept_webhooks_signed_by_python(self, draw):
        body = json.dumps({"time_ms": draw.randrange(10**12), "events": [{"name": "channel_occupied", "channel": self.text(draw)}]})
        question = {"ask": "webhook", "content_type": "application/json", "key": KEY, "signature": pusher.signature.sign(SECRET, body)}
        self.assertEqual(self.signer.ask(**question, body=body)["events"], 1)
        self.assertIn("error", self.signer.ask(**question, body=body + " "))


class Webhooks(unittest.TestCase):
    def test_python_accepts_our_webhooks(self):
        broker = Program("broker", "127.0.0.1:0")
        port = int(broker.read()["listening"].rpartition(":")[2])
        subscriber = Subscriber(port, KEY)
        subscriber.subscribe("news")
        webhook = broker.read()
        subscriber.close()
        self.assertEqual(broker.stop(), 0)
        headers, body = webhook["headers"], webhook["body"]
        read = client().validate_webhook(headers["x-pusher-key"], headers["x-pusher-signature"], body)
        self.assertIn({"name": "channel_occupied", "channel": "news"}, read["events"])
        self.assertIsNone(client().validate_webhook(headers["x-pusher-key"], headers["x-pusher-signature"], body + " "))


if __name__ == "__main__":
    unittest.main()
