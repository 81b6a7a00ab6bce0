import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Scanner;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.CreateTopicsOptions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InvalidReplicationFactorException;
import org.apache.kafka.common.serialization.IntegerDeserializer;
import org.apache.kafka.common.serialization.IntegerSerializer;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.Watcher.Event.EventType;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.ZooKeeper;

/**
 * Drives a Kafka cluster, and looks at its znodes, for a test written in another language. One JVM
 * serves the whole test, for starting one costs more than all it does here: a command a line on
 * stdin, an answer a line on stdout, "ok ..." or "error ...".
 */
public final class KafkaProbe {
  private static final long POLL_MS = 50;

  private final ZooKeeper zooKeeper;
  private final Admin admin;
  private final KafkaProducer<Integer, Integer> producer;
  private final KafkaConsumer<Integer, Integer> consumer;
  private final ObjectMapper json = new ObjectMapper();
  private final BitSet seen = new BitSet();
  private int duplicates;

  private KafkaProbe(String zooKeeperConnect, String bootstrapServers) throws Exception {
    CountDownLatch connected = new CountDownLatch(1);
    zooKeeper =
        new ZooKeeper(
            zooKeeperConnect,
            30_000,
            event -> {
              if (event.getState() == KeeperState.SyncConnected) connected.countDown();
            });
    if (!connected.await(30, TimeUnit.SECONDS)) {
      throw new TimeoutException("no connection to " + zooKeeperConnect);
    }
    admin = Admin.create(Map.of(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers));
    producer = new KafkaProducer<>(producerConfig(bootstrapServers));
    consumer = new KafkaConsumer<>(consumerConfig(bootstrapServers));
  }

  /** Idempotent and acknowledged by every in-sync replica: what is "sent" below may not be lost. */
  private static Properties producerConfig(String bootstrapServers) {
    Properties config = new Properties();
    config.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers);
    config.put(ProducerConfig.ACKS_CONFIG, "all");
    config.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, "true");
    config.put(ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, IntegerSerializer.class.getName());
    config.put(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, IntegerSerializer.class.getName());
    return config;
  }

  /** In a group, so that the group's coordinator has to survive the loss of a broker too. */
  private static Properties consumerConfig(String bootstrapServers) {
    Properties config = new Properties();
    config.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers);
    config.put(ConsumerConfig.GROUP_ID_CONFIG, "probe");
    config.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    config.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, "500");
    config.put(ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, IntegerDeserializer.class.getName());
    config.put(ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG, IntegerDeserializer.class.getName());
    return config;
  }

  public static void main(String[] args) throws Exception {
    KafkaProbe probe = new KafkaProbe(args[0], args[1]);
    System.out.println("ok");
    try (Scanner commands = new Scanner(System.in, StandardCharsets.UTF_8)) {
      while (commands.hasNextLine()) {
        System.out.println(probe.answer(commands.nextLine().split(" ")));
      }
    } finally {
      probe.close();
    }
  }

  private String answer(String[] command) {
    try {
      return ("ok " + execute(command)).trim();
    } catch (Exception e) {
      return "error " + e.toString().replace('\n', ' ');
    }
  }

  private String execute(String[] command) throws Exception {
    return switch (command[0]) {
      case "tree" -> String.join(" ", tree("/", new ArrayList<>()));
      case "get" -> new String(zooKeeper.getData(command[1], false, null), StandardCharsets.UTF_8);
      case "awaitPresent" -> awaitNode(command[1], true, Long.parseLong(command[2]));
      case "awaitGone" -> awaitNode(command[1], false, Long.parseLong(command[2]));
      case "awaitBrokers" -> awaitBrokers(Short.parseShort(command[1]), Long.parseLong(command[2]));
      case "createTopic" -> createTopic(command[1], command[2], command[3]);
      case "awaitInSync" ->
          awaitInSync(
              command[1], Integer.parseInt(command[2]), command[3], Long.parseLong(command[4]));
      case "produce" ->
          produce(command[1], Integer.parseInt(command[2]), Integer.parseInt(command[3]));
      case "producePaced" ->
          producePaced(
              command[1],
              Integer.parseInt(command[2]),
              Integer.parseInt(command[3]),
              Long.parseLong(command[4]));
      case "owner" -> Long.toHexString(zooKeeper.exists(command[1], false).getEphemeralOwner());
      case "subscribe" -> subscribe(command[1]);
      case "consume" -> consume(Integer.parseInt(command[1]), Long.parseLong(command[2]));
      default -> throw new IllegalArgumentException("unknown command " + command[0]);
    };
  }

  private List<String> tree(String path, List<String> paths) throws Exception {
    paths.add(path);
    for (String child : new TreeSet<>(zooKeeper.getChildren(path, false))) {
      tree(path.equals("/") ? "/" + child : path + "/" + child, paths);
    }
    return paths;
  }

  /** Waits by a watch, not by asking again and again. */
  private String awaitNode(String path, boolean present, long deadlineMs) throws Exception {
    awaitChange(
        path,
        deadlineMs,
        watcher -> {
          boolean exists = zooKeeper.exists(path, watcher) != null;
          return exists == present ? "" : null;
        });
    return "";
  }

  /** Reads with the given watcher; null says that the node is not yet what is waited for. */
  private interface Look {
    String at(Watcher watcher) throws Exception;
  }

  private static String awaitChange(String path, long deadlineMs, Look look) throws Exception {
    long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(deadlineMs);
    while (true) {
      CountDownLatch changed = new CountDownLatch(1);
      String seen =
          look.at(
              event -> {
                if (event.getType() != EventType.None) changed.countDown();
              });
      if (seen != null) return seen;
      if (!changed.await(deadline - System.nanoTime(), TimeUnit.NANOSECONDS)) {
        throw new TimeoutException(path + " did not become what was waited for");
      }
    }
  }

  /**
   * Waits until the controller would place "count" replicas. That a broker's node stands in
   * ZooKeeper is too early for that: the controller places by its metadata cache, which it updates
   * afterwards by a request to itself. Nothing tells that this is done, so it is asked, by requests
   * that only validate and that nobody but the controller answers.
   */
  private String awaitBrokers(short count, long deadlineMs) throws Exception {
    long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(deadlineMs);
    List<NewTopic> request = List.of(new NewTopic("never-created", 1, count));
    CreateTopicsOptions onlyValidate = new CreateTopicsOptions().validateOnly(true);
    while (true) {
      try {
        admin.createTopics(request, onlyValidate).all().get();
        return "";
      } catch (ExecutionException e) {
        if (!(e.getCause() instanceof InvalidReplicationFactorException)) throw e;
        if (System.nanoTime() > deadline) throw new TimeoutException(e.getCause().getMessage());
      }
      TimeUnit.MILLISECONDS.sleep(POLL_MS);
    }
  }

  private String createTopic(String topic, String partitions, String replicas) throws Exception {
    NewTopic request =
        new NewTopic(topic, Integer.parseInt(partitions), Short.parseShort(replicas));
    admin.createTopics(List.of(request)).all().get();
    return "";
  }

  /**
   * Waits until the replicas in sync of partitions 0 to "partitions" - 1 are exactly the given
   * brokers ("1,2,3") and the leader is one of them, as their state nodes tell. (Kafka's own Admin
   * may wait a minute for an answer once a broker has died.) Answers "0:leader=1,isr=1,2,3 1:...".
   */
  private String awaitInSync(String topic, int partitions, String brokers, long deadlineMs)
      throws Exception {
    List<String> states = new ArrayList<>();
    for (int partition = 0; partition < partitions; partition += 1) {
      String path = "/brokers/topics/" + topic + "/partitions/" + partition + "/state";
      String leader = awaitChange(path, deadlineMs, watcher -> inSync(path, brokers, watcher));
      states.add(partition + ":leader=" + leader + ",isr=" + brokers);
    }
    return String.join(" ", states);
  }

  private String inSync(String path, String brokers, Watcher watcher) throws Exception {
    if (zooKeeper.exists(path, watcher) == null) return null;
    JsonNode state = json.readTree(zooKeeper.getData(path, false, null));
    TreeSet<String> inSync = new TreeSet<>();
    for (JsonNode broker : state.get("isr")) inSync.add(broker.asText());
    String leader = state.get("leader").asText();
    System.err.println(path + " leader " + leader + ", in sync " + inSync);
    return String.join(",", inSync).equals(brokers) && inSync.contains(leader) ? leader : null;
  }

  /** Sends the numbers from "from" (inclusive) to "to" (exclusive); every one is acknowledged. */
  private String produce(String topic, int from, int to) throws Exception {
    List<Future<RecordMetadata>> sent = new ArrayList<>();
    for (int number = from; number < to; number += 1) {
      sent.add(producer.send(new ProducerRecord<>(topic, number, number)));
    }
    producer.flush();
    for (Future<RecordMetadata> acknowledgement : sent) acknowledgement.get();
    return String.valueOf(sent.size());
  }

  /**
   * As "produce", but a number every "pauseMs", so that it goes on over what happens meanwhile.
   * Answers how many were acknowledged and the longest time from sending to acknowledgement.
   */
  private String producePaced(String topic, int from, int to, long pauseMs) throws Exception {
    List<Future<RecordMetadata>> sent = new ArrayList<>();
    AtomicLong longestNanos = new AtomicLong();
    for (int number = from; number < to; number += 1) {
      long start = System.nanoTime();
      sent.add(
          producer.send(
              new ProducerRecord<>(topic, number, number),
              (metadata, error) ->
                  longestNanos.accumulateAndGet(System.nanoTime() - start, Math::max)));
      TimeUnit.MILLISECONDS.sleep(pauseMs);
    }
    for (Future<RecordMetadata> acknowledgement : sent) acknowledgement.get();
    return sent.size() + " longestMs=" + TimeUnit.NANOSECONDS.toMillis(longestNanos.get());
  }

  private String subscribe(String topic) {
    consumer.subscribe(List.of(topic));
    return "";
  }

  /** Goes on until "count" different numbers have been seen since the start of this program. */
  private String consume(int count, long deadlineMs) throws TimeoutException {
    long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(deadlineMs);
    while (seen.cardinality() < count) {
      if (System.nanoTime() > deadline) {
        throw new TimeoutException("saw " + seen.cardinality() + " of " + count);
      }
      for (ConsumerRecord<Integer, Integer> record : consumer.poll(Duration.ofMillis(200))) {
        if (seen.get(record.value())) duplicates += 1;
        seen.set(record.value());
      }
    }
    return "seen=" + seen.cardinality() + " upTo=" + seen.length() + " duplicates=" + duplicates
        + " partitions=" + consumer.assignment().stream().map(TopicPartition::partition).sorted()
            .map(String::valueOf).collect(Collectors.joining(","));
  }

  private void close() throws InterruptedException {
    consumer.close(Duration.ofSeconds(2));
    producer.close(Duration.ofSeconds(2));
    admin.close(Duration.ofSeconds(2));
    zooKeeper.close();
  }
}
