import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.barriers.DistributedDoubleBarrier;
import org.apache.curator.framework.recipes.leader.LeaderLatch;
import org.apache.curator.framework.recipes.leader.Participant;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.recipes.locks.InterProcessReadWriteLock;
import org.apache.curator.framework.recipes.locks.InterProcessSemaphoreV2;
import org.apache.curator.framework.recipes.locks.Lease;

/** Recipes that let one go first: mutex, read-write lock, semaphore, leader latch, barrier. */
final class Locks {
  private static final int THREADS_PER_CLIENT = 3;
  private static final int ROUNDS = 20;

  private final CuratorFramework first;
  private final CuratorFramework second;

  Locks(CuratorFramework first, CuratorFramework second) {
    this.first = first;
    this.second = second;
  }

  void addTo(Map<String, CuratorWalk.Check> checks) {
    checks.put("mutex", this::mutex);
    checks.put("readWriteLock", this::readWriteLock);
    checks.put("semaphore", this::semaphore);
    checks.put("leaderLatch", this::leaderLatch);
    checks.put("doubleBarrier", this::doubleBarrier);
  }

  /** A counter read and written without a version is right only if the lock excludes. */
  private String mutex() throws Exception {
    first.create().forPath("/mutex-counter", CuratorWalk.bytes("0"));
    AtomicInteger holders = new AtomicInteger();
    List<Callable<Void>> contenders = new ArrayList<>();
    for (CuratorFramework client : List.of(first, second)) {
      InterProcessMutex mutex = new InterProcessMutex(client, "/mutex");
      for (int i = 0; i < THREADS_PER_CLIENT; i += 1) {
        contenders.add(() -> contend(client, mutex, holders));
      }
    }
    runTogether(contenders);
    String total = CuratorWalk.text(second.getData().forPath("/mutex-counter"));
    int expected = contenders.size() * ROUNDS;
    CuratorWalk.expectEqual(total, String.valueOf(expected), "the counter");
    return total + " turns of " + contenders.size() + " contenders";
  }

  private static Void contend(
      CuratorFramework client, InterProcessMutex mutex, AtomicInteger holders) throws Exception {
    for (int round = 0; round < ROUNDS; round += 1) {
      CuratorWalk.expect(mutex.acquire(60, TimeUnit.SECONDS), "acquired within a minute");
      try {
        CuratorWalk.expectEqual(holders.incrementAndGet(), 1, "the number of holders");
        int count = Integer.parseInt(CuratorWalk.text(client.getData().forPath("/mutex-counter")));
        client.setData().forPath("/mutex-counter", CuratorWalk.bytes(String.valueOf(count + 1)));
        holders.decrementAndGet();
      } finally {
        mutex.release();
      }
    }
    return null;
  }

  private static void runTogether(Collection<Callable<Void>> tasks) throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(tasks.size());
    try {
      for (Future<Void> task : threads.invokeAll(tasks)) task.get();
    } finally {
      threads.shutdownNow();
    }
  }

  private String readWriteLock() throws Exception {
    InterProcessReadWriteLock one = new InterProcessReadWriteLock(first, "/rw");
    InterProcessReadWriteLock two = new InterProcessReadWriteLock(second, "/rw");
    one.readLock().acquire();
    CuratorWalk.expect(two.readLock().acquire(1, TimeUnit.SECONDS), "two readers at once");
    two.readLock().release();
    CuratorWalk.expect(!two.writeLock().acquire(200, TimeUnit.MILLISECONDS), "no writer yet");
    one.readLock().release();
    CuratorWalk.expect(two.writeLock().acquire(5, TimeUnit.SECONDS), "a writer at last");
    CuratorWalk.expect(!one.readLock().acquire(200, TimeUnit.MILLISECONDS), "no reader beside it");
    two.writeLock().release();
    return "readers share, a writer does not";
  }

  private String semaphore() throws Exception {
    InterProcessSemaphoreV2 one = new InterProcessSemaphoreV2(first, "/semaphore", 2);
    InterProcessSemaphoreV2 two = new InterProcessSemaphoreV2(second, "/semaphore", 2);
    Lease a = one.acquire();
    Lease b = two.acquire();
    CuratorWalk.expect(two.acquire(200, TimeUnit.MILLISECONDS) == null, "two leases, not three");
    one.returnLease(a);
    Lease c = two.acquire(5, TimeUnit.SECONDS);
    CuratorWalk.expect(c != null, "a returned lease is given again");
    two.returnAll(List.of(b, c));
    return "two leases among three";
  }

  private String leaderLatch() throws Exception {
    LeaderLatch one = new LeaderLatch(first, "/latch", "one");
    LeaderLatch two = new LeaderLatch(second, "/latch", "two");
    one.start();
    CuratorWalk.expect(one.await(10, TimeUnit.SECONDS), "one leads");
    two.start();
    CuratorWalk.expect(!two.await(300, TimeUnit.MILLISECONDS), "two waits");
    Collection<Participant> participants = one.getParticipants();
    CuratorWalk.expectEqual(participants.size(), 2, "the number of participants");
    CuratorWalk.expectEqual(two.getLeader().getId(), "one", "the leader as two sees it");
    one.close();
    CuratorWalk.expect(two.await(10, TimeUnit.SECONDS), "two leads");
    two.close();
    return "one, then two";
  }

  private String doubleBarrier() throws Exception {
    AtomicInteger inside = new AtomicInteger();
    List<Callable<Void>> members = new ArrayList<>();
    for (CuratorFramework client : List.of(first, second)) {
      members.add(
          () -> {
            DistributedDoubleBarrier barrier = new DistributedDoubleBarrier(client, "/barrier", 2);
            CuratorWalk.expect(barrier.enter(10, TimeUnit.SECONDS), "entered");
            inside.incrementAndGet();
            CuratorWalk.expect(barrier.leave(10, TimeUnit.SECONDS), "left");
            CuratorWalk.expectEqual(inside.get(), 2, "the number of members inside at the end");
            return null;
          });
    }
    runTogether(members);
    return "two entered and left together";
  }
}
