import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { OpCode } from '../../../../src/data/op-code.ts'
import { absentMetrics } from '../../../../src/server/stats/absent-metrics.ts'
import { makeServerMetrics } from '../../../../src/server/stats/server-metrics.ts'
import { NOT_TIMED, StageTimer } from '../../../../src/server/stats/stage-timer.ts'
import { MemoryEnsemble } from '../../../support/memory-ensemble.ts'
import { MemoryServer, requestFrame } from '../../../support/memory-server.ts'
import {
  create,
  createTtl,
  exists,
  getChildren,
  getData,
  pathOnly,
  remove,
  setData,
} from '../../../support/requests.ts'

/** Values that have moved, by key. */
function movedOf(server: MemoryServer): Record<string, string> {
  const moved: Record<string, string> = {}
  server.member.metrics.registry.dump((key, text) => {
    if (text !== '0' && text !== '0.0') moved[key] = text
  })
  return moved
}

describe('the table of metrics', () => {
  it('has each name once, and none that is said to have no counterpart', () => {
    const names = makeServerMetrics().registry.all.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    expect(names.filter((name) => absentMetrics.has(name))).toEqual([])
  })

  it('has no metric that nobody writes', () => {
    const tables = /^(?:client|ensemble|storage|write)-metrics\.ts$/
    const sources = readdirSync('src', { recursive: true, withFileTypes: true })
      .filter(({ name }) => name.endsWith('.ts') && !tables.test(name))
      .map(({ parentPath, name }) => readFileSync(`${parentPath}/${name}`, 'utf8'))
      .join('\n')
    const written = new Set(
      [...sources.matchAll(/\bmetrics\??\.(\w+)/g)].map(([, handle]) => handle),
    )
    const { registry, ...handles } = makeServerMetrics()
    expect(Object.keys(handles).filter((handle) => !written.has(handle))).toEqual([])
    expect(registry.all.length).toBe(Object.keys(handles).length)
  })
})

describe('metrics of requests', () => {
  it('count operations, those of sessions too, and refused writes not', () => {
    const server = new MemoryServer()
    const client = server.connect()
    client.call(OpCode.create2, create('/a'))
    client.call(OpCode.create, create('/a'))
    client.call(OpCode.getData, getData('/a'))
    client.call(OpCode.getData, getData('/missing'))
    client.call(OpCode.sync, pathOnly('/'))
    client.call(OpCode.closeSession)
    expect(movedOf(server)).toMatchObject({
      ...{ op_count_create_session: '1', op_count_create: '1', op_count_get_data: '2' },
      ...{ op_count_sync: '1', op_count_close_session: '1', op_count_total: '6' },
    })
  })

  it('add up bytes by top-level node', () => {
    const server = new MemoryServer()
    const client = server.connect()
    const data = Buffer.from('12345')
    client.call(OpCode.create, create('/app', { data }))
    client.call(OpCode.create, create('/application', { data }))
    client.call(OpCode.create, create('/app/b', { data }))
    client.call(OpCode.setData, setData('/app/b', '123'))
    client.call(OpCode.delete, remove('/app/b'))
    client.call(OpCode.getData, getData('/app'))
    client.call(OpCode.exists, exists('/app'))
    client.call(OpCode.getChildren, getChildren('/'))
    const moved = movedOf(server)
    expect(moved).toMatchObject({
      ...{ cnt_app_write_per_namespace: '4', sum_app_write_per_namespace: '35' },
      ...{ cnt_application_write_per_namespace: '1', max_application_write_per_namespace: '17' },
      ...{ cnt_app_read_per_namespace: '2', sum_app_read_per_namespace: String(4 + 5 + 4 + 136) },
    })
    expect(Object.keys(moved).filter((key) => /read_per/.test(key)).length).toBe(5)
  })

  it('tell what waits for a write, and what goes on with it', () => {
    const server = new MemoryServer()
    const client = server.connect()
    server.isDiskHeld = true
    const read = requestFrame(2, OpCode.getData, getData('/'))
    client.sendBytes(Buffer.concat([requestFrame(1, OpCode.create, create('/a')), read, read]))
    expect(movedOf(server)).toMatchObject({ max_requests_in_session_queue: '3' })
    server.releaseDisk()
    expect(movedOf(server)).toMatchObject({
      max_reads_after_write_in_session_queue: '2',
      max_pending_session_queue_size: '1',
    })
  })

  it('count what clients that go leave behind', () => {
    const server = new MemoryServer()
    const client = server.connect()
    server.isDiskHeld = true
    client.send(OpCode.create, create('/a'))
    client.vanish()
    server.releaseDisk()
    expect(movedOf(server)).toMatchObject({ stale_replies: '1', connection_drop_count: '1' })
  })

  it('count the watchers of a change', () => {
    const server = new MemoryServer()
    const watchers = [server.connect(), server.connect()]
    for (const watcher of watchers) {
      watcher.call(OpCode.exists, exists('/a', true))
      watcher.call(OpCode.getChildren, getChildren('/', true))
    }
    const writer = server.connect()
    writer.call(OpCode.create, create('/a'))
    watchers[0]?.send(OpCode.getData, getData('/a', true))
    writer.call(OpCode.setData, setData('/a', 'x'))
    watchers[0]?.send(OpCode.getData, getData('/a', true))
    writer.call(OpCode.delete, remove('/a'))
    expect(movedOf(server)).toMatchObject({
      ...{ sum_node_created_watch_count: '2', sum_node_children_watch_count: '2' },
      ...{ sum_node_changed_watch_count: '1', sum_node_deleted_watch_count: '1' },
    })
  })

  it('count nodes with a TTL', () => {
    const server = new MemoryServer({ settings: { extendedTypesEnabled: 'true' } })
    const client = server.connect()
    client.call(OpCode.createTTL, createTtl('/a', 1000n))
    client.call(OpCode.create, create('/b'))
    client.call(OpCode.delete, remove('/b'))
    expect(movedOf(server)).toMatchObject({ ttl_node_created_count: '1' })
    expect(movedOf(server)).not.toHaveProperty('ttl_node_deleted_count')
    client.call(OpCode.delete, remove('/a'))
    expect(movedOf(server)).toMatchObject({ ttl_node_deleted_count: '1' })
  })
})

describe('metrics of writes', () => {
  it('have the times of the disk', () => {
    const server = new MemoryServer()
    const client = server.connect()
    server.isDiskHeld = true
    client.send(OpCode.create, create('/a'))
    server.pass(30)
    client.send(OpCode.create, create('/b'))
    client.send(OpCode.create, create('/c'))
    server.pass(20)
    server.releaseDisk()
    server.pass(10)
    server.releaseDisk()
    expect(movedOf(server)).toMatchObject({
      ...{ max_sync_processor_batch_size: '2', sync_processor_request_queued: '4' },
      ...{ max_sync_processor_queue_time_ms: '20', max_sync_process_time: '50' },
      ...{ sum_sync_processor_queue_flush_time_ms: '60' },
      ...{ sum_sync_processor_queue_and_flush_time_ms: '80', max_propagation_latency: '50' },
    })
  })

  it('balance the changes that are under way', () => {
    const server = new MemoryServer()
    const client = server.connect()
    server.isDiskHeld = true
    client.send(OpCode.create, create('/a'))
    expect(movedOf(server)).toMatchObject({ outstanding_changes_queued: '2' })
    expect(movedOf(server)).not.toHaveProperty('outstanding_changes_removed')
    server.releaseDisk()
    expect(movedOf(server)).toMatchObject({ outstanding_changes_removed: '2' })
  })
})

describe('metrics of an ensemble', () => {
  it('tell of its election, its leader and its followers', () => {
    const ensemble = new MemoryEnsemble([1, 2, 3])
    const leader = ensemble.awaitLeader()
    const follower = ensemble.server(leader === 1 ? 2 : 1)
    const client = follower.connect()
    client.call(OpCode.create, create('/a'))
    client.call(OpCode.sync, pathOnly('/'))
    ensemble.pass(1000)
    const leads = movedOf(ensemble.server(leader))
    const others = [1, 2, 3].filter((sid) => sid !== leader)
    expect(leads).toMatchObject({
      ...{ looking_count: '1', cnt_election_time: '1', cnt_leader_unavailable_time: '1' },
      ...{ diff_count: '2', cnt_inflight_diff_count: '2', proposal_count: '2', commit_count: '2' },
      ...{ cnt_quorum_ack_latency: '2', [`cnt_${leader}_ack_latency`]: '2' },
      ...{ cnt_server_write_committed_time_ms: '1', cnt_proposal_ack_creation_latency: '2' },
    })
    for (const sid of others)
      expect(leads).toMatchObject({
        ...{ [`cnt_${sid}_ack_latency`]: '2', [`sum_${sid}_learner_handler_qp_size`]: '4' },
      })
    const follows = movedOf(follower)
    expect(follows).toMatchObject({
      ...{ looking_count: '1', cnt_election_time: '1', cnt_follower_sync_time: '1' },
      ...{ learner_proposal_received_count: '2', learner_commit_received_count: '2' },
      ...{ cnt_proposal_latency: '2', cnt_commit_propagation_latency: '2' },
      ...{ cnt_proposal_ack_creation_latency: '2', cnt_local_write_committed_time_ms: '1' },
    })
    expect(follows).not.toHaveProperty('cnt_leader_unavailable_time')
    expect(follows).not.toHaveProperty('proposal_count')
  })
})

describe('StageTimer', () => {
  it('times the first of 17, in whole milliseconds of a clock', () => {
    let now = 0.6
    const timer = new StageTimer(() => now)
    const times: number[] = []
    const metric = { add: (ms: number) => times.push(ms) }
    for (let i = 0; i < 35; i += 1) {
      const began = timer.begin()
      expect(began === NOT_TIMED).toBe(i % 17 !== 0)
      now += 0.3
      const next = timer.end(began, metric)
      now += 0.2
      timer.end(next, metric)
    }
    // Three of them; the clock goes from 0.6 by half a millisecond each.
    expect(times).toEqual([0, 1, 0, 0, 0, 1])
  })
})
