// Pusher's library for Node against our broker: every call of the HTTP API, and our webhooks.

import { test, before, after } from "node:test";
import assert from "node:assert/strict";
import Pusher from "pusher";
import { app, startBroker } from "./broker.js";
import { startAuthEndpoint } from "./auth-endpoint.js";
import { happened } from "./happened.js";

let broker, endpoint, client;
before(async () => {
  [broker, endpoint] = await Promise.all([startBroker(), startAuthEndpoint()]);
  client = broker.client(endpoint, "ada");
});
after(async () => {
  client.disconnect();
  endpoint.stop();
  assert.equal(await broker.stop(), 0);
});

async function subscribed(name) {
  const channel = client.subscribe(name);
  await happened(channel, "pusher:subscription_succeeded");
  return channel;
}

async function answer(call) {
  const response = await call;
  assert.equal(response.status, 200);
  return response.json();
}

function refused(call, status, text) {
  return assert.rejects(call, (error) => {
    assert.ok(error instanceof Pusher.RequestError);
    assert.equal(error.status, status);
    assert.match(error.body, text);
    return true;
  });
}

test("trigger on one channel and on many", async () => {
  const [one, two] = [await subscribed("one"), await subscribed("two")];
  const received = [happened(one, "change"), happened(two, "change")];
  assert.deepEqual(await answer(broker.api.trigger(["one", "two"], "change", { n: 1 })), {});
  assert.deepEqual(await Promise.all(received), [{ n: 1 }, { n: 1 }]);
});

test("trigger returns the requested attributes", async () => {
  await subscribed("counted");
  const received = await answer(broker.api.trigger(["counted", "empty"], "change", "", { info: "subscription_count" }));
  assert.deepEqual(received, { channels: { counted: { subscription_count: 1 }, empty: { subscription_count: 0 } } });
});

test("a batch keeps its order, encrypts, and returns attributes", async () => {
  const [open, sealed] = [await subscribed("batched"), await subscribed("private-encrypted-batched")];
  const seen = [];
  open.bind("change", ({ n }) => seen.push(n));
  const last = happened(open, "change", ({ n }) => n === 2);
  const secret = happened(sealed, "change");
  const received = await answer(broker.api.triggerBatch([
    { channel: "batched", name: "change", data: { n: 1 }, info: "subscription_count" },
    { channel: "private-encrypted-batched", name: "change", data: { n: 3 } },
    { channel: "batched", name: "change", data: { n: 2 } },
  ]));
  assert.deepEqual(received, { batch: [{ subscription_count: 1 }, {}, {}] });
  await last;
  assert.deepEqual(seen, [1, 2]);
  assert.deepEqual(await secret, { n: 3 });
});

test("channels by prefix, one channel, and the users of a presence channel are listed", async () => {
  await Promise.all([subscribed("presence-listed"), subscribed("private-listed"), subscribed("cache-listed")]);
  const channels = (params) => answer(broker.api.get({ path: "/channels", params }));
  const all = Object.keys((await channels({})).channels);
  for (const name of ["presence-listed", "private-listed", "cache-listed"]) assert.ok(all.includes(name), name);
  assert.deepEqual(await channels({ filter_by_prefix: "presence-", info: "user_count" }), {
    channels: { "presence-listed": { user_count: 1 } },
  });
  assert.deepEqual(await answer(broker.api.get({ path: "/channels/presence-listed", params: { info: "user_count,subscription_count" } })),
    { occupied: true, user_count: 1, subscription_count: 1 });
  assert.deepEqual(await answer(broker.api.get({ path: "/channels/nobody" })), { occupied: false });
  assert.deepEqual(await answer(broker.api.get({ path: "/channels/presence-listed/users" })), { users: [{ id: "ada" }] });
  await answer(broker.api.trigger("cache-listed", "change", { n: 1 }));
  const { cache } = await answer(broker.api.get({ path: "/channels/cache-listed", params: { info: "cache" } }));
  assert.equal(cache.data, '{"n":1}');
  assert.ok(cache.ttl > 0 && cache.ttl <= 30 * 60, cache.ttl);
});

test("a user receives events, and their connections are terminated", async () => {
  const eve = broker.client(endpoint, "eve");
  try {
    const signedIn = happened(eve.connection, "message", ({ event, channel }) =>
      event === "pusher_internal:subscription_succeeded" && channel === "#server-to-user-eve");
    eve.signin();
    await signedIn;
    const received = happened(eve.user, "greeting");
    assert.deepEqual(await answer(broker.api.sendToUser("eve", "greeting", { n: 1 })), {});
    assert.deepEqual(await received, { n: 1 });
    const ended = happened(eve.connection, "disconnected");
    assert.deepEqual(await answer(broker.api.terminateUserConnections("eve")), {});
    await ended;
  } finally {
    eve.disconnect();
  }
});

test("invalid requests are refused with Pusher's status", async () => {
  const { api } = broker;
  const { host, port } = api.config;
  await refused(new Pusher({ ...app, secret: "another", host, port }).trigger("one", "change", ""), 401, /signature/i);
  await refused(new Pusher({ ...app, key: "another", host, port }).trigger("one", "change", ""), 401, /auth_key/);
  await refused(new Pusher({ ...app, appId: "7", host, port }).trigger("one", "change", ""), 404, /app/);
  await refused(api.trigger("one", "change", "x".repeat(10_241)), 413, /10240/);
  await refused(api.triggerBatch(Array.from({ length: 11 }, () => ({ channel: "one", name: "n", data: "" }))), 400, /./);
  await refused(api.get({ path: "/channels", params: { info: "user_count" } }), 400, /presence/);
  await refused(api.get({ path: "/channels/one/users" }), 400, /presence/);
  await refused(api.post({ path: "/events", body: { name: "n", data: "", channel: "no spaces" } }), 400, /channel/i);
});

for (const [kind, made] of Object.entries({
  channel_occupied: async (name) => { await subscribed(name); },
  channel_vacated: async (name) => { await subscribed(name); client.unsubscribe(name); },
  member_added: async (name) => { await subscribed(name); },
  member_removed: async (name) => { await subscribed(name); client.unsubscribe(name); },
  client_event: async (name) => { (await subscribed(name)).trigger("client-typing", { on: true }); },
  cache_miss: async (name) => { await subscribed(name); },
  subscription_count: async (name) => { await subscribed(name); },
})) {
  test(`the webhook ${kind} is accepted by Pusher's library`, async () => {
    const prefix = { member_added: "presence-", member_removed: "presence-", client_event: "presence-", cache_miss: "cache-" }[kind] ?? "";
    const channel = `${prefix}hook-${kind}`;
    await made(channel);
    const { headers, body } = await broker.webhook((event) => event.name === kind && event.channel === channel);
    const webhook = broker.api.webhook({ headers, rawBody: body });
    assert.ok(webhook.isValid());
    assert.ok(!broker.api.webhook({ headers, rawBody: `${body} ` }).isValid());
    assert.ok(Math.abs(webhook.getTime() - Date.now()) < 60_000);
    const received = webhook.getEvents().find((event) => event.name === kind && event.channel === channel);
    const { name, channel: _, socket_id, ...rest } = received;
    const more = {
      member_added: { user_id: "ada" },
      member_removed: { user_id: "ada" },
      client_event: { event: "client-typing", data: '{"on":true}', user_id: "ada" },
      subscription_count: { subscription_count: 1 },
    };
    assert.deepEqual(rest, more[kind] ?? {});
    if (kind === "client_event") assert.equal(socket_id, client.connection.socket_id);
  });
}
