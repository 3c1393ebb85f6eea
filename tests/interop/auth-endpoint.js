// An auth endpoint with Pusher's library for Node. The header `x-user` names the user. Every user
// may read every channel, except those that end in `-secret`.

import { createServer } from "node:http";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import Pusher from "pusher";
import { app } from "./broker.js";

export async function startAuthEndpoint() {
  const signers = { pusher: new Pusher({ ...app, host: "unused" }) };
  const server = createServer(async (request, response) => {
    const form = new URLSearchParams(await text(request));
    const answer = authorize(signers.pusher, request, form);
    response.writeHead(answer ? 200 : 403, { "content-type": "application/json" });
    response.end(JSON.stringify(answer ?? { message: "Forbidden" }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    /** Signs with other options from now on. */
    resign(options) { signers.pusher = new Pusher({ ...app, host: "unused", ...options }); },
    stop() { server.close(); server.closeAllConnections(); },
  };
}

function authorize(pusher, request, form) {
  const user = request.headers["x-user"] ?? request.headers.authorization?.replace("Bearer ", "");
  const socket = form.get("socket_id");
  if (request.url === "/user-auth") {
    return pusher.authenticateUser(socket, { id: user, user_info: { name: `${user}!` }, watchlist: ["ada", "bob"] });
  }
  const channel = form.get("channel_name");
  if (channel.endsWith("-secret")) return null;
  // Without data, a presence channel uses the signed-in user.
  const data = channel.startsWith("presence-") && !channel.endsWith("-signed-in");
  return pusher.authorizeChannel(socket, channel, data ? { user_id: user, user_info: { name: `${user}!` } } : undefined);
}
