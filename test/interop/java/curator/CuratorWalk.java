import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Scanner;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.ExponentialBackoffRetry;

/**
 * Walks through Curator's recipes with two clients of one server. A line on stdin names a check,
 * the answer is one line: "ok" and what was seen, or "error" and why.
 */
public final class CuratorWalk {
  /** Longer than a restart of the server under test takes, so that sessions outlive it. */
  static final int SESSION_TIMEOUT_MS = 15_000;

  /** How long any one thing may take before a check calls it missing. */
  static final int PATIENCE_MS = 10_000;

  interface Check {
    String run() throws Exception;
  }

  private CuratorWalk() {}

  public static void main(String[] args) throws Exception {
    String connectString = args[0];
    try (CuratorFramework first = start(connectString);
        CuratorFramework second = start(connectString);
        Scanner commands = new Scanner(System.in, StandardCharsets.UTF_8)) {
      Map<String, Check> checks = new LinkedHashMap<>();
      new Nodes(connectString, first, second).addTo(checks);
      new Locks(first, second).addTo(checks);
      new Caches(first, second).addTo(checks);
      new Counters(first, second).addTo(checks);
      new SessionLoss(connectString, first, second).addTo(checks);
      System.out.println("ok " + String.join(" ", checks.keySet()));
      while (commands.hasNextLine()) System.out.println(answer(checks, commands.nextLine()));
    }
  }

  static CuratorFramework start(String connectString) {
    CuratorFramework client =
        CuratorFrameworkFactory.builder()
            .connectString(connectString)
            .sessionTimeoutMs(SESSION_TIMEOUT_MS)
            .connectionTimeoutMs(PATIENCE_MS)
            .retryPolicy(new ExponentialBackoffRetry(50, 10, 1000))
            .build();
    client.start();
    return client;
  }

  private static String answer(Map<String, Check> checks, String name) {
    Check check = checks.get(name);
    if (check == null) return "error there is no check " + name;
    try {
      return "ok " + check.run();
    } catch (Exception | AssertionError e) {
      e.printStackTrace();
      return "error " + e.toString().replace('\n', ' ');
    }
  }

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  static String text(byte[] data) {
    return new String(data, StandardCharsets.UTF_8);
  }

  static void expect(boolean holds, String what) {
    if (!holds) throw new AssertionError("not so: " + what);
  }

  static void expectEqual(Object actual, Object expected, String what) {
    if (!Objects.equals(actual, expected)) {
      throw new AssertionError(what + " is " + actual + ", not " + expected);
    }
  }

  /** The next event; its absence fails the check. */
  static <E> E next(BlockingQueue<E> events, String what) throws InterruptedException {
    E event = events.poll(PATIENCE_MS, TimeUnit.MILLISECONDS);
    expect(event != null, what + " within " + PATIENCE_MS + " ms");
    return event;
  }

  /** Drops events until the wanted one; its absence fails the check. */
  static <E> void await(BlockingQueue<E> events, E wanted) throws InterruptedException {
    while (!next(events, wanted.toString()).equals(wanted)) continue;
  }
}
