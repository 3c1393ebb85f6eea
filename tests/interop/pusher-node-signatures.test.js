// Pusher's library for Node and our signer make the same signatures of random inputs. A failure
// prints its seed, and INTEROP_SEED repeats it.

import { test, before, after } from "node:test";
import assert from "node:assert/strict";
import Pusher from "pusher";
import nacl from "tweetnacl";
import { app } from "./broker.js";
import { startSigner } from "./signer.js";

const ROUNDS = 500;
const seed = Number(process.env.INTEROP_SEED ?? Date.now() % 1e9);
const pusher = new Pusher({ ...app, host: "unused" });
let signer;
before(() => { signer = startSigner(); });
after(async () => { assert.equal(await signer.stop(), 0); });

/** Returns a generator of numbers from 0 to below 1 with a seed (mulberry32). */
function random(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const draw = random(seed);
const below = (limit) => Math.floor(draw() * limit);
const pick = (from) => from[below(from.length)];
const many = (limit, make) => Array.from({ length: below(limit) }, make);
const NAME = [..."abzAZ059_-=@,.;"];
const TEXT = [..."aZ0 \"\\/<>&'\n\t\u0000\u2028éß漢", "\u{1F600}", "\u{10FFFF}"];
const name = (prefix, limit) => prefix + pick(NAME) + many(limit, () => pick(NAME)).join("");
const text = () => many(40, () => pick(TEXT)).join("");
const socketId = () => `${below(1e10)}.${below(1e10)}`;
const value = (depth = 2) => pick([
  () => text(), () => below(1e6), () => draw(), () => pick([true, false, null]),
  () => (depth ? many(4, () => value(depth - 1)) : []),
  () => (depth ? Object.fromEntries(many(4, () => [text(), value(depth - 1)])) : {}),
])();

function claim(what, round) {
  test(`${what}, ${ROUNDS} times from the seed ${seed}`, async () => {
    for (let n = 0; n < ROUNDS; n += 1) await round();
  });
}

claim("private and encrypted channels are authorized alike", async () => {
  const [socket_id, channel] = [socketId(), name(pick(["private-", "private-cache-", "private-encrypted-"]), 100)];
  assert.deepEqual(await signer.ask({ ask: "channel", socket_id, channel }), pusher.authorizeChannel(socket_id, channel));
});

claim("presence channels are authorized alike", async () => {
  const [socket_id, channel] = [socketId(), name(pick(["presence-", "presence-cache-"]), 100)];
  const theirs = pusher.authorizeChannel(socket_id, channel, { user_id: name("", 20), user_info: value() });
  const ours = await signer.ask({ ask: "channel", socket_id, channel, channel_data: theirs.channel_data });
  assert.deepEqual(ours, theirs);
});

claim("users are authenticated alike", async () => {
  const socket_id = socketId();
  const theirs = pusher.authenticateUser(socket_id, { id: name("", 20), user_info: value(), watchlist: many(5, () => name("", 9)) });
  assert.deepEqual(await signer.ask({ ask: "user", socket_id, user_data: theirs.user_data }), theirs);
});

claim("HTTP API requests are signed alike", async () => {
  const method = pick(["GET", "POST"]);
  const path = `/apps/1815/${name("", 30)}`;
  // Our signer refuses control characters and & in values: the scheme does not encode them.
  const plain = () => text().replace(/[&\p{Cc}]/gu, "");
  const params = Object.fromEntries(many(4, () => [name("", 8).toLowerCase().replace(/=/g, ""), plain()]).filter(([key]) => key));
  const body = method === "POST" ? JSON.stringify(value()) : undefined;
  const theirs = pusher.createSignedQueryString({ method, path, params, body });
  const now = Number(/auth_timestamp=(\d+)/.exec(theirs)[1]);
  const ours = await signer.ask({ ask: "request", method, path, params: Object.entries(params), body, now });
  assert.equal(ours.query, theirs);
});

claim("we accept webhooks that Pusher's library signs, and no other text", async () => {
  const body = JSON.stringify({ time_ms: below(1e12), events: many(4, () => ({ name: "cache_miss", channel: name("cache-", 9) })) });
  const question = { ask: "webhook", content_type: "application/json", key: app.key, signature: pusher.config.token.sign(body) };
  const { time_ms, events } = JSON.parse(body);
  assert.deepEqual(await signer.ask({ ...question, body }), { events: events.length, time_ms });
  assert.ok((await signer.ask({ ...question, body: `${body} ` })).error);
});

claim("encrypted data is sealed alike, and opened", async () => {
  const [channel, data] = [name("private-encrypted-", 100), JSON.stringify(value())];
  const key = pusher.channelSharedSecret(channel);
  const nonce = Array.from({ length: 24 }, () => below(256));
  const ciphertext = nacl.secretbox(Buffer.from(data), Uint8Array.from(nonce), key);
  const theirs = JSON.stringify({ nonce: Buffer.from(nonce).toString("base64"), ciphertext: Buffer.from(ciphertext).toString("base64") });
  assert.equal((await signer.ask({ ask: "seal", channel, nonce, data })).data, theirs);
  assert.equal((await signer.ask({ ask: "open", channel, data: theirs })).data, data);
});
