/** JoinGroup connectString group member sessionTimeoutMs; a member until its stdin ends. */
public final class JoinGroup {
  private JoinGroup() {}

  public static void main(String[] args) throws Exception {
    Group group = new Group(args[0], Integer.parseInt(args[3]), args[1]);
    System.out.println("joined as " + group.join(args[2]));
    while (System.in.read() != -1) continue;
    group.close();
  }
}
