// Signs any channel for anyone, as the sample does.

import express from "express";
import Pusher from "pusher";

const [host, port] = process.env.BENCH_ADDRESS.split(":");
const pusher = new Pusher({ appId: "1", key: "app-key", secret: "app-secret", host: "unused" });
const app = express();
app.use(express.json());
app.use(express.urlencoded({ extended: false }));
app.post("/pusher/auth", (request, response) => {
  response.send(pusher.authorizeChannel(request.body.socket_id, request.body.channel_name));
});
app.listen(Number(port), host);
