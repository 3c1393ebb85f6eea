// The official JavaScript client against our server: a user's private channel, and the sign-in.

import { test, before, after } from "node:test";
import assert from "node:assert/strict";
import Pusher from "pusher-js";
import { apiKey, startServer } from "./server.js";
import { happened } from "./happened.js";

let server;
before(async () => { server = await startServer(); });
after(async () => { assert.equal(await server.stop(), 0, "the server shuts down gracefully"); });

async function connect(user) {
  const realtime = (await server.request("GET", "/v1/realtime", server.token(user))).body;
  const { hostname, port } = new URL(server.url);
  const pusher = new Pusher(realtime.key, {
    cluster: "",
    wsHost: hostname,
    wsPort: Number(port),
    forceTLS: false,
    enabledTransports: ["ws"],
    channelAuthorization: {
      endpoint: `${server.url}${realtime.auth_endpoint}`,
      headers: { authorization: `Bearer ${server.token(user)}` },
    },
    userAuthentication: {
      endpoint: `${server.url}/pusher/user-auth`,
      headers: { authorization: `Bearer ${server.token(user)}` },
    },
  });
  return { pusher, realtime };
}

test("pusher-js receives the notifications of its own user", async () => {
  const { pusher, realtime } = await connect("ada");
  try {
    const channel = pusher.subscribe("private-ada");
    assert.equal(realtime.channel, "private-ada");
    await happened(channel, "pusher:subscription_succeeded");

    const added = happened(channel, realtime.event);
    const notification = { heading: "Order 1815", content: "On its way", payload: { order: 1815 }, colour: "red" };
    const push = await server.request("POST", "/v1/notifications", apiKey, { user_ids: ["ada"], notification });
    assert.equal(push.status, 201);
    const read = await added;
    assert.equal(read.id, push.body.id);
    assert.equal(read.content, "On its way");
    assert.deepEqual(read.payload, { order: 1815 });
    assert.equal(read.colour, "red");
    assert.equal(read.inbox.seq, 1);
    assert.equal(read.inbox.pending, 1);

    const changed = happened(channel, realtime.changed_event);
    await server.request("POST", "/v1/inbox/opened", server.token("ada"), { ids: [push.body.id] });
    const change = await changed;
    assert.equal(change.kind, "opened");
    assert.deepEqual(change.ids, [push.body.id]);
    assert.equal(change.inbox.prev, read.inbox.tag);
    assert.equal(change.inbox.pending, 0);
  } finally {
    pusher.disconnect();
  }
});

test("pusher-js cannot subscribe to another user's channel", async () => {
  const { pusher } = await connect("bob");
  try {
    const error = await happened(pusher.subscribe("private-ada"), "pusher:subscription_error");
    assert.equal(error.status, 403);
  } finally {
    pusher.disconnect();
  }
});

test("pusher-js signs its user in, and does not reconnect after the backend closed the user's connections", async () => {
  const { pusher } = await connect("eve");
  try {
    const signedIn = happened(pusher.connection, "message", ({ event }) => event === "pusher:signin_success");
    pusher.signin();
    assert.equal(JSON.parse((await signedIn).data.user_data).id, "eve");
    const ended = happened(pusher.connection, "disconnected");
    assert.equal((await server.request("DELETE", "/v1/users/eve/connections", apiKey)).status, 204);
    await ended;
  } finally {
    pusher.disconnect();
  }
});
