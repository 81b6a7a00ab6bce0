import { doubleText, type MetricSink } from '../base/metrics.ts'
import { fullVersion } from './environment-text.ts'
import type { NamespaceQuota, QuorumView, ServerView } from './server-view.ts'
import type { TextWriter } from './text-writer.ts'

export function writeMonitor(view: ServerView, out: TextWriter): void {
  dumpMonitor(view, (key, text) => out.line(`zk_${key}\t${text}`))
}

/**
 * Everything that `mntr` prints, in its order: what the server is, gauges, then the metrics. The keys of
 * an ensemble's member are there on a member only, and those of the leader on the leader.
 */
function dumpMonitor(view: ServerView, sink: MetricSink): void {
  sink('version', fullVersion(view))
  sink('server_state', view.mode)
  if (view.quorum !== undefined) {
    sink('peer_state', view.quorum.peerState)
    if (view.quorum.observerMasterId !== undefined) {
      sink('observer_master_id', String(view.quorum.observerMasterId))
    }
  }
  dumpServerGauges(view, sink)
  if (view.quorum !== undefined) dumpQuorumGauges(view, view.quorum, sink)
  dumpQuotaGauges([...view.quotas], sink)
  view.metrics.registry.dump(sink)
}

function dumpServerGauges(view: ServerView, sink: MetricSink): void {
  const { stats } = view
  const gauge = (key: string, value: number) => sink(key, String(value))
  gauge('ephemerals_count', view.ephemeralCount)
  gauge('num_alive_connections', view.cnxnCount)
  sink('avg_latency', stats.latencyMs.averageText)
  gauge('outstanding_requests', view.outstandingRequests)
  gauge('znode_count', view.nodeCount)
  gauge('global_sessions', view.sessions.globalCount)
  gauge('non_mtls_remote_conn_count', stats.nonMtlsRemoteCnxnCount)
  gauge('last_client_response_size', stats.clientResponseBytes.last)
  gauge('packets_sent', stats.packetsSent)
  gauge('packets_received', stats.packetsReceived)
  gauge('max_client_response_size', stats.clientResponseBytes.max)
  sink('connection_drop_probability', doubleText(stats.connectionDropProbability))
  gauge('watch_count', view.watchCount)
  gauge('auth_failed_count', stats.authFailedCount)
  gauge('min_latency', stats.latencyMs.min)
  gauge('max_file_descriptor_count', view.host.maxFileDescriptors)
  gauge('approximate_data_size', view.approximateDataBytes)
  gauge('open_file_descriptor_count', view.host.openFileDescriptors)
  gauge('local_sessions', view.sessions.localCount)
  gauge('uptime', view.clock.mono - view.startedMono)
  gauge('max_latency', stats.latencyMs.max)
  gauge('outstanding_tls_handshake', stats.outstandingTlsHandshakeCount)
  gauge('min_client_response_size', stats.clientResponseBytes.min)
  gauge('non_mtls_local_conn_count', stats.nonMtlsLocalCnxnCount)
}

function dumpQuorumGauges(view: ServerView, quorum: QuorumView, sink: MetricSink): void {
  const gauge = (key: string, value: number) => sink(key, String(value))
  gauge('quorum_size', quorum.quorumSize)
  if (quorum.syncedObservers !== undefined) gauge('synced_observers', quorum.syncedObservers)
  const { leader } = quorum
  if (leader === undefined) return
  gauge('learners', leader.learners)
  gauge('synced_followers', leader.syncedFollowers)
  gauge('synced_non_voting_followers', leader.syncedNonVotingFollowers)
  gauge('pending_syncs', leader.pendingSyncs)
  gauge('leader_uptime', view.clock.mono - leader.leadingSinceMono)
  gauge('last_proposal_size', leader.proposalSizes.last)
  gauge('min_proposal_size', leader.proposalSizes.min)
  gauge('max_proposal_size', leader.proposalSizes.max)
  gauge('members_staying_out', leader.outsiders.length)
}

function dumpQuotaGauges(quotas: readonly NamespaceQuota[], sink: MetricSink): void {
  for (const { namespace, countLimit } of quotas)
    sink(`${namespace}_quota_count_limit_per_namespace`, String(countLimit))
  for (const { namespace, bytesLimit } of quotas)
    sink(`${namespace}_quota_bytes_limit_per_namespace`, String(bytesLimit))
  for (const { namespace, countUsage } of quotas)
    sink(`${namespace}_quota_count_usage_per_namespace`, String(countUsage))
  for (const { namespace, bytesUsage } of quotas)
    sink(`${namespace}_quota_bytes_usage_per_namespace`, String(bytesUsage))
}
