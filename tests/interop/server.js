// Our server, on a temporary database and a free port.

import { spawn, execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { once } from "node:events";
import { createInterface } from "node:readline";

const { INTERNAL_NOTIFICATIONS_BIN: binary, ...inherited } = process.env;
if (!binary) throw new Error("INTERNAL_NOTIFICATIONS_BIN must be the path of the binary");

export const apiKey = "interop-key-".padEnd(40, "k");
const secret = "interop-secret-".padEnd(40, "s");

export async function startServer() {
  const folder = mkdtempSync(join(tmpdir(), "interop-"));
  const env = {
    ...inherited,
    INTERNAL_NOTIFICATIONS_JWT_SECRET: secret,
    INTERNAL_NOTIFICATIONS_API_KEYS: `shop:${apiKey}`,
    INTERNAL_NOTIFICATIONS_DATABASE_URL: `sqlite://${join(folder, "inbox.db")}`,
    INTERNAL_NOTIFICATIONS_LISTEN: "127.0.0.1:0",
  };
  const child = spawn(binary, ["serve", "--json"], { env, stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  const { url } = JSON.parse(line);
  return {
    url,
    token: (user) => execFileSync(binary, ["token", "--user", user], { env, encoding: "utf8" }).trim(),
    async request(method, path, bearer, body) {
      const headers = { authorization: `Bearer ${bearer}`, "content-type": "application/json" };
      const answer = await fetch(url + path, { method, headers, body: body && JSON.stringify(body) });
      const text = await answer.text();
      return { status: answer.status, body: text && JSON.parse(text) };
    },
    async stop() {
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      const [code] = await ended;
      rmSync(folder, { recursive: true });
      return code;
    },
  };
}
