/**
 * Three Kafka brokers in ZooKeeper mode keep everything they share in our server: who is alive, who
 * is the controller, who leads which partition. A crash of the controller tries all of it at once.
 */
import { afterAll, beforeAll, describe, expect, it, onTestFailed } from 'vitest'
import { startServer, type TestServer } from './harness/server.ts'
import type { JavaProgram } from './java/java-program.ts'
import { type Broker, KafkaCluster } from './kafka/kafka-cluster.ts'

const tickTimeMs = 2000
const sessionTimeoutMs = 6000
/** What a busy machine with two cores may add until a client has seen the server's event. */
const graceMs = 1000
const topic = 'walk'
const partitions = 3
const messages = 10_000
const brokerIds = [1, 2, 3]

// The client inside 3.4.1 is ZooKeeper 3.6.4, the one inside 3.9.2 is ZooKeeper 3.8.4.
describe.each(['3.4.1', '3.9.2'])('Kafka %s', (kafkaVersion) => {
  let server: TestServer
  let cluster: KafkaCluster
  let probe: JavaProgram

  const controllerId = async (): Promise<number> =>
    Number(/"brokerid":(\d+)/.exec(await probe.ask('get /controller'))?.[1])
  const others = (id: number): string => brokerIds.filter((other) => other !== id).join(',')

  beforeAll(async () => {
    server = await startServer({ config: { tickTime: String(tickTimeMs) } })
    const zooKeeperConnect = server.connectString
    const version = kafkaVersion
    cluster = await KafkaCluster.start({ version, zooKeeperConnect, sessionTimeoutMs, brokerIds })
    probe = cluster.probe
  })

  afterAll(async () => {
    await cluster?.kill()
    await server?.stop()
  })

  const reportOnFailure = (): void =>
    onTestFailed(async () => {
      console.log(`${await cluster.report()}\nthe server's log:\n${server.log()}`)
    })

  it('registers every broker under /brokers/ids with its address', async () => {
    reportOnFailure()
    for (const { id, port } of cluster.brokers) {
      await probe.ask(`awaitPresent /brokers/ids/${id} 60000`)
      const registration = JSON.parse(await probe.ask(`get /brokers/ids/${id}`))
      expect(registration).toMatchObject({ host: '127.0.0.1', port, version: 5 })
    }
    await probe.ask('awaitPresent /controller 30000')
    await probe.ask(`awaitBrokers ${brokerIds.length} 30000`)
  })

  it('creates a topic on all three and carries 10,000 messages', async () => {
    reportOnFailure()
    await probe.ask(`createTopic ${topic} ${partitions} 3`)
    const inSync = await probe.ask(`awaitInSync ${topic} ${partitions} 1,2,3 30000`)
    expect(inSync.match(/leader=(\d)/g)?.toSorted()).toEqual(['leader=1', 'leader=2', 'leader=3'])
    expect(await probe.ask(`produce ${topic} 0 ${messages}`)).toBe(String(messages))
    await probe.ask(`subscribe ${topic}`)
    await probe.ask(`consume ${messages / 2} 60000`)
  })

  it('shows the same in its znodes', async () => {
    reportOnFailure()
    const paths = (await probe.ask('tree')).split(' ')
    expect(paths).toEqual(
      expect.arrayContaining([
        ...brokerIds.map((id) => `/brokers/ids/${id}`),
        ...[0, 1, 2].map((partition) => `/brokers/topics/${topic}/partitions/${partition}/state`),
        '/cluster/id',
        '/controller',
        '/latest_producer_id_block',
      ]),
    )
    console.log(`ls -R / with Kafka ${kafkaVersion}:\n${paths.join('\n')}`)
    for (const id of brokerIds) {
      console.log(`/brokers/ids/${id} = ${await probe.ask(`get /brokers/ids/${id}`)}`)
    }
  })

  let crashed: Broker

  it('loses the crashed controller within its session timeout plus one tick', async () => {
    reportOnFailure()
    crashed = cluster.broker(await controllerId())
    const killedAtMs = performance.now()
    await crashed.stop('SIGKILL')
    await probe.ask(`awaitGone /brokers/ids/${crashed.id} 30000`)
    const goneMs = Math.round(performance.now() - killedAtMs)
    console.log(`/brokers/ids/${crashed.id} was gone ${goneMs} ms after kill -9`)
    // A closed connection ends no session. (The last ping may be a third of the timeout old.)
    expect(goneMs).toBeGreaterThan(sessionTimeoutMs / 2)
    expect(goneMs).toBeLessThanOrEqual(sessionTimeoutMs + tickTimeMs + graceMs)
  })

  it('moves the leadership, and consuming goes on', async () => {
    reportOnFailure()
    const inSync = await probe.ask(`awaitInSync ${topic} ${partitions} ${others(crashed.id)} 30000`)
    const controller = await controllerId()
    expect(controller).not.toBe(crashed.id)
    console.log(`controller ${crashed.id} -> ${controller}; ${topic}: ${inSync}`)
    // The second half of the old messages, then new ones that only the two live brokers carry.
    expect(await probe.ask(`consume ${messages} 90000`)).toContain(`upTo=${messages} `)
    await probe.ask(`produce ${topic} ${messages} ${messages + 1000}`)
    const consumed = await probe.ask(`consume ${messages + 1000} 90000`)
    expect(consumed).toContain(`seen=${messages + 1000} upTo=${messages + 1000} `)
    console.log(`consumed across the crash: ${consumed}`)
  })

  it('takes the crashed broker back into the ISR', async () => {
    reportOnFailure()
    await crashed.start()
    await probe.ask(`awaitPresent /brokers/ids/${crashed.id} 60000`)
    const inSync = await probe.ask(`awaitInSync ${topic} ${partitions} 1,2,3 60000`)
    console.log(`after the return of broker ${crashed.id}: ${topic}: ${inSync}`)
  })

  it('forgets a broker that stops in order at once', async () => {
    reportOnFailure()
    const stopped = cluster.broker(await controllerId())
    await stopped.stop('SIGTERM')
    // The session was closed, not lost: its node is gone by the time the process is.
    await probe.ask(`awaitGone /brokers/ids/${stopped.id} 500`)
    await probe.ask(`awaitInSync ${topic} ${partitions} ${others(stopped.id)} 30000`)
  })
})
