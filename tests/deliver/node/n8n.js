// Runs the Code node of docs/delivery/n8n.json on vectors.json: {code, vectors} from stdin; prints what it takes.
const { code, vectors } = JSON.parse(require("fs").readFileSync(0, "utf8"));
const AsyncFunction = (async () => {}).constructor;
const node = new AsyncFunction("$env", "$input", "require", code);
const wall = Date.now;

async function takes({ secret, now, headers, body }) {
  Date.now = () => now * 1000;
  const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const items = { all: () => [{ json: { headers: lower } }] };
  const context = { helpers: { getBinaryDataBuffer: async () => Buffer.from(body, "utf8") } };
  try {
    const [checked] = await node.call(context, { STREAM_WEBHOOK_SECRET: secret }, items, require);
    return checked.json.verified;
  } finally {
    Date.now = wall;
  }
}

(async () => {
  const taken = [];
  for (const each of [...vectors.good, ...vectors.bad]) if (await takes(each)) taken.push(each.name);
  console.log(JSON.stringify(taken));
})();
