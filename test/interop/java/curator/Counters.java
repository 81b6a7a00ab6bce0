import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.atomic.AtomicValue;
import org.apache.curator.framework.recipes.atomic.DistributedAtomicLong;
import org.apache.curator.framework.recipes.queue.SimpleDistributedQueue;
import org.apache.curator.framework.recipes.shared.SharedCount;
import org.apache.curator.framework.recipes.shared.SharedCountListener;
import org.apache.curator.framework.recipes.shared.SharedCountReader;
import org.apache.curator.framework.recipes.shared.VersionedValue;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.curator.retry.RetryNTimes;

/** Numbers and items that several processes change at once. */
final class Counters {
  private static final int INCREMENTS = 50;

  private final CuratorFramework first;
  private final CuratorFramework second;

  Counters(CuratorFramework first, CuratorFramework second) {
    this.first = first;
    this.second = second;
  }

  void addTo(Map<String, CuratorWalk.Check> checks) {
    checks.put("atomicLong", this::atomicLong);
    checks.put("sharedCount", this::sharedCount);
    checks.put("queue", this::queue);
  }

  /** Optimistic: every lost race shows as a bad version and is tried again. */
  private String atomicLong() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(2);
    List<Future<Long>> highest = new ArrayList<>();
    for (CuratorFramework client : List.of(first, second)) {
      DistributedAtomicLong number =
          new DistributedAtomicLong(client, "/atomic", new RetryNTimes(1000, 1));
      highest.add(threads.submit(() -> incrementAll(number)));
    }
    long last = 0;
    for (Future<Long> value : highest) last = Math.max(last, value.get());
    threads.shutdown();
    CuratorWalk.expectEqual(last, 2L * INCREMENTS, "the last value");
    return String.valueOf(last);
  }

  private static long incrementAll(DistributedAtomicLong number) throws Exception {
    long last = 0;
    for (int i = 0; i < INCREMENTS; i += 1) {
      AtomicValue<Long> value = number.increment();
      CuratorWalk.expect(value.succeeded(), "the increment succeeded");
      CuratorWalk.expect(value.postValue() > last, "the value grows");
      last = value.postValue();
    }
    return last;
  }

  private String sharedCount() throws Exception {
    LinkedBlockingQueue<Integer> changes = new LinkedBlockingQueue<>();
    try (SharedCount one = new SharedCount(first, "/shared", 5);
        SharedCount two = new SharedCount(second, "/shared", 5)) {
      two.addListener(
          new SharedCountListener() {
            @Override
            public void countHasChanged(SharedCountReader reader, int count) {
              changes.add(count);
            }

            @Override
            public void stateChanged(CuratorFramework client, ConnectionState state) {
              // This check has no opinion on connections.
            }
          });
      one.start();
      two.start();
      CuratorWalk.expectEqual(two.getCount(), 5, "the first count");
      VersionedValue<Integer> before = one.getVersionedValue();
      CuratorWalk.expect(one.trySetCount(before, 6), "set with the newest version");
      CuratorWalk.await(changes, 6);
      CuratorWalk.expect(!one.trySetCount(before, 7), "not set with a stale version");
      return "5, then 6, seen by the other";
    }
  }

  private String queue() throws Exception {
    SimpleDistributedQueue in = new SimpleDistributedQueue(first, "/queue");
    SimpleDistributedQueue out = new SimpleDistributedQueue(second, "/queue");
    for (String item : List.of("a", "b", "c")) in.offer(CuratorWalk.bytes(item));
    StringBuilder taken = new StringBuilder();
    for (int i = 0; i < 3; i += 1) {
      taken.append(CuratorWalk.text(out.poll(CuratorWalk.PATIENCE_MS, TimeUnit.MILLISECONDS)));
    }
    CuratorWalk.expectEqual(taken.toString(), "abc", "the order");
    return taken.toString();
  }
}
