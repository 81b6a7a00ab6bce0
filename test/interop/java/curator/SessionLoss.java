import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.Stat;

/**
 * A lock through the two losses there are. A lost connection (the test restarts the server between
 * holdLock and lockAfterRestart) keeps session and lock; a lost session gives the lock to the next.
 */
final class SessionLoss {
  private static final String LOCK = "/session-lock";

  private final String connectString;
  private final CuratorFramework first;
  private final CuratorFramework second;
  private final InterProcessMutex firstLock;
  private final InterProcessMutex secondLock;
  private final LinkedBlockingQueue<ConnectionState> firstStates = new LinkedBlockingQueue<>();
  private final LinkedBlockingQueue<ConnectionState> secondStates = new LinkedBlockingQueue<>();
  private long sessionId;
  private String lockNode = "";

  SessionLoss(String connectString, CuratorFramework first, CuratorFramework second) {
    this.connectString = connectString;
    this.first = first;
    this.second = second;
    firstLock = new InterProcessMutex(first, LOCK);
    secondLock = new InterProcessMutex(second, LOCK);
    listen(first, firstStates);
    listen(second, secondStates);
  }

  private static void listen(CuratorFramework client, LinkedBlockingQueue<ConnectionState> states) {
    client.getConnectionStateListenable().addListener((ignored, state) -> states.add(state));
  }

  void addTo(Map<String, CuratorWalk.Check> checks) {
    checks.put("holdLock", this::holdLock);
    checks.put("lockAfterRestart", this::lockAfterRestart);
    checks.put("lockAfterExpiry", this::lockAfterExpiry);
  }

  private String holdLock() throws Exception {
    firstLock.acquire();
    lockNode = LOCK + "/" + first.getChildren().forPath(LOCK).get(0);
    sessionId = first.getZookeeperClient().getZooKeeper().getSessionId();
    firstStates.clear();
    secondStates.clear();
    return lockNode;
  }

  private String lockAfterRestart() throws Exception {
    CuratorWalk.expectEqual(next(firstStates), ConnectionState.SUSPENDED, "the first state");
    CuratorWalk.expectEqual(next(firstStates), ConnectionState.RECONNECTED, "the second state");
    CuratorWalk.await(secondStates, ConnectionState.RECONNECTED);
    long now = first.getZookeeperClient().getZooKeeper().getSessionId();
    CuratorWalk.expectEqual(now, sessionId, "the session after the restart");
    Stat stat = second.checkExists().forPath(lockNode);
    CuratorWalk.expect(stat != null && stat.getEphemeralOwner() == sessionId, "the lock's node");
    CuratorWalk.expect(!secondLock.acquire(300, TimeUnit.MILLISECONDS), "the lock still excludes");
    firstLock.release();
    CuratorWalk.expect(secondLock.acquire(10, TimeUnit.SECONDS), "the other gets it");
    secondLock.release();
    return "session 0x" + Long.toHexString(sessionId) + " kept the lock";
  }

  private String lockAfterExpiry() throws Exception {
    firstLock.acquire();
    firstStates.clear();
    endSession();
    CuratorWalk.expect(secondLock.acquire(10, TimeUnit.SECONDS), "the next gets the lock");
    CuratorWalk.await(firstStates, ConnectionState.LOST);
    CuratorWalk.await(firstStates, ConnectionState.RECONNECTED);
    long now = first.getZookeeperClient().getZooKeeper().getSessionId();
    CuratorWalk.expect(now != sessionId, "a new session");
    // Curator still counts this thread as the holder until told otherwise.
    firstLock.release();
    CuratorWalk.expect(!firstLock.acquire(300, TimeUnit.MILLISECONDS), "no lock while it is held");
    secondLock.release();
    CuratorWalk.expect(firstLock.acquire(10, TimeUnit.SECONDS), "the lock is recovered");
    firstLock.release();
    return "lost with 0x" + Long.toHexString(sessionId) + ", recovered with 0x"
        + Long.toHexString(now);
  }

  /** Ends the first client's session as only the server can: a twin attaches to it and closes. */
  private void endSession() throws Exception {
    ZooKeeper zooKeeper = first.getZookeeperClient().getZooKeeper();
    CountDownLatch connected = new CountDownLatch(1);
    ZooKeeper twin =
        new ZooKeeper(
            connectString,
            CuratorWalk.SESSION_TIMEOUT_MS,
            event -> {
              if (event.getState() == KeeperState.SyncConnected) connected.countDown();
            },
            zooKeeper.getSessionId(),
            zooKeeper.getSessionPasswd());
    CuratorWalk.expect(connected.await(10, TimeUnit.SECONDS), "the twin is attached");
    twin.close();
  }

  private static ConnectionState next(LinkedBlockingQueue<ConnectionState> states)
      throws InterruptedException {
    return CuratorWalk.next(states, "a change of the connection's state");
  }
}
