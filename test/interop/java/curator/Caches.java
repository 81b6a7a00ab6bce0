import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.stream.Collectors;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.cache.ChildData;
import org.apache.curator.framework.recipes.cache.CuratorCache;
import org.apache.curator.framework.recipes.cache.CuratorCacheListener;
import org.apache.curator.framework.recipes.cache.NodeCache;
import org.apache.curator.framework.recipes.cache.PathChildrenCache;
import org.apache.curator.framework.recipes.cache.PathChildrenCache.StartMode;
import org.apache.curator.framework.recipes.cache.PathChildrenCacheEvent;
import org.apache.curator.framework.recipes.cache.TreeCache;
import org.apache.curator.framework.recipes.cache.TreeCacheEvent;

/**
 * The caches: CuratorCache lives on one persistent recursive watch, the older three (which much of
 * the field still runs) on one-shot watches set again and again.
 */
@SuppressWarnings("deprecation")
final class Caches {
  private final CuratorFramework first;
  private final CuratorFramework second;

  Caches(CuratorFramework first, CuratorFramework second) {
    this.first = first;
    this.second = second;
  }

  void addTo(Map<String, CuratorWalk.Check> checks) {
    checks.put("curatorCache", this::curatorCache);
    checks.put("nodeCache", this::nodeCache);
    checks.put("pathChildrenCache", this::pathChildrenCache);
    checks.put("treeCache", this::treeCache);
  }

  private String curatorCache() throws Exception {
    second.create().creatingParentsIfNeeded().forPath("/cache/old", CuratorWalk.bytes("o"));
    LinkedBlockingQueue<String> events = new LinkedBlockingQueue<>();
    try (CuratorCache cache = CuratorCache.build(first, "/cache")) {
      cache
          .listenable()
          .addListener(
              CuratorCacheListener.builder()
                  .forInitialized(() -> events.add("initialized"))
                  .forCreates(node -> events.add("created " + node.getPath()))
                  .forChanges((old, node) -> events.add("changed " + node.getPath()))
                  .forDeletes(node -> events.add("deleted " + node.getPath()))
                  .build());
      cache.start();
      CuratorWalk.await(events, "initialized");
      second.create().forPath("/cache/new", CuratorWalk.bytes("1"));
      CuratorWalk.await(events, "created /cache/new");
      second.create().forPath("/cache/new/deep", CuratorWalk.bytes("2"));
      CuratorWalk.await(events, "created /cache/new/deep");
      second.setData().forPath("/cache/new/deep", CuratorWalk.bytes("3"));
      CuratorWalk.await(events, "changed /cache/new/deep");
      second.delete().forPath("/cache/old");
      CuratorWalk.await(events, "deleted /cache/old");
      String paths =
          cache.stream().map(ChildData::getPath).sorted().collect(Collectors.joining(" "));
      CuratorWalk.expectEqual(paths, "/cache /cache/new /cache/new/deep", "what is cached");
      String deep = CuratorWalk.text(cache.get("/cache/new/deep").orElseThrow().getData());
      CuratorWalk.expectEqual(deep, "3", "the cached data");
      return paths;
    }
  }

  private String nodeCache() throws Exception {
    LinkedBlockingQueue<String> states = new LinkedBlockingQueue<>();
    try (NodeCache cache = new NodeCache(first, "/node-cache")) {
      cache
          .getListenable()
          .addListener(
              () -> {
                ChildData data = cache.getCurrentData();
                states.add(data == null ? "absent" : CuratorWalk.text(data.getData()));
              });
      cache.start(true);
      second.create().forPath("/node-cache", CuratorWalk.bytes("a"));
      CuratorWalk.await(states, "a");
      second.setData().forPath("/node-cache", CuratorWalk.bytes("b"));
      CuratorWalk.await(states, "b");
      second.delete().forPath("/node-cache");
      CuratorWalk.await(states, "absent");
      return "a, b, absent";
    }
  }

  private String pathChildrenCache() throws Exception {
    second.create().creatingParentsIfNeeded().forPath("/children/a", CuratorWalk.bytes("1"));
    LinkedBlockingQueue<String> events = new LinkedBlockingQueue<>();
    try (PathChildrenCache cache = new PathChildrenCache(first, "/children", true)) {
      cache.getListenable().addListener((client, event) -> events.add(show(event)));
      cache.start(StartMode.POST_INITIALIZED_EVENT);
      CuratorWalk.await(events, "INITIALIZED");
      second.create().forPath("/children/b", CuratorWalk.bytes("2"));
      CuratorWalk.await(events, "CHILD_ADDED /children/b 2");
      second.setData().forPath("/children/a", CuratorWalk.bytes("3"));
      CuratorWalk.await(events, "CHILD_UPDATED /children/a 3");
      second.delete().forPath("/children/b");
      CuratorWalk.await(events, "CHILD_REMOVED /children/b 2");
      List<ChildData> left = cache.getCurrentData();
      CuratorWalk.expectEqual(left.size(), 1, "the number of children cached");
      return "added, updated, removed";
    }
  }

  private static String show(PathChildrenCacheEvent event) {
    ChildData data = event.getData();
    if (data == null) return event.getType().toString();
    return event.getType() + " " + data.getPath() + " " + CuratorWalk.text(data.getData());
  }

  private String treeCache() throws Exception {
    LinkedBlockingQueue<String> events = new LinkedBlockingQueue<>();
    try (TreeCache cache = new TreeCache(first, "/tree")) {
      cache.getListenable().addListener((client, event) -> events.add(show(event)));
      cache.start();
      CuratorWalk.await(events, "INITIALIZED");
      second.create().creatingParentsIfNeeded().forPath("/tree/a/b", CuratorWalk.bytes("1"));
      CuratorWalk.await(events, "NODE_ADDED /tree/a/b");
      second.setData().forPath("/tree/a/b", CuratorWalk.bytes("2"));
      CuratorWalk.await(events, "NODE_UPDATED /tree/a/b");
      String children = new TreeSet<>(cache.getCurrentChildren("/tree/a").keySet()).toString();
      CuratorWalk.expectEqual(children, "[b]", "the cached children");
      second.delete().deletingChildrenIfNeeded().forPath("/tree/a");
      CuratorWalk.await(events, "NODE_REMOVED /tree/a");
      return "added, updated, removed";
    }
  }

  private static String show(TreeCacheEvent event) {
    ChildData data = event.getData();
    return data == null ? event.getType().toString() : event.getType() + " " + data.getPath();
  }
}
