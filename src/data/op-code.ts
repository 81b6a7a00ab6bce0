/** Operation codes of the client protocol; the write ones are txn types too (spec 01 §4, 02 §2). */
export const OpCode = {
  error: -1,
  create: 1,
  delete: 2,
  exists: 3,
  getData: 4,
  setData: 5,
  getACL: 6,
  setACL: 7,
  getChildren: 8,
  sync: 9,
  ping: 11,
  getChildren2: 12,
  check: 13,
  multi: 14,
  create2: 15,
  reconfig: 16,
  checkWatches: 17,
  removeWatches: 18,
  createContainer: 19,
  deleteContainer: 20,
  createTTL: 21,
  multiRead: 22,
  auth: 100,
  setWatches: 101,
  sasl: 102,
  getEphemerals: 103,
  getAllChildrenNumber: 104,
  setWatches2: 105,
  addWatch: 106,
  whoAmI: 107,
  createSession: -10,
  closeSession: -11,
} as const
export type OpCode = (typeof OpCode)[keyof typeof OpCode]

/** Four to six characters, as `cons` and `stat` print the last operation of a connection. */
const shortNames: ReadonlyMap<number, string> = new Map([
  [OpCode.create, 'CREA'],
  [OpCode.delete, 'DELE'],
  [OpCode.exists, 'EXIS'],
  [OpCode.getData, 'GETD'],
  [OpCode.setData, 'SETD'],
  [OpCode.getACL, 'GETA'],
  [OpCode.setACL, 'SETA'],
  [OpCode.getChildren, 'GETC'],
  [OpCode.sync, 'SYNC'],
  [OpCode.ping, 'PING'],
  [OpCode.getChildren2, 'GETC'],
  [OpCode.multi, 'MULT'],
  [OpCode.create2, 'CREA'],
  [OpCode.reconfig, 'RECO'],
  [OpCode.checkWatches, 'CHKW'],
  [OpCode.removeWatches, 'REMW'],
  [OpCode.createContainer, 'CREA'],
  [OpCode.deleteContainer, 'DELE'],
  [OpCode.createTTL, 'CREA'],
  [OpCode.multiRead, 'MLTR'],
  [OpCode.setWatches, 'SETW'],
  [OpCode.setWatches2, 'STW2'],
  [OpCode.addWatch, 'ADDW'],
  [OpCode.whoAmI, 'HOMI'],
  [OpCode.getEphemerals, 'GETE'],
  [OpCode.getAllChildrenNumber, 'GETACN'],
  [OpCode.createSession, 'SESS'],
  [OpCode.closeSession, 'CLOS'],
])

/** One of the ops that make a node; the flags of the request decide which txn it becomes (spec 02 §2). */
export function isCreateOp(op: number): boolean {
  return (
    op === OpCode.create ||
    op === OpCode.create2 ||
    op === OpCode.createContainer ||
    op === OpCode.createTTL
  )
}

export const shortNameOf = (op: number): string => shortNames.get(op) ?? 'NA'
