/**
 * Three Kafka brokers on three of our servers, whose leader crashes while messages are produced, and
 * then the next leader. The brokers must not notice more than that a connection was lost.
 */
import { afterAll, beforeAll, expect, it, onTestFailed } from 'vitest'
import { Ensemble } from './harness/ensemble.ts'
import { reportOnFailure } from './harness/ensemble-checks.ts'
import { defaultKind } from './harness/server.ts'
import type { JavaProgram } from './java/java-program.ts'
import { KafkaCluster } from './kafka/kafka-cluster.ts'

const kind = defaultKind()
const version = '3.9.2'
const sessionTimeoutMs = 6000
const brokerIds = [1, 2, 3]
const partitions = 3
/** Of messages, one every 5 ms: six seconds, in which the leader dies. */
const MESSAGES = 1200
const PAUSE_MS = 5

let ensemble: Ensemble
let cluster: KafkaCluster
let probe: JavaProgram

beforeAll(async () => {
  ensemble = await Ensemble.create({ kinds: [kind, kind, kind] })
  await ensemble.start()
  const zooKeeperConnect = ensemble.connectString
  cluster = await KafkaCluster.start({ version, zooKeeperConnect, sessionTimeoutMs, brokerIds })
  probe = cluster.probe
})
afterAll(async () => {
  await cluster?.kill()
  await ensemble?.close()
})

/** Who owns the registrations and the controller's node: they change only with the sessions. */
async function owners(): Promise<string[]> {
  const paths = [...brokerIds.map((id) => `/brokers/ids/${id}`), '/controller']
  const found: string[] = []
  for (const path of paths) found.push(`${path} ${await probe.ask(`owner ${path}`)}`)
  return found
}

it('brokers stay registered and producing goes on while leaders die', async () => {
  reportOnFailure(ensemble)
  onTestFailed(async () => console.log(await cluster.report()))
  for (const id of brokerIds) await probe.ask(`awaitPresent /brokers/ids/${id} 60000`)
  await probe.ask('awaitPresent /controller 30000')
  await probe.ask(`awaitBrokers ${brokerIds.length} 30000`)
  await probe.ask(`createTopic walk ${partitions} ${brokerIds.length}`)
  await probe.ask(`awaitInSync walk ${partitions} 1,2,3 30000`)
  const before = await owners()

  let sent = 0
  for (let crash = 1; crash <= 2; crash += 1) {
    const leader = await ensemble.untilRoles()
    const produced = probe.ask(`producePaced walk ${sent} ${sent + MESSAGES} ${PAUSE_MS}`)
    await leader.stop('SIGKILL')
    const next = await ensemble.untilRoles()
    console.log(`${leader.name} was killed, ${next.name} leads; produced ${await produced}`)
    sent += MESSAGES
    // Two members of three: what Kafka keeps in ZooKeeper can be changed, and is seen.
    await probe.ask(`createTopic after-${crash} ${partitions} ${brokerIds.length}`)
    await probe.ask(`awaitInSync after-${crash} ${partitions} 1,2,3 30000`)
    await leader.start()
    await ensemble.untilRoles()
  }
  await probe.ask('subscribe walk')
  expect(await probe.ask(`consume ${sent} 60000`)).toContain(`seen=${sent} upTo=${sent} `)
  // The first crash was longer ago than a session lasts which nobody keeps alive.
  expect(await owners()).toEqual(before)
})
