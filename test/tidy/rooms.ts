/**
 * The plan of the house: every room under src/, and which rooms it may import. The order is that of the
 * floors, from the ground up, so no room imports one below it in this list, and there are no circles.
 * docs/architecture.md says what each room is for.
 */
const GROUND = ['base', 'data'] as const
const ZAB = ['quorum/ports', 'quorum/wire', 'quorum/membership', 'quorum/role'] as const
/** What the tree and its files give to a member. */
const STORE = [...GROUND, 'tree', 'persistence', 'config'] as const

export const rooms: ReadonlyMap<string, readonly string[]> = new Map<string, readonly string[]>([
  ['base', []],
  ['data', ['base']],
  ['tree', GROUND],
  ['persistence', [...GROUND, 'tree']],
  // Not tree: Zab orders bytes, it does not read them.
  ['quorum/ports', GROUND],
  ['quorum/wire', [...GROUND, 'quorum/ports']],
  ['quorum/membership', [...GROUND, 'quorum/ports']],
  ['quorum/role', [...GROUND, 'quorum/ports', 'quorum/membership']],
  ['quorum/election', [...GROUND, ...ZAB]],
  ['quorum/leading', [...GROUND, ...ZAB]],
  ['quorum/learning', [...GROUND, ...ZAB, 'quorum/leading']],
  ['config', [...GROUND, 'persistence', 'quorum/ports']],
  ['server/stats', GROUND],
  ['server/bounds', [...GROUND, 'quorum/leading', 'quorum/learning', 'server/stats']],
  ['server/auth', [...STORE, 'server/bounds']],
  ['server/sessions', [...STORE, 'quorum/ports', 'server/stats']],
  [
    'server/storage',
    [...STORE, 'quorum/ports', 'quorum/leading', 'server/stats', 'server/sessions'],
  ],
  [
    'server/clients',
    [...STORE, 'quorum/ports', 'server/stats', 'server/bounds', 'server/auth', 'server/sessions'],
  ],
  [
    'server/writes',
    [
      ...STORE,
      'quorum/ports',
      'quorum/wire',
      'quorum/membership',
      'quorum/leading',
      'server/stats',
      'server/bounds',
      'server/auth',
      'server/sessions',
      'server/storage',
      'server/clients',
    ],
  ],
  [
    'server/ensemble',
    [
      ...STORE,
      ...ZAB,
      'quorum/election',
      'quorum/leading',
      'quorum/learning',
      'server/stats',
      'server/bounds',
      'server/sessions',
      'server/storage',
      'server/clients',
      'server/writes',
    ],
  ],
  [
    'server',
    [
      ...STORE,
      'quorum/ports',
      'quorum/membership',
      'quorum/leading',
      'server/stats',
      'server/bounds',
      'server/auth',
      'server/sessions',
      'server/storage',
      'server/clients',
      'server/writes',
      'server/ensemble',
    ],
  ],
  [
    'admin',
    [...GROUND, 'tree', 'config', 'server', 'server/clients', 'server/stats', 'server/ensemble'],
  ],
  ['tools', [...GROUND, 'tree', 'persistence']],
])

/**
 * The shell: the only rooms that know the machine. They may import every pure room, and of each other:
 */
export const shellRooms: ReadonlyMap<string, readonly string[]> = new Map<
  string,
  readonly string[]
>([
  ['node/process', []],
  ['node/log', ['node/process']],
  ['node/files', ['node/process']],
  ['node/sockets', ['node/process', 'node/files']],
  ['node', ['node/process', 'node/files', 'node/sockets']],
  ['node/embed', ['node/process', 'node/cli', 'node']],
  ['node/cli', ['node/process', 'node/log', 'node/files', 'node']],
  // src/index.ts, what the package offers to programs.
  ['', ['node/embed']],
  ['node/data-tools', ['node/process', 'node/files', 'node/cli']],
])
