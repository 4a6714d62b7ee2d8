// Alerts in Node: npm install; npm start
// Every alert once, in one line: kind and state, customer, the first reason, what to do.
import { Kafka, logLevel } from "kafkajs";

const { BROKERS = "localhost:9092", GROUP = "my-campaigns", TOPIC = "customers.alerts.v1" } = process.env;
const kafka = new Kafka({ brokers: BROKERS.split(","), logLevel: logLevel.ERROR });
const consumer = kafka.consumer({ groupId: GROUP });
const seen = new Set(); // keep it in your database: an alert may come twice, always under the same id

await consumer.connect();
await consumer.subscribe({ topic: TOPIC, fromBeginning: true });
await consumer.run({
  eachMessage: async ({ message }) => {
    const alert = JSON.parse(message.value.toString());
    if (seen.has(alert.id)) return;
    seen.add(alert.id);
    const { evidence, recommended_action: action } = alert.data;
    console.log(alert.type, alert.subject, evidence[0]?.code ?? "-", action?.code ?? "-");
  },
});

for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => consumer.disconnect().then(() => process.exit(0)));
