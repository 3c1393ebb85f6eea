// Our broker in its own process, with every feature on. It prints its webhooks instead of sending
// them.

import { spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { createInterface } from "node:readline";
import Pusher from "pusher";
import PusherJs from "pusher-js";
import { next } from "./happened.js";

const { INTEROP_BIN: binary } = process.env;
if (!binary) throw new Error("INTEROP_BIN must be the path of the program `interop`");

/** The app, as in the program `interop`. */
export const app = {
  appId: "1815",
  key: "interop-key",
  secret: "interop-secret",
  encryptionMasterKeyBase64: Buffer.from("0123456789abcdef0123456789abcdef").toString("base64"),
};

export async function startBroker(port = 0) {
  const child = spawn(binary, ["broker", `127.0.0.1:${port}`], { stdio: ["pipe", "pipe", "inherit"] });
  const webhooks = [];
  const arrived = new EventEmitter();
  const lines = createInterface({ input: child.stdout });
  const [first] = await once(lines, "line");
  lines.on("line", (line) => { webhooks.push(JSON.parse(line)); arrived.emit("webhook"); });
  const [host, taken] = JSON.parse(first).listening.split(":");
  return {
    port: Number(taken),
    /** The HTTP API, called with Pusher's library for Node. */
    api: new Pusher({ ...app, host, port: taken, useTLS: false }),
    /** Returns a pusher-js client, authorized as `user` if there is an auth endpoint. */
    client(endpoint, user) {
      const headers = { "x-user": user };
      return new PusherJs(app.key, {
        cluster: "",
        wsHost: host,
        wsPort: Number(taken),
        forceTLS: false,
        enabledTransports: ["ws"],
        channelAuthorization: endpoint && { endpoint: `${endpoint.url}/auth`, headers },
        userAuthentication: endpoint && { endpoint: `${endpoint.url}/user-auth`, headers },
      });
    },
    /**
     * Returns the first webhook, past or future, with an event that `wanted` accepts: `{headers,
     * body}`.
     */
    webhook(wanted) {
      const found = () => webhooks.find(({ body }) => JSON.parse(body).events.some(wanted));
      const there = found();
      if (there) return there;
      return next("the webhook", (listener) => arrived.on("webhook", listener), () => found()).then(found);
    },
    async stop() {
      const ended = once(child, "exit");
      child.stdin.end();
      const [code] = await ended;
      return code;
    },
  };
}
