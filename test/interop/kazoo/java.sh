#!/usr/bin/env bash
# Stands in for `java` on the PATH of kazoo's test harness, which starts its servers by
#   java -cp <class path> -D<name>=<value>... <main class> <zoo.cfg>
# and starts ours instead, with the same properties and the same configuration.
set -euo pipefail
flags=()
while (($# > 0)); do
  case $1 in
    -cp) shift 2 ;;
    -*) flags+=("$1"); shift ;;
    *) break ;;
  esac
done
if [ "${1:-}" != org.apache.zookeeper.server.quorum.QuorumPeerMain ] || [ $# -ne 2 ]; then
  echo "java: only the start of a ZooKeeper server is understood here, not: $*" >&2
  exit 64
fi
unset JVMFLAGS
export SERVER_JVMFLAGS="${flags[*]}"
exec "$INTEROP_NODE" "$INTEROP_ZK_SERVER" start-foreground "$2" >>"$INTEROP_SERVER_LOG" 2>&1
