import type { JuteWriter } from 'jute-ts'
import { openAcl } from '../../src/data/acl.ts'
import {
  type ACL,
  writeCheckVersionRequest,
  writeCreateRequest,
  writeCreateTTLRequest,
  writeDeleteRequest,
  writeSetACLRequest,
  writeSetDataRequest,
} from '../../src/data/records.ts'

/** Bodies of requests, as functions that write them. */
export type Body = (w: JuteWriter) => void

export interface CreateOptions {
  readonly data?: Buffer | null
  readonly acl?: readonly ACL[] | null
  readonly flags?: number
}

const bytes = (data: Buffer | string | null): Buffer | null =>
  typeof data === 'string' ? Buffer.from(data) : data

export const create =
  (path: string, options: CreateOptions = {}): Body =>
  (w) =>
    writeCreateRequest(w, {
      path,
      data: options.data === undefined ? Buffer.from('data') : options.data,
      acl: options.acl === undefined ? openAcl : options.acl,
      flags: options.flags ?? 0,
    })

export const createTtl =
  (path: string, ttl: bigint, flags = 5): Body =>
  (w) =>
    writeCreateTTLRequest(w, { path, data: Buffer.from('data'), acl: openAcl, flags, ttl })

export const setData =
  (path: string, data: Buffer | string | null, version = -1): Body =>
  (w) =>
    writeSetDataRequest(w, { path, data: bytes(data), version })

export const remove =
  (path: string, version = -1): Body =>
  (w) =>
    writeDeleteRequest(w, { path, version })

export const check =
  (path: string, version = -1): Body =>
  (w) =>
    writeCheckVersionRequest(w, { path, version })

export const setAcl =
  (path: string, acl: readonly ACL[] | null, version = -1): Body =>
  (w) =>
    writeSetACLRequest(w, { path, acl, version })

/** exists, getData, getChildren and getChildren2 look the same. */
export const getData =
  (path: string, watch = false): Body =>
  (w) => {
    w.writeString(path)
    w.writeBoolean(watch)
  }
export const exists: typeof getData = getData
export const getChildren: typeof getData = getData

export const pathOnly =
  (path: string): Body =>
  (w) =>
    w.writeString(path)

export const pathAndInt =
  (path: string, value: number): Body =>
  (w) => {
    w.writeString(path)
    w.writeInt(value)
  }

/** A multi or multiRead: each part with its type, then the end mark. */
export const multi =
  (parts: readonly (readonly [type: number, body: Body])[]): Body =>
  (w) => {
    for (const [type, body] of parts) {
      header(w, type, false)
      body(w)
    }
    header(w, -1, true)
  }

function header(w: JuteWriter, type: number, done: boolean): void {
  w.writeInt(type)
  w.writeBoolean(done)
  w.writeInt(-1)
}
