// Our signer in its own process: one question and one answer per line.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

export function startSigner() {
  const child = spawn(process.env.INTEROP_BIN, ["signer"], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout });
  return {
    async ask(question) {
      const answer = once(lines, "line");
      child.stdin.write(`${JSON.stringify(question)}\n`);
      return JSON.parse((await answer)[0]);
    },
    async stop() {
      const ended = once(child, "exit");
      child.stdin.end();
      return (await ended)[0];
    },
  };
}
