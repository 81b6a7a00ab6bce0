import { JuteWriter } from 'jute-ts'
import { describe, expect, it } from 'vitest'
import { SnapshotEncoder } from '../../../../src/persistence/snapshot-format.ts'
import { type LoadRules, loadMember } from '../../../../src/server/storage/load.ts'
import { DataTree } from '../../../../src/tree/data-tree.ts'
import { TreeDump } from '../../../../src/tree/tree-dump.ts'
import {
  type FuzzyDirectory,
  fuzzyDirectory,
  fuzzyRules,
} from '../../../support/fuzzy-directory.ts'
import { logFile, MemoryDisk, record } from '../../../support/memory-disk.ts'
import { silentLogger } from '../../../support/silent-logger.ts'
import { treeText } from '../../../support/tree-text.ts'

/** The reason for a refusal, or the last zxid of what was loaded. */
function outcome(files: Record<string, Buffer>, more: Partial<LoadRules> = {}): string | number {
  const loaded = loadMember(new MemoryDisk(files), { ...fuzzyRules, ...more }, silentLogger)
  return loaded.kind === 'refused' ? `${loaded.file}: ${loaded.reason}` : loaded.lastZxid
}

const damaged = Buffer.from('ZKSN, and then nothing that anybody has written')

describe('an empty directory', () => {
  it('is a new one, unless db.autocreate=false, and then with the marker that says so', () => {
    expect(outcome({})).toBe(0)
    expect(outcome({}, { mayCreate: true })).toBe(0)
    expect(outcome({}, { mayCreate: false })).toContain('db.autocreate=false')
  })

  it('is none when it holds anything, whatever db.autocreate says', () => {
    const txn = fuzzyDirectory(1, 20)
    expect(outcome({ 'log.1': txn.logFile(1, 20) }, { mayCreate: false })).toBe(20)
    const w = new JuteWriter()
    const dump = new TreeDump(new DataTree(fuzzyRules, true), [])
    new SnapshotEncoder(dump, { digest: true, lastProcessedZxid: true }).writeSlice(w, Infinity)
    expect(outcome({ 'snapshot.0': w.copy() }, { mayCreate: false })).toBe(0)
  })

  it('says whether a first snapshot is to be written', () => {
    expect(loadMember(new MemoryDisk(), fuzzyRules, silentLogger)).toMatchObject({ isNew: true })
    const disk = new MemoryDisk({ 'log.1': fuzzyDirectory(1, 20).logFile(1, 20) })
    expect(loadMember(disk, fuzzyRules, silentLogger)).toMatchObject({ isNew: false })
  })
})

describe('logs without a snapshot', () => {
  const FIRST_OF_EPOCH_1 = 2 ** 32 + 1
  const name = `log.${FIRST_OF_EPOCH_1.toString(16)}`
  /** An error txn: type -1, and its code. */
  const ofEpoch1 = {
    [name]: logFile([record(FIRST_OF_EPOCH_1, Buffer.from([255, 255, 255, 155]))]),
  }

  it('are refused where an older log of another epoch may be missing, unless trusted', () => {
    expect(outcome(ofEpoch1)).toBe(
      `${name}: there are logs but no snapshot, so what came before them is missing`,
    )
    expect(outcome(ofEpoch1, { snapshotTrustEmpty: false })).toContain('no snapshot')
    expect(outcome(ofEpoch1, { snapshotTrustEmpty: true })).toBe(FIRST_OF_EPOCH_1)
  })

  it('are refused when the first of them is gone, trusted or not', () => {
    const { tree, logFile: log } = fuzzyDirectory(3, 40)
    const last = tree.lastProcessedZxid
    const later = { 'log.b': log(11, last) }
    expect(outcome(later)).toContain('no snapshot')
    expect(outcome(later, { snapshotTrustEmpty: true })).toContain('records are missing')
    expect(outcome({ 'log.1': log(1, 10), ...later })).toBe(last)
  })

  it('are refused beside a damaged snapshot, even if trusted', () => {
    const files = { ...ofEpoch1, 'snapshot.0': damaged }
    const reason = 'snapshot.0: there is no snapshot that is whole'
    expect(outcome(files)).toContain(reason)
    expect(outcome(files, { snapshotTrustEmpty: true })).toContain(reason)
    expect(outcome({ 'snapshot.0': damaged })).toContain(reason)
  })
})

describe('a snapshot that was written while txns were applied', () => {
  const each = [11, 12, 13].map((seed) => [seed, fuzzyDirectory(seed, 120)] as const)

  function files(directory: FuzzyDirectory, toZxid: number): Record<string, Buffer> {
    const { snapshotZxid, snapshot, logFile: log } = directory
    return {
      [`snapshot.${snapshotZxid.toString(16)}`]: snapshot,
      'log.1': log(1, Math.min(toZxid, 70)),
      ...(toZxid > 70 ? { 'log.47': log(71, toZxid) } : {}),
    }
  }

  it.each(each)('is the state, with the log behind it (seed %d)', (_, directory) => {
    const disk = new MemoryDisk(files(directory, directory.tree.lastProcessedZxid))
    const loaded = loadMember(disk, fuzzyRules, silentLogger)
    if (loaded.kind === 'refused') throw new Error(loaded.reason)
    expect(treeText(loaded.tree)).toBe(treeText(directory.tree))
  })

  it.each(each)('is refused when the log ends too early, and nowhere else (seed %d)', (_, it) => {
    expect(it.needsZxid).toBeGreaterThan(it.snapshotZxid)
    for (let end = it.snapshotZxid; end <= it.tree.lastProcessedZxid; end += 1) {
      const found = outcome(files(it, end))
      if (end >= it.needsZxid) expect(found).toBe(end)
      else expect(found).toContain('txns that were acknowledged are missing')
    }
  })

  it.each(each)('is refused without a log at all (seed %d)', (_, { snapshotZxid, snapshot }) => {
    const name = `snapshot.${snapshotZxid.toString(16)}`
    expect(outcome({ [name]: snapshot })).toContain(`${name}: it was written while txns up to`)
  })

  it('needs no txn for an epoch that began meanwhile', () => {
    const tree = new DataTree(fuzzyRules, true)
    const encoder = new SnapshotEncoder(new TreeDump(tree, []), {
      digest: true,
      lastProcessedZxid: true,
    })
    tree.lastProcessedZxid = 2 ** 32
    const w = new JuteWriter()
    encoder.writeSlice(w, Infinity)
    expect(outcome({ 'snapshot.0': w.copy() })).toBe(0)
    const error = Buffer.from([255, 255, 255, 155])
    const log = { 'log.1': logFile([record(1, error), record(2, error)]) }
    expect(outcome({ 'snapshot.0': w.copy(), ...log })).toBe(2)
  })
})
