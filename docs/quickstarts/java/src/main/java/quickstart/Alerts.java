package quickstart;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/** Alerts in Java, with Kafka Streams: mvn compile exec:java. Every alert once, in one line. */
public final class Alerts {
  private static final ObjectMapper JSON = new ObjectMapper();

  public static void main(String[] args) {
    Map<String, String> env = System.getenv();
    StreamsBuilder builder = new StreamsBuilder();
    builder.addStateStore(
        Stores.keyValueStoreBuilder(
            Stores.inMemoryKeyValueStore("seen"), Serdes.String(), Serdes.String()));
    builder.stream(
            env.getOrDefault("TOPIC", "customers.alerts.v1"),
            Consumed.with(Serdes.String(), Serdes.ByteArray()))
        .process(Tell::new, "seen");

    Properties config = new Properties();
    config.put(StreamsConfig.APPLICATION_ID_CONFIG, env.getOrDefault("GROUP", "my-campaigns"));
    config.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, env.getOrDefault("BROKERS", "localhost:9092"));
    config.put("auto.offset.reset", "earliest");
    KafkaStreams streams = new KafkaStreams(builder.build(), config);
    Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
    streams.start();
  }

  /** An alert may come twice, always under the same id: the store remembers them, across restarts. */
  private static final class Tell implements Processor<String, byte[], Void, Void> {
    private KeyValueStore<String, String> seen;

    @Override
    public void init(ProcessorContext<Void, Void> context) {
      seen = context.getStateStore("seen");
    }

    @Override
    public void process(Record<String, byte[]> entry) {
      try {
        JsonNode alert = JSON.readTree(entry.value());
        String id = alert.get("id").asText();
        if (seen.putIfAbsent(id, alert.path("expirytime").asText("")) == null) {
          JsonNode data = alert.get("data");
          String reason = data.path("evidence").path(0).path("code").asText("-");
          String action = data.path("recommended_action").path("code").asText("-");
          System.out.println(
              String.join(" ", alert.get("type").asText(), entry.key(), reason, action));
        }
      } catch (IOException unreadable) {
        throw new UncheckedIOException(unreadable);
      }
    }
  }
}
