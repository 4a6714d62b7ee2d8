package bench;

import com.fasterxml.jackson.annotation.JsonFormat;
import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.module.blackbird.BlackbirdModule;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.List;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/** The same 8 counters per customer in Kafka Streams: one thread, Jackson, a caching store with a changelog. */
public final class Peer {

    @JsonIgnoreProperties(ignoreUnknown = true)
    public static final class Product {
        public String productId;
        public int quantity;
        public long priceMinor;
        public String category;
    }

    @JsonIgnoreProperties(ignoreUnknown = true)
    public static final class Data {
        public long totalMinor;
        public List<Product> products;
        public double rating;
    }

    @JsonIgnoreProperties(ignoreUnknown = true)
    public static final class Event {
        public String id;
        public String source;
        public String type;
        public String subject;
        public String time;
        public Data data;
    }

    @JsonFormat(shape = JsonFormat.Shape.ARRAY)
    @JsonPropertyOrder({"purchases", "spendMinor", "items", "touches", "voices", "unhappy", "firstMs", "lastMs"})
    public static final class Counters {
        public long purchases;
        public long spendMinor;
        public long items;
        public long touches;
        public long voices;
        public long unhappy;
        public long firstMs = Long.MAX_VALUE;
        public long lastMs;

        Counters with(Event event) {
            long timeMs = Instant.parse(event.time).toEpochMilli();
            firstMs = Math.min(firstMs, timeMs);
            lastMs = Math.max(lastMs, timeMs);
            if (event.type.equals("purchase.completed")) {
                purchases++;
                spendMinor += event.data.totalMinor;
                items += event.data.products.size();
            } else if (event.type.startsWith("engagement.")) {
                touches++;
            } else {
                voices++;
                if (event.type.equals("feedback.reviewed") && event.data.rating < 3) {
                    unhappy++;
                }
            }
            return this;
        }
    }

    private static final ObjectMapper MAPPER = new ObjectMapper()
            .registerModule(new BlackbirdModule())
            .setPropertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE);

    private static <T> Serde<T> json(Class<T> type) {
        ObjectReader reader = MAPPER.readerFor(type);
        ObjectWriter writer = MAPPER.writerFor(type);
        return Serdes.serdeFrom(
                (topic, value) -> {
                    try {
                        return value == null ? null : writer.writeValueAsBytes(value);
                    } catch (IOException failure) {
                        throw new UncheckedIOException(failure);
                    }
                },
                (topic, bytes) -> {
                    try {
                        return bytes == null ? null : reader.readValue(bytes);
                    } catch (IOException failure) {
                        throw new UncheckedIOException(failure);
                    }
                });
    }

    private static Properties settings() {
        Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, System.getenv("BENCH_GROUP"));
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, System.getenv("BENCH_BOOTSTRAP"));
        settings.put(StreamsConfig.STATE_DIR_CONFIG, System.getenv("BENCH_STATE_DIR"));
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
        settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 500);
        settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 64 << 20);
        settings.put(StreamsConfig.BUFFERED_RECORDS_PER_PARTITION_CONFIG, 5_000);
        settings.put("max.poll.records", 5_000);
        settings.put("auto.offset.reset", "earliest");
        settings.put("compression.type", "lz4");
        settings.put("linger.ms", 50);
        return settings;
    }

    public static void main(String[] arguments) {
        boolean inMemory = arguments.length > 0 && arguments[0].equals("memory");
        StreamsBuilder builder = new StreamsBuilder();
        var store = inMemory ? Stores.inMemoryKeyValueStore("rows") : Stores.persistentKeyValueStore("rows");
        Materialized<String, Counters, KeyValueStore<Bytes, byte[]>> rows =
                Materialized.<String, Counters>as(store).withCachingEnabled();
        builder.stream(
                        List.of("customers.purchases.v1", "customers.engagement.v1", "customers.feedback.v1"),
                        Consumed.with(Serdes.String(), json(Event.class)))
                .groupByKey(Grouped.with(Serdes.String(), json(Event.class)))
                .aggregate(
                        Counters::new,
                        (customer, event, row) -> row.with(event),
                        rows.withKeySerde(Serdes.String()).withValueSerde(json(Counters.class)));
        KafkaStreams streams = new KafkaStreams(builder.build(), settings());
        Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
        streams.start();
    }

    private Peer() {}
}
