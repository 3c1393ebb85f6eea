// Laravel Echo against our server: a user's private channel, and the sign-in.

import { test, before, after } from "node:test";
import assert from "node:assert/strict";
import Echo from "laravel-echo";
import Pusher from "pusher-js";
import { apiKey, startServer } from "./server.js";
import { happened, next } from "./happened.js";

let server;
before(async () => { server = await startServer(); });
after(async () => { assert.equal(await server.stop(), 0, "the server shuts down gracefully"); });

async function echo(user) {
  const token = server.token(user);
  const { body: realtime } = await server.request("GET", "/v1/realtime", token);
  const { hostname, port } = new URL(server.url);
  return new Echo({
    broadcaster: "pusher",
    Pusher,
    key: realtime.key,
    cluster: "",
    wsHost: hostname,
    wsPort: Number(port),
    forceTLS: false,
    enabledTransports: ["ws"],
    // Echo's default path, on our server.
    authEndpoint: `${server.url}/broadcasting/auth`,
    userAuthentication: { endpoint: `${server.url}/broadcasting/user-auth`, headers: {} },
    bearerToken: token,
  });
}

test("Echo receives the notifications of its own user", async () => {
  const ada = await echo("ada");
  try {
    const channel = ada.private("ada");
    await next("the subscription", (listener) => channel.subscribed(listener));
    const received = next("the notification", (listener) => channel.listen(".internal-notification", listener));
    const notification = { heading: "Order 1815", content: "On its way" };
    const push = await server.request("POST", "/v1/notifications", apiKey, { user_ids: ["ada"], notification });
    const read = await received;
    assert.equal(read.id, push.body.id);
    assert.equal(read.content, "On its way");
  } finally {
    ada.disconnect();
  }
});

test("Echo cannot subscribe to another user's channel", async () => {
  const bob = await echo("bob");
  try {
    const error = await next("the refusal", (listener) => bob.private("ada").error(listener));
    assert.equal(error.status, 403);
  } finally {
    bob.disconnect();
  }
});

test("Echo signs its user in", async () => {
  const ada = await echo("ada");
  try {
    const signedIn = happened(ada.connector.pusher.connection, "message", ({ event }) => event === "pusher:signin_success");
    ada.connector.signin();
    assert.equal(JSON.parse((await signedIn).data.user_data).id, "ada");
  } finally {
    ada.disconnect();
  }
});
