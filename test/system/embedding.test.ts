import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { type LogFields, type Logger, startEnsemble, startServer } from 'zk-server'
import { Err } from '../../src/data/error-code.ts'
import { OpCode } from '../../src/data/op-code.ts'
import { readGetDataResponse } from '../../src/data/records.ts'
import { create, getData, pathOnly } from '../support/requests.ts'
import { WireClient } from '../support/wire-client.ts'

const folder = mkdtempSync(join(tmpdir(), 'zk-embedding-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function write(port: number, path: string, data: string): Promise<void> {
  const client = await WireClient.open(port, 10_000)
  const { err } = await client.call(OpCode.create, create(path, { data: Buffer.from(data) }))
  await client.close()
  expect(err).toBe(Err.ok)
}

async function read(port: number, path: string): Promise<string> {
  const client = await WireClient.open(port, 10_000)
  await client.call(OpCode.sync, pathOnly(path))
  const { body } = await client.call(OpCode.getData, getData(path))
  const data = String(readGetDataResponse(body).data)
  await client.close()
  return data
}

describe('a server in this process', () => {
  it('serves on a port of its own, and takes its folder with it', async () => {
    const lines: [string, LogFields | undefined][] = []
    const say = (message: string, fields?: LogFields): void => void lines.push([message, fields])
    const logger: Logger = { debug: say, info: say, warn: say, error: say }
    const server = await startServer({ logger })
    expect(server.connectString).toBe(`127.0.0.1:${server.clientPort}`)
    expect(server.isServing).toBe(true)
    await write(server.clientPort, '/a', 'x')
    expect(await read(server.clientPort, '/a')).toBe('x')
    await server.close()
    await server.close()
    expect(server.isServing).toBe(false)
    const loaded = lines.find(([message]) => message === 'data loaded')
    expect(loaded).toBeDefined()
    await expect(WireClient.open(server.clientPort, 10_000)).rejects.toThrow()
  })

  it('finds in its folder what it has left there', async () => {
    const dataDir = join(folder, 'kept')
    mkdirSync(dataDir)
    const first = await startServer({ dataDir })
    await write(first.clientPort, '/kept', 'x')
    await expect(startServer({ dataDir })).rejects.toThrow('is in use by another server')
    await first.close()
    const second = await startServer({ dataDir, config: { snapCount: 10, tickTime: 500 } })
    expect(await read(second.clientPort, '/kept')).toBe('x')
    await second.close()
    expect(existsSync(dataDir)).toBe(true)
  })

  it('says what is wrong with a key, and with a port, and holds nothing then', async () => {
    await expect(startServer({ config: { tickTime: 'abc' } })).rejects.toThrow(
      'options: tickTime=abc: must be',
    )
    const other = await startServer()
    const dataDir = join(folder, 'taken')
    mkdirSync(dataDir)
    await expect(startServer({ dataDir, clientPort: other.clientPort })).rejects.toThrow(
      `cannot bind clientPort ${other.clientPort}`,
    )
    const again = await startServer({ dataDir })
    await again.close()
    await other.close()
  })

  it('closes, and tells whoever has started it, when its log cannot be written', async () => {
    const dataDir = join(folder, 'doomed')
    let tell: (error: Error) => void = () => {}
    const told = new Promise<Error>((resolve) => {
      tell = resolve
    })
    const server = await startServer({ dataDir, onFatal: tell })
    await write(server.clientPort, '/a', 'x')
    rmSync(dataDir, { recursive: true })
    expect((await told).message).toContain('the log cannot be written')
    expect(server.isServing).toBe(false)
    await server.close()
  })
})

describe('an ensemble in this process', () => {
  it('goes on when one of three members is closed', async () => {
    const ensemble = await startEnsemble(3, { dataDir: join(folder, 'three') })
    const [first, second, third] = ensemble.members
    if (first === undefined || second === undefined || third === undefined) throw new Error('none')
    expect(ensemble.connectString.split(',')).toHaveLength(3)
    await write(first.clientPort, '/a', 'x')
    await third.close()
    await expect.poll(() => first.isServing && second.isServing, { timeout: 10_000 }).toBe(true)
    await write(second.clientPort, '/b', 'y')
    expect(await read(first.clientPort, '/b')).toBe('y')
    await ensemble.close()
    expect(readdirSync(join(folder, 'three')).sort()).toEqual(['1', '2', '3'])
  })
})
