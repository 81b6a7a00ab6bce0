import java.util.List;
import org.apache.zookeeper.KeeperException;

/** ListGroup connectString group; one member a line. */
public final class ListGroup {
  private ListGroup() {}

  public static void main(String[] args) throws Exception {
    Group group = new Group(args[0], 5000, args[1]);
    try {
      List<String> members = group.members(null);
      if (members.isEmpty()) System.out.println("group " + args[1] + " has no members");
      for (String member : members) System.out.println(member);
    } catch (KeeperException.NoNodeException e) {
      System.out.println("there is no group " + args[1]);
      System.exit(1);
    } finally {
      group.close();
    }
  }
}
