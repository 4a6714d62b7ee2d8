// A receiver: `node receiver.js SECRET FAILING`. Its first line names its port, each further one a message, as JSON.
// The first attempt of every FAILING-th webhook-id, by its SHA-256, gets 503.
const http = require("http");
const { createHash } = require("crypto");
const { Webhook } = require("standardwebhooks");

const webhook = new Webhook(process.argv[2]);
const failing = Number(process.argv[3]);
const seen = new Map();

const server = http.createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    const body = Buffer.concat(parts);
    const id = request.headers["webhook-id"];
    let status = 204;
    try {
      const event = webhook.verify(body, request.headers);
      const attempts = seen.get(id) ?? 0;
      seen.set(id, attempts + 1);
      if (!attempts && createHash("sha256").update(id).digest()[0] % failing === 1) status = 503;
      console.log(JSON.stringify({ id, status, subject: event.subject, type: event.type }));
    } catch (error) {
      status = 401;
      console.log(JSON.stringify({ id, status, error: String(error) }));
    }
    response.writeHead(status).end();
  });
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
