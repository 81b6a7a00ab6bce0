import org.apache.zookeeper.KeeperException;

/** CreateGroup connectString group */
public final class CreateGroup {
  private CreateGroup() {}

  public static void main(String[] args) throws Exception {
    Group group = new Group(args[0], 5000, args[1]);
    try {
      System.out.println("created " + group.create());
    } catch (KeeperException.NodeExistsException e) {
      System.out.println("group " + args[1] + " exists");
      System.exit(1);
    } finally {
      group.close();
    }
  }
}
