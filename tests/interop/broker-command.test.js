// The `broker` command: client events if allowed, and webhooks over HTTP.

import { test, before, after } from "node:test";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import Pusher from "pusher";
import PusherJs from "pusher-js";
import { happened, next } from "./happened.js";

const app = { appId: "1", key: "command-key", secret: "command-secret" };
const arrived = new EventEmitter();
const backend = createServer(async (request, response) => {
  const rawBody = await text(request);
  response.end();
  arrived.emit("webhook", { headers: request.headers, rawBody });
});
let child, api, client;

before(async () => {
  backend.listen(0, "127.0.0.1");
  await once(backend, "listening");
  const webhook = `http://127.0.0.1:${backend.address().port}/webhooks`;
  const { INTERNAL_NOTIFICATIONS_BIN: binary, ...inherited } = process.env;
  child = spawn(binary, ["broker", "--listen", "127.0.0.1:0", "--client-events", "--webhook", webhook, "--json"], {
    env: { ...inherited, PUSHER_APP_ID: app.appId, PUSHER_APP_KEY: app.key, PUSHER_APP_SECRET: app.secret },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  const { hostname, port } = new URL(JSON.parse(line).url);
  api = new Pusher({ ...app, host: hostname, port, useTLS: false });
  const customHandler = ({ socketId, channelName }, callback) => callback(null, api.authorizeChannel(socketId, channelName));
  client = () => new PusherJs(app.key, {
    cluster: "",
    wsHost: hostname,
    wsPort: Number(port),
    forceTLS: false,
    enabledTransports: ["ws"],
    channelAuthorization: { customHandler },
  });
});

after(async () => {
  backend.close();
  backend.closeAllConnections();
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  assert.equal((await ended)[0], 0, "the broker shuts down gracefully");
});

test("a client event reaches the other client, and the backend as a genuine webhook", async () => {
  const clients = [client(), client()];
  try {
    const [mine, theirs] = clients.map((client) => client.subscribe("private-talk"));
    await Promise.all([mine, theirs].map((channel) => happened(channel, "pusher:subscription_succeeded")));
    const received = happened(theirs, "client-typing");
    const sent = next("the webhook", (listener) => arrived.on("webhook", listener), ({ rawBody }) => rawBody.includes("client_event"));
    mine.trigger("client-typing", { on: true });
    assert.deepEqual(await received, { on: true });
    const webhook = api.webhook(await sent);
    assert.ok(webhook.isValid());
    const { channel, event, data } = webhook.getEvents().find(({ name }) => name === "client_event");
    assert.deepEqual([channel, event, data], ["private-talk", "client-typing", '{"on":true}']);
  } finally {
    clients.forEach((client) => client.disconnect());
  }
});
