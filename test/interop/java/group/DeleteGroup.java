import org.apache.zookeeper.KeeperException;

/** DeleteGroup connectString group; whoever is still in it is taken out. */
public final class DeleteGroup {
  private DeleteGroup() {}

  public static void main(String[] args) throws Exception {
    Group group = new Group(args[0], 5000, args[1]);
    try {
      group.delete();
      System.out.println("deleted " + args[1]);
    } catch (KeeperException.NoNodeException e) {
      System.out.println("there is no group " + args[1]);
      System.exit(1);
    } finally {
      group.close();
    }
  }
}
