import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { HostFacts } from '../../../src/node/host.ts'
import { configOf } from '../../support/memory-server.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'zk-host-'))
  folders.push(made)
  return made
}

describe('what the machine tells', () => {
  it('is as of the last look, not of the question', async () => {
    const dataDir = folder()
    const host = new HostFacts(configOf({ dataDir }), 1024)
    await host.refresh()
    expect([host.dataDirBytes, host.logDirBytes]).toEqual([0, 0])
    mkdirSync(join(dataDir, 'version-2'))
    writeFileSync(join(dataDir, 'version-2', 'log.1'), Buffer.alloc(300))
    writeFileSync(join(dataDir, 'version-2', 'snapshot.0'), Buffer.alloc(20))
    expect(host.dataDirBytes).toBe(0)
    await host.refresh()
    expect([host.dataDirBytes, host.logDirBytes]).toEqual([320, 320])
  })

  it('counts logs and snapshots in their own folders', async () => {
    const [dataDir, dataLogDir] = [folder(), folder()]
    for (const made of [dataDir, dataLogDir]) mkdirSync(join(made, 'version-2'))
    writeFileSync(join(dataDir, 'version-2', 'snapshot.0'), Buffer.alloc(20))
    writeFileSync(join(dataLogDir, 'version-2', 'log.1'), Buffer.alloc(300))
    const host = new HostFacts(configOf({ dataDir, dataLogDir }), 1024)
    await host.refresh()
    expect([host.dataDirBytes, host.logDirBytes]).toEqual([20, 300])
  })

  it('is looked for once at a time', async () => {
    const host = new HostFacts(configOf({ dataDir: folder() }), 1024)
    const first = host.refresh()
    expect(host.refresh()).toBe(first)
    await first
    expect(host.openFileDescriptors).toBeGreaterThan(2)
    expect(host.environment.get('java.vendor')).toBe('Node.js')
  })
})
