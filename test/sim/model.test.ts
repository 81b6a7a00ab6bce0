import { describe, expect, it } from 'vitest'
import { Err } from '../../src/data/error-code.ts'
import { Model, type Moment } from './model.ts'
import { limitsText, noQuotaParts, quotaParts, quotaStats } from './model-quota.ts'

const moment = (zxid: number, who?: string): Moment => ({ zxid, time: zxid, session: 7n, who })

const create = (path: string, flags = 0, acl: 'open' | 'guarded' = 'open') =>
  ({ op: 'create', path, data: 'x', flags, acl }) as const

describe('the naive model', () => {
  it('lets only its guard change a node that is guarded, and all read it', () => {
    const model = new Model()
    expect(model.write(create('/a', 0, 'guarded'), moment(1)).err).toBe(Err.invalidACL)
    expect(model.write(create('/a', 0, 'guarded'), moment(2, 'c1')).err).toBe(Err.ok)
    const set = { op: 'setData', path: '/a', data: 'y', version: -1 } as const
    expect(model.write(set, moment(3, 'c2')).err).toBe(Err.noAuth)
    expect(model.write(create('/a/b'), moment(4)).err).toBe(Err.noAuth)
    expect(model.write(set, moment(5, 'c1')).err).toBe(Err.ok)
    const { result } = model.read({ op: 'getACL', path: '/a' }, 7n)
    expect(result.acl).toBe('1 anyone, 31 c1')
    const open = { op: 'setACL', path: '/a', acl: 'open', version: 1 } as const
    expect(model.write(open, moment(6, 'c1')).err).toBe(Err.badVersion)
    expect(model.write({ ...open, version: 0 }, moment(7, 'c1')).result.stat?.aversion).toBe(1)
    expect(model.write(set, moment(8)).err).toBe(Err.ok)
  })

  it('gives the server only empty containers and TTL nodes', () => {
    const model = new Model()
    model.write(create('/a', 4), moment(1))
    model.write(create('/a/b'), moment(2))
    expect(model.reap('/a', moment(3))).toBeUndefined()
    expect(model.reap('/a/b', moment(3))).toBeUndefined()
    model.write({ op: 'delete', path: '/a/b', version: -1 }, moment(4))
    expect(model.reap('/a', moment(5))?.changes.map(({ path }) => path)).toEqual(['/a', '/'])
  })

  it('names the ephemerals of a session, and reads many at once', () => {
    const model = new Model()
    model.write(create('/a', 1), moment(1))
    model.write(create('/b'), moment(2))
    const all = { op: 'getEphemerals', prefix: '/' } as const
    expect(model.read(all, 7n).result.children).toEqual(['/a'])
    expect(model.read(all, 8n).result.children).toEqual([])
    const reads = [
      { op: 'getData', path: '/b' },
      { op: 'getChildren', path: '/none' },
    ] as const
    const { parts } = model.read({ op: 'multiRead', reads }, 7n).result
    expect(parts?.map(({ err }) => err)).toEqual([Err.ok, Err.noNode])
  })

  it('foresees an error and changes nothing', () => {
    const model = new Model()
    expect(model.foresee(create('/a'), moment(1)).err).toBe(Err.ok)
    expect(model.has('/a')).toBe(false)
  })

  it('counts what is below a quota, and lets nothing above it', () => {
    const model = new Model(true)
    model.write(create('/a'), moment(1))
    model.write({ op: 'multi', parts: quotaParts('/a', 'mark', limitsText(2, -1)) }, moment(2))
    model.write(create('/a/b'), moment(3))
    const usage = { op: 'getData', path: quotaStats('/a'), watch: false } as const
    expect(model.read(usage, 7n).result.data).toBe('count=2,bytes=2')
    expect(model.write(create('/a/c'), moment(4)).err).toBe(Err.quotaExceeded)
    // A leader that has not applied what made it too much yet may let it pass, but no other one.
    const late = { ...moment(5), since: 2 }
    expect(model.foresee(create('/a/c'), late).err).toBe(Err.ok)
    expect(model.foresee(create('/a/c'), { ...late, overQuota: 0 }).err).toBe(Err.quotaExceeded)
    model.write({ op: 'multi', parts: noQuotaParts('/a') }, moment(6))
    expect(model.write(create('/a/c'), { ...moment(8), overQuota: 0 }).err).toBe(Err.ok)
  })
})
