import { describe, expect, it } from 'vitest'
import { EPOCH_MAX, makeZxid } from '../../../src/data/zxid.ts'
import {
  type EpochTexts,
  type JudgedEpochs,
  judgeEpochs,
  parseEpoch,
} from '../../../src/persistence/epoch-files.ts'
import type { RecoveryRefusal } from '../../../src/persistence/recovery.ts'
import { goldenDisk } from '../../support/memory-disk.ts'

type Text = string | undefined
const judge = (
  acceptedEpoch: Text,
  currentEpoch: Text,
  epoch: number,
  currentEpochTemporary?: string,
): JudgedEpochs | RecoveryRefusal =>
  judgeEpochs({ acceptedEpoch, currentEpoch, currentEpochTemporary }, makeZxid(epoch, 7))

/** `accepted current`, and what is written; or which file is refused. */
function outcome(result: JudgedEpochs | RecoveryRefusal): string {
  if (result.kind === 'refused') return `refused: ${result.file}`
  const writes = result.write.map(({ file, epoch }) => ` ${file}=${epoch}`)
  return `${result.accepted} ${result.current}${writes.join('')}`
}

describe('the number in an epoch file', () => {
  it('is decimal, on the first line', () => {
    for (const [text, epoch] of [
      ['0', 0],
      ['12', 12],
      ['12\n', 12],
      [' 7 \r\nnot looked at', 7],
      [String(EPOCH_MAX), EPOCH_MAX],
      ['0000000012', 12],
    ] as const)
      expect([text, parseEpoch(text)]).toEqual([text, epoch])
  })

  it('is damaged where it is nothing else', () => {
    const huge = '1'.repeat(64)
    for (const text of ['', '\n1', '-1', '+1', '1x', '0x1', '1.0', '\0', '1 2', '１', huge])
      expect([text, parseEpoch(text)]).toEqual([text, undefined])
    expect(parseEpoch(String(EPOCH_MAX + 1))).toBe(undefined)
  })
})

describe('epoch files that are as they should be', () => {
  it('are taken as they are', () => {
    expect(outcome(judge('3', '3', 3))).toBe('3 3')
    expect(outcome(judge('5', '4', 2))).toBe('5 4')
    expect(outcome(judge('5\n', '5\n', 5))).toBe('5 5')
    expect(outcome(judge('0', '0', 0))).toBe('0 0')
  })

  it('are those of a real ensemble', () => {
    for (const [server, epoch] of [
      ['server1', 3],
      ['server2', 3],
      ['server3', 2],
      ['server4', 1],
    ] as const) {
      const { files } = goldenDisk(`datadir-quorum/${server}`)
      const text = (name: string): Text => files.get(name)?.toString('latin1')
      const result = judge(text('acceptedEpoch'), text('currentEpoch'), epoch)
      expect(outcome(result)).toBe(`${epoch} ${epoch}`)
    }
  })

  it('do not mind what is left of a write that was interrupted', () => {
    for (const left of ['', '4', '9', 'x']) expect(outcome(judge('5', '4', 3, left))).toBe('5 4')
  })
})

describe('missing epoch files', () => {
  it('are made from the last zxid when there are none', () => {
    expect(outcome(judge(undefined, undefined, 0))).toBe('0 0 currentEpoch=0 acceptedEpoch=0')
    expect(outcome(judge(undefined, undefined, 4))).toBe('4 4 currentEpoch=4 acceptedEpoch=4')
  })

  it('are made where a first start was interrupted', () => {
    expect(outcome(judge(undefined, '4', 4))).toBe('4 4 acceptedEpoch=4')
  })

  it('are refused where the other one shows that there was more', () => {
    expect(outcome(judge(undefined, '5', 4))).toBe('refused: acceptedEpoch')
    expect(outcome(judge(undefined, '3', 4))).toBe('refused: acceptedEpoch')
    expect(outcome(judge(undefined, '', 4))).toBe('refused: acceptedEpoch')
    expect(outcome(judge('5', undefined, 4))).toBe('refused: currentEpoch')
    expect(outcome(judge('4', undefined, 4))).toBe('4 4 currentEpoch=4')
  })
})

describe('a damaged epoch file', () => {
  const damages = ['', '\0\0', '-3', 'three', '99999999', '12345678901']

  it('currentEpoch is rebuilt where nothing else is possible, and only there', () => {
    for (const text of damages) {
      expect(outcome(judge('3', text, 3))).toBe('3 3 currentEpoch=3')
      // It may have been 2 or 3, whatever was on its way.
      for (const left of [undefined, '2', '3'])
        expect(outcome(judge('3', text, 2, left))).toBe('refused: currentEpoch')
    }
    expect(outcome(judge('0', '', 0))).toBe('0 0 currentEpoch=0')
  })

  it('acceptedEpoch is refused, whatever else there is', () => {
    for (const text of damages)
      for (const [current, e] of [
        ['3', 3],
        ['3', 2],
        ['0', 0],
        [undefined, 3],
      ] as const)
        expect(outcome(judge(text, current, e))).toBe('refused: acceptedEpoch')
  })

  it('is told of with what is wrong and what to do', () => {
    expect(judge('', '3', 3)).toEqual({
      kind: 'refused',
      file: 'acceptedEpoch',
      offset: undefined,
      reason: 'the file is empty',
      remedy:
        'write the largest number that acceptedEpoch holds on any server of the ensemble into it, ' +
        'or, while the other servers serve clients, empty the data directory of this server (but ' +
        'for myid) so that it copies the state of the leader',
    })
    expect(judge('5', 'x', 3)).toMatchObject({
      reason:
        'the file does not hold a number, and it must have been from 3 to 5, and nothing shows which',
      remedy: expect.stringMatching(/^restore the file from before, or, while the other servers/),
    })
    expect(judge('9999999', '3', 3)).toMatchObject({
      reason: 'the epoch is larger than 2097151',
    })
  })
})

describe('epoch files that do not belong together', () => {
  it('are refused', () => {
    expect(outcome(judge('3', '4', 2))).toBe('refused: currentEpoch')
    expect(outcome(judge('3', '3', 4))).toBe('refused: acceptedEpoch')
    expect(outcome(judge('3', '3', 4, '4'))).toBe('refused: acceptedEpoch')
  })
})

describe('a log that is ahead of currentEpoch', () => {
  it('comes from a synchronisation that was interrupted', () => {
    expect(outcome(judge('5', '2', 4))).toBe('5 4 currentEpoch=4')
    expect(outcome(judge('5', '2', 5))).toBe('5 5 currentEpoch=5')
  })

  it('may have been acked if the new number was on its way', () => {
    expect(outcome(judge('5', '2', 4, '5'))).toBe('5 5 currentEpoch=5')
    for (const left of ['', '3', '4', '6', 'x'])
      expect(outcome(judge('5', '2', 4, left))).toBe('5 4 currentEpoch=4')
  })

  it('is told in the log', () => {
    const result = judge('5', '2', 4)
    expect(result).toMatchObject({
      notes: ['currentEpoch says 2: it is 4, as the last zxid 0x400000007 shows'],
    })
  })
})

/** What a member has on disk, and what it has said to others. */
interface Life {
  accepted: number
  current: number
  temporary: Text
  last: number
  acked: number
  /** The latest epoch of which all that its leader began with is on disk. */
  covered: number
}

const lifeTexts = ({ accepted, current, temporary }: Life): EpochTexts => ({
  acceptedEpoch: String(accepted),
  currentEpoch: String(current),
  currentEpochTemporary: temporary,
})

/** All states in which a kill may find a member that goes through epochs 1 to `left`. */
function livesFrom(life: Life, left: number, visit: (life: Life) => void): void {
  visit(life)
  if (left === 0) return
  for (const skip of [1, 3]) {
    const epoch = life.accepted + skip
    const accepted = { ...life, accepted: epoch }
    livesFrom(accepted, left - 1, visit)
    // A DIFF may bring nothing, or entries up to some epoch that was after the own one.
    for (let e = accepted.last; e <= epoch; e += 1) {
      const begun = { ...accepted, last: e, covered: Math.max(accepted.covered, e) }
      visit(begun)
      const synced = { ...begun, covered: epoch }
      visit({ ...synced, temporary: '' })
      visit({ ...synced, temporary: String(epoch) })
      const renamed = { ...synced, temporary: undefined, current: epoch }
      visit(renamed)
      const acked = { ...renamed, acked: epoch }
      // A power loss may take the renaming back where the folder was not synced, as in the original.
      visit({ ...acked, current: life.current, temporary: String(epoch), last: epoch })
      livesFrom(acked, left - 1, visit)
      if (e < epoch) livesFrom({ ...acked, last: epoch }, left - 1, visit)
    }
  }
}

describe('a member that is killed at any moment', () => {
  it('starts, has forgotten nothing, and claims nothing that it has not', () => {
    let lives = 0
    const fresh = { accepted: 0, current: 0, temporary: undefined, last: 0, acked: 0, covered: 0 }
    livesFrom(fresh, 3, (life) => {
      lives += 1
      const result = judgeEpochs(lifeTexts(life), makeZxid(life.last, 1))
      if (result.kind === 'refused') throw new Error(`${JSON.stringify(life)}: ${result.reason}`)
      const { accepted, current } = result
      const isRight = accepted === life.accepted && current >= life.acked && current <= life.covered
      if (!isRight) throw new Error(`${JSON.stringify(life)}: ${outcome(result)}`)
    })
    expect(lives).toBeGreaterThan(1000)
  })
})

describe('any files at all', () => {
  it('give epochs that are in order, and valid numbers stay', () => {
    const texts: readonly Text[] = [undefined, '', 'x', '0', '1', '2', '3', '12']
    for (const a of texts)
      for (const c of texts)
        for (const t of texts)
          for (const e of [0, 1, 2, 3, 12]) {
            const result = judge(a, c, e, t)
            if (result.kind === 'refused') {
              expect(result.reason).not.toBe('')
              continue
            }
            const { accepted, current, write } = result
            expect(e <= current && current <= accepted).toBe(true)
            if (a !== undefined) expect(accepted).toBe(parseEpoch(a))
            if (Number.parseInt(c ?? '', 10) >= e) expect(current).toBe(Number(c))
            // A second start finds nothing to do.
            const written = new Map(write.map(({ file, epoch }) => [file, String(epoch)]))
            const again = judge(
              written.get('acceptedEpoch') ?? a,
              written.get('currentEpoch') ?? c,
              e,
              t,
            )
            expect(again).toEqual({ kind: 'judged', accepted, current, write: [], notes: [] })
          }
  })
})
