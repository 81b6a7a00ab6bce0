import type { Call } from '../sim/history.ts'
import { World } from './world.ts'

/** A story: commands, a line of dashes, what came of them; blocks apart by an empty line. */
interface Block {
  readonly commands: readonly string[]
}

const DASHES = '----'

function blocksOf(text: string): readonly Block[] {
  const blocks: Block[] = []
  let commands: string[] | undefined = []
  for (const line of text.split('\n')) {
    if (line === DASHES) {
      blocks.push({ commands: commands ?? [] })
      commands = undefined
    } else if (line === '') commands ??= []
    else commands?.push(line)
  }
  return blocks
}

/** Plays the commands of a story and returns the story with what now comes of them. */
export function play(text: string): string {
  const player = new Player()
  const told = blocksOf(text).map(({ commands }) => {
    const lines = commands.flatMap((command) => player.run(command))
    return [...commands, DASHES, ...lines, ''].join('\n')
  })
  return `${told.join('\n').trimEnd()}\n`
}

const milliseconds = (text: string): number =>
  text.endsWith('ms') ? Number(text.slice(0, -2)) : Number(text.slice(0, -1)) * 1000

class Player {
  #world: World | undefined = undefined
  #lines: string[] = []

  /** Lines of what happened. Comments are for the reader. */
  run(line: string): readonly string[] {
    this.#lines = []
    const [command = '', ...words] = line.replace(/#.*$/, '').trim().split(/\s+/)
    if (command !== '') this.#do(command, words)
    return this.#lines
  }

  get world(): World {
    if (this.#world === undefined) throw new Error('a story begins with: ensemble N')
    return this.#world
  }

  #do(command: string, words: readonly string[]): void {
    const [a = '', b = '', ...more] = words
    switch (command) {
      case 'ensemble': {
        const settings = Object.fromEntries(
          [b, ...more].filter(Boolean).map((one) => one.split('=')),
        )
        this.#world = new World(Number(a), settings, (text) => this.#lines.push(text))
        return
      }
      case 'run':
        return this.world.pass(milliseconds(a))
      case 'crash':
        return this.world.process(a).crash('power')
      case 'start':
        return this.world.process(a).boot()
      case 'isolate':
        return this.#cut(
          [a],
          this.world.hosts.map((host) => host.slice(1)).filter((sid) => sid !== a),
        )
      case 'cut':
        return this.#cut(a.split(','), b.split(','))
      case 'slow':
        return this.world.network.setSlow(`m${a}`, `m${b}`, milliseconds(more[0] ?? '0ms'))
      case 'heal':
        return this.world.network.healAll()
      case 'status':
        return this.world.status()
      case 'client':
        return this.world.connect(a, b)
      default:
        return this.#act(command, a, [b, ...more])
    }
  }

  /** Nothing passes between these and those members; clients reach all. */
  #cut(these: readonly string[], those: readonly string[]): void {
    for (const a of these)
      for (const b of those) {
        this.world.network.setBlocked(`m${a}`, `m${b}`, true)
        this.world.network.setBlocked(`m${b}`, `m${a}`, true)
      }
  }

  #act(name: string, verb: string, words: readonly string[]): void {
    const { client } = this.world.actor(name)
    const [path = '', data = ''] = words
    if (verb === 'moves') return this.world.move(name, path)
    if (verb === 'fills') return this.#fill(name, path, Number(data))
    const isPatient = verb !== 'sends'
    const [kind = '', target = '', value = ''] = isPatient ? [verb, path, data] : words
    const op = client.call(callOf(kind, target, value))
    if (isPatient) this.world.await(name, op, [kind, target, value].filter(Boolean).join(' '))
  }

  /** So many writes, one after the other, which the story need not tell. */
  #fill(name: string, path: string, count: number): void {
    const { client } = this.world.actor(name)
    for (let i = 0; i < count; i += 1) {
      const op = client.call(callOf('set', path, String(i)))
      if (!this.world.passUntil(1000, () => op.reply !== undefined))
        throw new Error(`write ${i} of ${count} was not answered`)
    }
  }
}

function callOf(kind: string, path: string, data: string): Call {
  switch (kind) {
    case 'create':
      return { op: 'create', path, data, flags: 0, acl: 'open' }
    case 'ephemeral':
      return { op: 'create', path, data, flags: 1, acl: 'open' }
    case 'set':
      return { op: 'setData', path, data, version: -1 }
    case 'delete':
      return { op: 'delete', path, version: -1 }
    case 'get':
      return { op: 'getData', path, watch: false }
    case 'sync':
      return { op: 'sync', path }
    default:
      throw new Error(`nobody knows how to ${kind}`)
  }
}
