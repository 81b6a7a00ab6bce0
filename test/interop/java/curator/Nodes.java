import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.api.CuratorWatcher;
import org.apache.curator.framework.api.transaction.CuratorTransactionResult;
import org.apache.curator.framework.recipes.nodes.GroupMember;
import org.apache.curator.framework.recipes.nodes.PersistentTtlNode;
import org.apache.curator.framework.recipes.watch.PersistentWatcher;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Watcher.Event.EventType;
import org.apache.zookeeper.Watcher.WatcherType;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.data.Stat;

/** Creation in all its modes, transactions, ACLs, watchers: what the recipes are made of. */
final class Nodes {
  private final String connectString;
  private final CuratorFramework first;
  private final CuratorFramework second;

  Nodes(String connectString, CuratorFramework first, CuratorFramework second) {
    this.connectString = connectString;
    this.first = first;
    this.second = second;
  }

  void addTo(Map<String, CuratorWalk.Check> checks) {
    checks.put("create", this::create);
    checks.put("containerParents", this::containerParents);
    checks.put("ttl", this::ttl);
    checks.put("transaction", this::transaction);
    checks.put("acl", this::acl);
    checks.put("persistentWatcher", this::persistentWatcher);
    checks.put("removeWatcher", this::removeWatcher);
    checks.put("groupMember", this::groupMember);
    checks.put("deleteChildren", this::deleteChildren);
  }

  private String create() throws Exception {
    String path = first.create().creatingParentsIfNeeded().forPath("/create/a/b/c", new byte[0]);
    CuratorWalk.expectEqual(path, "/create/a/b/c", "the path");
    String guarded =
        first
            .create()
            .withProtection()
            .withMode(CreateMode.EPHEMERAL_SEQUENTIAL)
            .forPath("/create/e-");
    CuratorWalk.expect(guarded.matches("/create/_c_[-0-9a-f]{36}-e-\\d{10}"), guarded);
    Stat stat = new Stat();
    first.create().orSetData().storingStatIn(stat).forPath("/create/a", CuratorWalk.bytes("new"));
    CuratorWalk.expectEqual(
        CuratorWalk.text(second.getData().forPath("/create/a")), "new", "the data");
    second.setData().withVersion(1).forPath("/create/a", CuratorWalk.bytes("newer"));
    try {
      first.setData().withVersion(1).forPath("/create/a", CuratorWalk.bytes("stale"));
      throw new AssertionError("a stale version was taken");
    } catch (KeeperException.BadVersionException expected) {
      // As it should be.
    }
    return guarded;
  }

  /** A container goes by itself, some time after its last child. */
  private String containerParents() throws Exception {
    first.create().creatingParentContainersIfNeeded().forPath("/container/child");
    // The server keeps the kind of a node in its owner field and shows 0 for all but ephemerals.
    Stat stat = first.checkExists().forPath("/container");
    CuratorWalk.expectEqual(stat.getEphemeralOwner(), 0L, "the container's owner");
    CountDownLatch gone = watchForEnd("/container");
    first.delete().forPath("/container/child");
    CuratorWalk.expect(gone.await(CuratorWalk.PATIENCE_MS, TimeUnit.MILLISECONDS), "reaped");
    return "the container was reaped";
  }

  private CountDownLatch watchForEnd(String path) throws Exception {
    CountDownLatch gone = new CountDownLatch(1);
    second
        .checkExists()
        .usingWatcher(
            (CuratorWatcher)
                event -> {
                  if (event.getType() == EventType.NodeDeleted) gone.countDown();
                })
        .forPath(path);
    return gone;
  }

  /** The recipe keeps its node alive by touching it; a plain TTL node goes when nobody does. */
  private String ttl() throws Exception {
    first.create().withTtl(1000).withMode(CreateMode.PERSISTENT_WITH_TTL).forPath("/ttl-plain");
    CountDownLatch plainGone = watchForEnd("/ttl-plain");
    PersistentTtlNode node = new PersistentTtlNode(first, "/ttl", 2000, CuratorWalk.bytes("here"));
    node.start();
    CuratorWalk.expect(
        node.waitForInitialCreate(CuratorWalk.PATIENCE_MS, TimeUnit.MILLISECONDS), "created");
    CuratorWalk.expect(
        plainGone.await(CuratorWalk.PATIENCE_MS, TimeUnit.MILLISECONDS), "the TTL node went");
    CountDownLatch gone = watchForEnd("/ttl");
    CuratorWalk.expectEqual(gone.getCount(), 1L, "the recipe's node, before its end");
    node.close();
    CuratorWalk.expect(gone.await(CuratorWalk.PATIENCE_MS, TimeUnit.MILLISECONDS), "no more touch");
    return "both TTL nodes went after their time";
  }

  private String transaction() throws Exception {
    List<CuratorTransactionResult> results =
        first
            .transaction()
            .forOperations(
                first.transactionOp().create().forPath("/tx", CuratorWalk.bytes("1")),
                first.transactionOp().create().forPath("/tx/child"),
                first.transactionOp().setData().withVersion(0).forPath("/tx", new byte[] {2}),
                first.transactionOp().check().withVersion(1).forPath("/tx"),
                first.transactionOp().delete().forPath("/tx/child"));
    CuratorWalk.expectEqual(results.size(), 5, "the number of results");
    CuratorWalk.expectEqual(results.get(2).getResultStat().getVersion(), 1, "the version set");
    try {
      first
          .transaction()
          .forOperations(
              first.transactionOp().create().forPath("/tx/never"),
              first.transactionOp().check().withVersion(7).forPath("/tx"),
              first.transactionOp().delete().forPath("/tx"));
      throw new AssertionError("a transaction with a stale version was done");
    } catch (KeeperException.BadVersionException e) {
      CuratorWalk.expectEqual(e.getResults().size(), 3, "the number of results of the refusal");
    }
    CuratorWalk.expect(first.checkExists().forPath("/tx/never") == null, "nothing was left");
    return "all or nothing";
  }

  private String acl() throws Exception {
    CuratorFramework owner = CuratorWalk.start(connectString);
    try {
      owner.getZookeeperClient().getZooKeeper().addAuthInfo("digest", CuratorWalk.bytes("u:p"));
      owner.create().withACL(Ids.CREATOR_ALL_ACL).forPath("/acl", CuratorWalk.bytes("secret"));
      try {
        second.getData().forPath("/acl");
        throw new AssertionError("a stranger could read");
      } catch (KeeperException.NoAuthException expected) {
        // As it should be.
      }
      String data = CuratorWalk.text(owner.getData().forPath("/acl"));
      CuratorWalk.expectEqual(data, "secret", "the owner's data");
      return owner.getACL().forPath("/acl").get(0).getId().toString().trim();
    } finally {
      owner.close();
    }
  }

  private String persistentWatcher() throws Exception {
    first.create().forPath("/watched");
    LinkedBlockingQueue<String> events = new LinkedBlockingQueue<>();
    PersistentWatcher watcher = new PersistentWatcher(first, "/watched", true);
    CountDownLatch set = new CountDownLatch(1);
    watcher.getResetListenable().addListener(set::countDown);
    watcher.getListenable().addListener(event -> events.add(event.getType() + event.getPath()));
    watcher.start();
    CuratorWalk.expect(set.await(CuratorWalk.PATIENCE_MS, TimeUnit.MILLISECONDS), "watch set");
    second.create().creatingParentsIfNeeded().forPath("/watched/a/b");
    second.setData().forPath("/watched/a", new byte[] {1});
    second.delete().deletingChildrenIfNeeded().forPath("/watched/a");
    List<String> wanted =
        List.of(
            "NodeCreated/watched/a",
            "NodeCreated/watched/a/b",
            "NodeDataChanged/watched/a",
            "NodeDeleted/watched/a/b",
            "NodeDeleted/watched/a");
    for (String event : wanted) {
      CuratorWalk.expectEqual(CuratorWalk.next(events, event), event, "the event");
    }
    watcher.close();
    return String.join(" ", wanted);
  }

  private String removeWatcher() throws Exception {
    first.create().forPath("/unwatched");
    LinkedBlockingQueue<EventType> events = new LinkedBlockingQueue<>();
    CuratorWatcher watcher = event -> events.add(event.getType());
    first.getData().usingWatcher(watcher).forPath("/unwatched");
    first.watchers().remove(watcher).ofType(WatcherType.Data).forPath("/unwatched");
    CuratorWalk.expectEqual(
        CuratorWalk.next(events, "the removal"), EventType.DataWatchRemoved, "the event");
    first.setData().forPath("/unwatched", new byte[] {1});
    first.create().forPath("/unwatched/child");
    CuratorWalk.expectEqual(events.size(), 0, "the number of events after the removal");
    return "no event after DataWatchRemoved";
  }

  private String groupMember() throws Exception {
    GroupMember one = new GroupMember(first, "/group", "one");
    GroupMember two = new GroupMember(second, "/group", "two");
    one.start();
    two.start();
    try {
      long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(CuratorWalk.PATIENCE_MS);
      TreeSet<String> members = new TreeSet<>();
      while (members.size() < 2 && System.nanoTime() < deadline) {
        members = new TreeSet<>(one.getCurrentMembers().keySet());
        Thread.sleep(20);
      }
      CuratorWalk.expectEqual(members.toString(), "[one, two]", "the group");
      return members.toString();
    } finally {
      two.close();
      one.close();
    }
  }

  private String deleteChildren() throws Exception {
    for (String leaf : List.of("/forest/a/1", "/forest/a/2", "/forest/b/1")) {
      first.create().creatingParentsIfNeeded().forPath(leaf);
    }
    first.delete().guaranteed().deletingChildrenIfNeeded().forPath("/forest");
    CuratorWalk.expect(second.checkExists().forPath("/forest") == null, "the forest is gone");
    return "a tree of three leaves is gone";
  }
}
