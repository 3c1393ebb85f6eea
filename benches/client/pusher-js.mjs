// Reads the same frames with pusher-js, which parses events when it delivers them.
// Prints the seconds.

import { createRequire } from "node:module";

const require = createRequire(new URL("../../tests/interop/package.json", import.meta.url));
const Pusher = require("pusher-js");
const [port, frames] = process.argv.slice(2).map(Number);

const pusher = new Pusher("app-key", {
  cluster: "",
  wsHost: "127.0.0.1",
  wsPort: port,
  forceTLS: false,
  enabledTransports: ["ws"],
});
pusher.connection.bind("connected", () => {
  const started = process.hrtime.bigint();
  let read = 0;
  pusher.subscribe("news").bind("notification", (notification) => {
    if (notification.order !== 1815) throw new Error("not the event that was sent");
    read += 1;
    if (read < frames) return;
    console.log(Number(process.hrtime.bigint() - started) / 1e9);
    pusher.disconnect();
    process.exit(0);
  });
});
