"""A minimal subscriber over a plain socket."""

import json
import os
import base64
import socket
import struct


class Subscriber:
    def __init__(self, port, key):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.stream = self.socket.makefile("rb")
        nonce = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET /app/{key}?protocol=7&client=tests&version=1 HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
            f"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {nonce}\r\n\r\n".encode()
        )
        while self.stream.readline() != b"\r\n":
            pass
        self.socket_id = json.loads(self.read("pusher:connection_established")["data"])["socket_id"]

    def subscribe(self, channel, authorization=None):
        self.send({"event": "pusher:subscribe", "data": {"channel": channel, **(authorization or {})}})
        self.read("pusher_internal:subscription_succeeded")

    def sign_in(self, authentication):
        self.send({"event": "pusher:signin", "data": authentication})
        self.read("pusher:signin_success")

    def send(self, frame):
        payload = json.dumps(frame).encode()
        # The mask may be all zeros.
        self.socket.sendall(struct.pack("!BBH", 0x81, 0xFE, len(payload)) + bytes(4) + payload)

    def read(self, event):
        """Returns the next frame with this event."""
        while True:
            _, length = self.stream.read(2)
            if length == 126:
                (length,) = struct.unpack("!H", self.stream.read(2))
            frame = json.loads(self.stream.read(length))
            if frame["event"] == event:
                return frame

    def close(self):
        self.stream.close()
        self.socket.close()
