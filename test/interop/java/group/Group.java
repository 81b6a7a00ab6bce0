import java.io.IOException;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooKeeper;

/**
 * A group of processes: a persistent node, and in it one ephemeral node for each member, which
 * lives as long as the member's session. Only calls that the clients of 3.4 and 3.9 both have.
 */
final class Group {
  private final ZooKeeper zooKeeper;
  private final String path;

  /** Connects, or fails after twice the session timeout. */
  Group(String connectString, int sessionTimeoutMs, String name)
      throws IOException, InterruptedException {
    path = "/" + name;
    CountDownLatch connected = new CountDownLatch(1);
    zooKeeper =
        new ZooKeeper(
            connectString,
            sessionTimeoutMs,
            event -> {
              if (event.getState() == KeeperState.SyncConnected) connected.countDown();
            });
    if (!connected.await(2L * sessionTimeoutMs, TimeUnit.MILLISECONDS)) {
      throw new IOException("no connection to " + connectString);
    }
  }

  /** The path of the group; NodeExistsException when it is there already. */
  String create() throws KeeperException, InterruptedException {
    return zooKeeper.create(path, null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
  }

  /** The path of the member; NoNodeException when there is no such group. */
  String join(String member) throws KeeperException, InterruptedException {
    String memberPath = path + "/" + member;
    return zooKeeper.create(memberPath, null, Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL);
  }

  /** The members in alphabetical order. A watcher that is not null is told of the next change. */
  List<String> members(Watcher watcher) throws KeeperException, InterruptedException {
    List<String> members = zooKeeper.getChildren(path, watcher);
    Collections.sort(members);
    return members;
  }

  /** Takes out every member, alive or not, and then the group itself. */
  void delete() throws KeeperException, InterruptedException {
    for (String member : members(null)) zooKeeper.delete(path + "/" + member, -1);
    zooKeeper.delete(path, -1);
  }

  void close() throws InterruptedException {
    zooKeeper.close();
  }
}
