// Laravel Echo against our broker: presence, whispers and Laravel's notifications.

import { test, before, after } from "node:test";
import assert from "node:assert/strict";
import Echo from "laravel-echo";
import Pusher from "pusher-js";
import { app, startBroker } from "./broker.js";
import { startAuthEndpoint } from "./auth-endpoint.js";
import { next } from "./happened.js";

let broker, endpoint;
const echoes = [];
before(async () => { [broker, endpoint] = await Promise.all([startBroker(), startAuthEndpoint()]); });
after(async () => {
  echoes.forEach((echo) => echo.disconnect());
  endpoint.stop();
  assert.equal(await broker.stop(), 0);
});

function echo(user) {
  const echo = new Echo({
    broadcaster: "pusher",
    Pusher,
    key: app.key,
    cluster: "",
    wsHost: "127.0.0.1",
    wsPort: broker.port,
    forceTLS: false,
    enabledTransports: ["ws"],
    authEndpoint: `${endpoint.url}/auth`,
    auth: { headers: { "x-user": user } },
  });
  echoes.push(echo);
  return echo;
}

const subscribed = (channel) => next(`the subscription to ${channel.name}`, (listener) => channel.subscribed(listener));

test("here, joining and leaving report who is in a presence channel", async () => {
  const channel = echo("ada").join("room");
  const here = await next("here", (listener) => channel.here(listener));
  assert.deepEqual(here, [{ name: "ada!" }]);
  const joined = next("joining", (listener) => channel.joining(listener));
  const left = next("leaving", (listener) => channel.leaving(listener));
  const other = echo("bob");
  await subscribed(other.join("room"));
  assert.deepEqual(await joined, { name: "bob!" });
  other.leave("room");
  assert.deepEqual(await left, { name: "bob!" });
});

for (const [kind, open] of [["private", (echo) => echo.private("talk")], ["presence", (echo) => echo.join("talk")]]) {
  test(`a whisper in a ${kind} channel reaches the others`, async () => {
    const [mine, theirs] = [open(echo("ada")), open(echo("bob"))];
    await Promise.all([subscribed(mine), subscribed(theirs)]);
    mine.listenForWhisper("typing", () => assert.fail("the sender gets no copy"));
    const received = next("the whisper", (listener) => theirs.listenForWhisper("typing", listener));
    mine.whisper("typing", { on: true });
    assert.deepEqual(await received, { on: true });
  });
}

test("a notification arrives as Laravel broadcasts it", async () => {
  const channel = echo("ada").private("App.Models.User.1");
  await subscribed(channel);
  const received = next("the notification", (listener) => channel.notification(listener));
  const notification = { id: "8f0e", type: "App\\Notifications\\OrderShipped", order: 1815 };
  const event = "Illuminate\\Notifications\\Events\\BroadcastNotificationCreated";
  await broker.api.trigger("private-App.Models.User.1", event, notification);
  assert.deepEqual(await received, notification);
});

test("an encrypted channel is readable, and a refusal of the endpoint is an error", async () => {
  const mine = echo("ada");
  const channel = mine.encryptedPrivate("sealed");
  await subscribed(channel);
  const received = next("the event", (listener) => channel.listen(".changed", listener));
  await broker.api.trigger("private-encrypted-sealed", "changed", { n: 1 });
  assert.deepEqual(await received, { n: 1 });
  const refused = await next("the error", (listener) => mine.private("x-secret").error(listener));
  assert.equal(refused.status, 403);
});
