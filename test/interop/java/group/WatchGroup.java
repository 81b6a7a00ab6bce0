import java.util.concurrent.LinkedBlockingQueue;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher.Event.EventType;

/** WatchGroup connectString group; its members in a line, now and after each change, to its end. */
public final class WatchGroup {
  private WatchGroup() {}

  public static void main(String[] args) throws Exception {
    Group group = new Group(args[0], 5000, args[1]);
    LinkedBlockingQueue<WatchedEvent> events = new LinkedBlockingQueue<>();
    try {
      while (true) {
        System.out.println("members: " + String.join(" ", group.members(events::add)));
        while (events.take().getType() == EventType.None) continue;
      }
    } catch (KeeperException.NoNodeException e) {
      System.out.println("group " + args[1] + " is gone");
    } finally {
      group.close();
    }
  }
}
