// The official JavaScript client against our broker: every kind of channel, and events between
// clients.

import { test, before, after, afterEach } from "node:test";
import assert from "node:assert/strict";
import { startBroker } from "./broker.js";
import { startAuthEndpoint } from "./auth-endpoint.js";
import { happened, RECONNECTING } from "./happened.js";

let broker, endpoint;
const clients = [];
before(async () => { [broker, endpoint] = await Promise.all([startBroker(), startAuthEndpoint()]); });
afterEach(() => { clients.splice(0).forEach((client) => client.disconnect()); });
after(async () => {
  endpoint.stop();
  assert.equal(await broker.stop(), 0, "the broker shuts down gracefully");
});

function connect(user) {
  const client = broker.client(endpoint, user);
  clients.push(client);
  return client;
}

async function subscribed(client, name) {
  const channel = client.subscribe(name);
  await happened(channel, "pusher:subscription_succeeded");
  return channel;
}

for (const name of ["news", "private-news", "private-encrypted-news", "presence-news", "cache-news",
  "private-cache-news", "private-encrypted-cache-news", "presence-cache-news"]) {
  test(`${name} delivers its events, objects and texts alike`, async () => {
    const channel = await subscribed(connect("ada"), name);
    for (const data of [{ n: 1, text: "Zoë \u{1F600}" }, "a plain text"]) {
      const received = happened(channel, "change");
      await broker.api.trigger(name, "change", data);
      assert.deepEqual(await received, data);
      channel.unbind("change");
    }
  });
}

test("a refusal of the auth endpoint is an error with its status", async () => {
  const error = await happened(connect("ada").subscribe("private-secret"), "pusher:subscription_error");
  assert.deepEqual([error.type, error.status], ["AuthError", 403]);
});

test("a signature with another secret is an error, and the connection stays open", async () => {
  const client = connect("ada");
  endpoint.resign({ secret: "another" });
  const failed = happened(client.connection, "error");
  client.subscribe("private-wrong");
  const { data } = await failed;
  endpoint.resign({});
  assert.match(data.message, /^Invalid signature/);
  await subscribed(client, "private-right");
});

test("an event reaches every connection but the excluded one", async () => {
  const [one, other] = [connect("ada"), connect("bob")];
  const [mine, theirs] = [await subscribed(one, "shared"), await subscribed(other, "shared")];
  const seen = [];
  mine.bind("change", ({ n }) => seen.push(n));
  const received = happened(theirs, "change", ({ n }) => n === 2);
  const last = happened(mine, "change", ({ n }) => n === 2);
  await broker.api.trigger("shared", "change", { n: 1 }, { socket_id: one.connection.socket_id });
  await broker.api.trigger("shared", "change", { n: 2 });
  await Promise.all([received, last]);
  assert.deepEqual(seen, [2]);
});

test("a user is added and removed once, with any number of connections", async () => {
  const channel = await subscribed(connect("ada"), "presence-room");
  assert.equal(channel.members.count, 1);
  assert.deepEqual(channel.members.me, { id: "ada", info: { name: "ada!" } });

  const added = happened(channel, "pusher:member_added");
  const [first, second] = [connect("bob"), connect("bob")];
  const theirs = await subscribed(first, "presence-room");
  assert.deepEqual(await added, { id: "bob", info: { name: "bob!" } });
  assert.deepEqual(Object.keys(theirs.members.members).sort(), ["ada", "bob"]);

  channel.bind("pusher:member_added", ({ id }) => assert.equal(id, "cyd", "bob is added only once"));
  await subscribed(second, "presence-room");
  const removed = happened(channel, "pusher:member_removed");
  const came = happened(channel, "pusher:member_added", ({ id }) => id === "cyd");
  first.disconnect();
  await subscribed(connect("cyd"), "presence-room");
  await came;
  assert.equal(channel.members.count, 3, "bob still has a connection");
  second.disconnect();
  assert.equal((await removed).id, "bob");
  assert.equal(channel.members.count, 2);
});

test("a cache channel delivers its last event, or a cache miss", async () => {
  const empty = connect("ada").subscribe("cache-weather");
  await happened(empty, "pusher:cache_miss");
  await broker.api.trigger("cache-weather", "change", { degrees: 20 });
  const channel = connect("bob").subscribe("cache-weather");
  assert.deepEqual(await happened(channel, "change"), { degrees: 20 });
});

test("the cached event of an encrypted channel is decrypted too", async () => {
  await broker.api.trigger("private-encrypted-cache-weather", "change", { degrees: 21 });
  const channel = connect("ada").subscribe("private-encrypted-cache-weather");
  assert.deepEqual(await happened(channel, "change"), { degrees: 21 });
});

test("after a change of the master key pusher-js gets the new key and continues", async () => {
  const channel = await subscribed(connect("ada"), "private-encrypted-rotated");
  const key = { encryptionMasterKeyBase64: Buffer.alloc(32, "n").toString("base64") };
  endpoint.resign(key);
  const received = happened(channel, "change");
  const { config } = broker.api;
  const before = config.encryptionMasterKey;
  config.encryptionMasterKey = Buffer.alloc(32, "n");
  try {
    await broker.api.trigger("private-encrypted-rotated", "change", { n: 1 });
    assert.deepEqual(await received, { n: 1 });
  } finally {
    config.encryptionMasterKey = before;
    endpoint.resign({});
  }
});

test("subscribers receive the subscription count", async () => {
  const channel = connect("ada").subscribe("counted");
  assert.equal((await happened(channel, "pusher:subscription_count")).subscription_count, 1);
  const two = happened(channel, "pusher:subscription_count", ({ subscription_count: count }) => count === 2);
  const other = connect("bob");
  await subscribed(other, "counted");
  await two;
  const one = happened(channel, "pusher:subscription_count", ({ subscription_count: count }) => count === 1);
  other.unsubscribe("counted");
  await one;
  assert.equal(channel.subscriptionCount, 1);
});

test("a client event reaches the others, with its sender on a presence channel", async () => {
  for (const [name, sender] of [["private-talk", undefined], ["presence-talk", "ada"]]) {
    const mine = await subscribed(connect("ada"), name);
    const theirs = await subscribed(connect("bob"), name);
    const received = new Promise((resolve) => theirs.bind("client-typing", (...received) => resolve(received)));
    mine.bind("client-typing", () => assert.fail("the sender must not receive a copy"));
    assert.ok(mine.trigger("client-typing", { on: true }));
    const [data, metadata] = await received;
    assert.deepEqual(data, { on: true });
    assert.equal(metadata?.user_id, sender);
  }
});

test("a client event is refused on a public channel, without a subscription, and above ten a second", async () => {
  const client = connect("ada");
  const refused = (wanted) => happened(client.connection, "error", ({ data }) => wanted(data));
  const open = await subscribed(client, "talk");
  const onPublic = refused(({ message }) => /only supported on private and presence channels/.test(message));
  open.trigger("client-typing", {});
  await onPublic;
  const notSubscribed = refused(({ message }) => /not subscribed to channel private-other/.test(message));
  client.send_event("client-typing", {}, "private-other");
  await notSubscribed;
  const channel = await subscribed(client, "private-talk");
  const tooMany = refused(({ code }) => code === 4301);
  for (let n = 0; n < 11; n += 1) channel.trigger("client-typing", { n });
  await tooMany;
});

test("an unsubscribed channel delivers nothing more", async () => {
  const client = connect("ada");
  const channel = await subscribed(client, "left");
  channel.bind("change", () => assert.fail("the channel was unsubscribed"));
  client.unsubscribe("left");
  const other = await subscribed(client, "kept");
  const received = happened(other, "change");
  await broker.api.trigger(["left", "kept"], "change", {});
  await received;
});

function watched(client, event, id, deadline) {
  return happened(client.user.watchlist, event, ({ user_ids: ids }) => ids.includes(id), deadline);
}

test("a signed-in user receives their own events and can join a presence channel", async () => {
  const client = connect("ada");
  client.signin();
  const channel = await subscribed(client, "presence-signed-in");
  assert.deepEqual(channel.members.me, { id: "ada", info: { name: "ada!" } });
  assert.equal(client.user.user_data.id, "ada");
  const received = happened(client.user, "greeting");
  // pusher-js subscribes to its user's channel some time after the sign-in.
  const again = setInterval(() => broker.api.sendToUser("ada", "greeting", { n: 1 }), 50);
  try {
    assert.deepEqual(await received, { n: 1 });
  } finally {
    clearInterval(again);
  }
});

test("a watchlist reports who goes online and offline", async () => {
  const client = connect("ada");
  const [self, away] = [watched(client, "online", "ada"), watched(client, "offline", "bob")];
  client.signin();
  await Promise.all([self, away]);
  const came = watched(client, "online", "bob");
  const other = connect("bob");
  other.signin();
  await came;
  const went = watched(client, "offline", "bob");
  other.disconnect();
  await went;
});

test("terminated connections of a user stay closed", async () => {
  const client = connect("eve");
  client.signin();
  await subscribed(client, "presence-signed-in");
  const ended = happened(client.connection, "disconnected");
  await broker.api.terminateUserConnections("eve");
  await ended;
  assert.equal(client.connection.state, "disconnected");
});

test("subscriptions, members and the sign-in survive a restart of the broker", async () => {
  const [client, other] = [connect("ada"), connect("bob")];
  client.signin();
  const room = await subscribed(client, "presence-restart");
  const sealed = await subscribed(client, "private-encrypted-restart");
  await subscribed(other, "presence-restart");
  const before = client.connection.socket_id;
  const back = [
    happened(room, "pusher:subscription_succeeded", undefined, RECONNECTING),
    happened(sealed, "pusher:subscription_succeeded", undefined, RECONNECTING),
    watched(client, "online", "ada", RECONNECTING),
  ];
  assert.equal(await broker.stop(), 0);
  broker = await startBroker(broker.port);
  await Promise.all(back);
  assert.notEqual(client.connection.socket_id, before);
  if (room.members.count < 2) await happened(room, "pusher:member_added");
  assert.deepEqual(Object.keys(room.members.members).sort(), ["ada", "bob"]);
  const received = happened(sealed, "change");
  await broker.api.trigger("private-encrypted-restart", "change", { n: 1 });
  assert.deepEqual(await received, { n: 1 });
});
