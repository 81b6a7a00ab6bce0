/*
 * Asks a server, through the threaded C client, for what cli_mt cannot ask: transactions, ACLs,
 * removal of watches, and watches that outlive a restart of the server. Every check prints one line.
 * Usage: probe <host:port>. A line on the standard input tells that the server has been restarted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <pthread.h>
#include <zookeeper/zookeeper.h>

#define WAIT_SECONDS 30

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int connected = 0;
static char last_event[256] = "";

static void on_session(zhandle_t *zh, int type, int state, const char *path, void *context) {
  (void)zh, (void)path, (void)context;
  if (type != ZOO_SESSION_EVENT) return;
  pthread_mutex_lock(&lock);
  connected = state == ZOO_CONNECTED_STATE;
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&lock);
}

static const char *name_of(int type) {
  if (type == ZOO_CREATED_EVENT) return "created";
  if (type == ZOO_DELETED_EVENT) return "deleted";
  if (type == ZOO_CHANGED_EVENT) return "changed";
  if (type == ZOO_CHILD_EVENT) return "child";
  return "other";
}

static void on_event(zhandle_t *zh, int type, int state, const char *path, void *context) {
  (void)zh, (void)state, (void)context;
  if (type == ZOO_SESSION_EVENT) return;
  pthread_mutex_lock(&lock);
  snprintf(last_event, sizeof last_event, "%s %s", name_of(type), path);
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&lock);
}

/* Waits for the connection, or, where want_event is set, for an event; forgets the event. */
static void await(int want_event, char *event, size_t size) {
  struct timespec deadline;
  clock_gettime(CLOCK_REALTIME, &deadline);
  deadline.tv_sec += WAIT_SECONDS;
  pthread_mutex_lock(&lock);
  while (want_event ? last_event[0] == 0 : !connected) {
    if (pthread_cond_timedwait(&changed, &lock, &deadline) != 0) {
      printf("nothing came in %d seconds\n", WAIT_SECONDS);
      exit(1);
    }
  }
  if (want_event) {
    snprintf(event, size, "%s", last_event);
    last_event[0] = 0;
  }
  pthread_mutex_unlock(&lock);
}

static void transactions(zhandle_t *zh) {
  char a[64], s[64];
  struct Stat stat;
  zoo_op_t good[5];
  zoo_op_result_t results[5];
  zoo_create_op_init(&good[0], "/probe/a", "1", 1, &ZOO_OPEN_ACL_UNSAFE, 0, a, sizeof a);
  zoo_create_op_init(&good[1], "/probe/s-", "2", 1, &ZOO_OPEN_ACL_UNSAFE, ZOO_SEQUENCE, s, sizeof s);
  zoo_set_op_init(&good[2], "/probe", "multi", 5, 0, &stat);
  zoo_check_op_init(&good[3], "/probe", 1);
  zoo_delete_op_init(&good[4], "/probe/a", 0);
  int rc = zoo_multi(zh, 5, good, results);
  printf("multi %d:", rc);
  for (int i = 0; i < 5; i++) printf(" %d", results[i].err);
  printf(" %s %s version=%d\n", a, s, stat.version);

  zoo_op_t bad[3];
  zoo_create_op_init(&bad[0], "/probe/b", "1", 1, &ZOO_OPEN_ACL_UNSAFE, 0, a, sizeof a);
  zoo_check_op_init(&bad[1], "/probe", 99);
  zoo_delete_op_init(&bad[2], "/probe/s-0000000001", -1);
  rc = zoo_multi(zh, 3, bad, results);
  printf("multi %d:", rc);
  for (int i = 0; i < 3; i++) printf(" %d", results[i].err);
  printf(" exists %d %d\n", zoo_exists(zh, "/probe/b", 0, NULL),
         zoo_exists(zh, "/probe/s-0000000001", 0, NULL));
}

static void acls(zhandle_t *zh) {
  struct Id everyone = {"world", "anyone"}, own = {"auth", ""};
  struct ACL entries[] = {{ZOO_PERM_READ, everyone}, {ZOO_PERM_ALL, own}};
  struct ACL_vector wanted = {2, entries}, found;
  struct Stat stat;
  printf("setAcl without identity %d\n", zoo_set_acl(zh, "/probe", -1, &wanted));
  printf("addAuth %d\n", zoo_add_auth(zh, "digest", "bob:secret", 10, NULL, NULL));
  printf("setAcl %d\n", zoo_set_acl(zh, "/probe", 0, &wanted));
  int rc = zoo_get_acl(zh, "/probe", &found, &stat);
  printf("getAcl %d aversion=%d", rc, stat.aversion);
  for (int i = 0; i < found.count; i++)
    printf(" %s:%s:%d", found.data[i].id.scheme, found.data[i].id.id, found.data[i].perms);
  printf("\n");
  deallocate_ACL_vector(&found);
}

static void watches(zhandle_t *zh) {
  char event[256], data[64];
  int size = sizeof data;
  zoo_wget(zh, "/probe", on_event, NULL, data, &size, NULL);
  int rc = zoo_remove_watches(zh, "/probe", ZWATCHTYPE_DATA, on_event, NULL, 0);
  printf("removeWatches %d", rc);
  rc = zoo_remove_watches(zh, "/probe", ZWATCHTYPE_DATA, on_event, NULL, 0);
  printf(" again %d\n", rc);

  char created[64];
  struct Stat stat;
  zoo_wexists(zh, "/probe/ttl", on_event, NULL, NULL);
  rc = zoo_create2_ttl(zh, "/probe/ttl", "t", 1, &ZOO_OPEN_ACL_UNSAFE, ZOO_PERSISTENT_WITH_TTL,
                       600000, created, sizeof created, &stat);
  await(1, event, sizeof event);
  printf("create2 with a TTL %d %s dataLength=%d %s\n", rc, created, stat.dataLength, event);
}

static void restart(zhandle_t *zh) {
  char event[256], line[16];
  zoo_create(zh, "/probe/eph", "e", 1, &ZOO_OPEN_ACL_UNSAFE, ZOO_EPHEMERAL, NULL, 0);
  long long before = zoo_client_id(zh)->client_id;
  zoo_wexists(zh, "/news", on_event, NULL, NULL);
  printf("ready for the restart\n");
  if (fgets(line, sizeof line, stdin) == NULL) exit(1);
  await(1, event, sizeof event);
  await(0, NULL, 0);
  printf("after the restart: %s, the session %s, its ephemeral %d\n", event,
         zoo_client_id(zh)->client_id == before ? "lives" : "is another",
         zoo_exists(zh, "/probe/eph", 0, NULL));
}

int main(int count, char **words) {
  if (count != 2) return 2;
  setvbuf(stdout, NULL, _IOLBF, 0);
  zoo_set_debug_level(0); /* It would report every attempt to reconnect. */
  zhandle_t *zh = zookeeper_init(words[1], on_session, 20000, NULL, NULL, 0);
  if (zh == NULL) return 1;
  await(0, NULL, 0);
  printf("connected\n");
  printf("create %d\n", zoo_create(zh, "/probe", "x", 1, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0));
  transactions(zh);
  acls(zh);
  watches(zh);
  restart(zh);
  printf("close %d\n", zookeeper_close(zh));
  return 0;
}
