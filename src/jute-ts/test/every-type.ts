// Generated from every-type.jute by jute-ts, do not edit: compile every-type.jute anew.
import type { JuteReader, JuteWriter } from 'jute-ts'

/** A doc comment. */
export interface Pair {
  readonly key: string
  /**
   * Of several
   * lines.
   */
  readonly value: number
}

export function readPair(r: JuteReader): Pair {
  return {
    key: r.readString(),
    value: r.readNumber(),
  }
}

export function writePair(w: JuteWriter, v: Pair): void {
  w.writeString(v.key)
  w.writeNumber(v.value)
}

export interface Scalars {
  readonly aByte: number
  readonly aBoolean: boolean
  readonly anInt: number
  readonly aLong: bigint
  readonly aNumber: number
  readonly aFloat: number
  readonly aDouble: number
  readonly aString: string
  readonly aBuffer: Buffer
}

export function readScalars(r: JuteReader): Scalars {
  return {
    aByte: r.readByte(),
    aBoolean: r.readBoolean(),
    anInt: r.readInt(),
    aLong: r.readLong(),
    aNumber: r.readNumber(),
    aFloat: r.readFloat(),
    aDouble: r.readDouble(),
    aString: r.readString(),
    aBuffer: r.readBuffer(),
  }
}

export function writeScalars(w: JuteWriter, v: Scalars): void {
  const at = w.reserve(34)
  w.patchByte(at, v.aByte)
  w.patchBoolean(at + 1, v.aBoolean)
  w.patchInt(at + 2, v.anInt)
  w.patchLong(at + 6, v.aLong)
  w.patchNumber(at + 14, v.aNumber)
  w.patchFloat(at + 22, v.aFloat)
  w.patchDouble(at + 26, v.aDouble)
  w.writeString(v.aString)
  w.writeBuffer(v.aBuffer)
}

export interface Nullables {
  readonly aString: string | null
  readonly aBuffer: Buffer | null
  readonly strings: readonly string[] | null
  readonly pairs: readonly Pair[] | null
  readonly counts: ReadonlyMap<string, number> | null
}

export function readNullables(r: JuteReader): Nullables {
  return {
    aString: r.readNullableString(),
    aBuffer: r.readNullableBuffer(),
    strings: readNullableVectorOfUstring(r),
    pairs: readNullableVectorOfPair(r),
    counts: readNullableMapOfUstringToInt(r),
  }
}

export function writeNullables(w: JuteWriter, v: Nullables): void {
  w.writeString(v.aString)
  w.writeBuffer(v.aBuffer)
  writeNullableVectorOfUstring(w, v.strings)
  writeNullableVectorOfPair(w, v.pairs)
  writeNullableMapOfUstringToInt(w, v.counts)
}

export interface Collections {
  readonly bytes: readonly number[]
  readonly booleans: readonly boolean[]
  readonly longs: readonly bigint[]
  readonly doubles: readonly number[]
  readonly buffers: readonly Buffer[]
  readonly pairs: readonly Pair[]
  readonly grid: readonly (readonly string[])[]
  readonly floats: ReadonlyMap<number, number>
  readonly pairsByName: ReadonlyMap<string, readonly Pair[]>
  readonly maps: readonly ReadonlyMap<bigint, Pair>[]
  readonly default: Scalars
}

export function readCollections(r: JuteReader): Collections {
  return {
    bytes: readVectorOfByte(r),
    booleans: readVectorOfBoolean(r),
    longs: readVectorOfLong(r),
    doubles: readVectorOfDouble(r),
    buffers: readVectorOfBuffer(r),
    pairs: readVectorOfPair(r),
    grid: readVectorOfVectorOfUstring(r),
    floats: readMapOfIntToFloat(r),
    pairsByName: readMapOfUstringToVectorOfPair(r),
    maps: readVectorOfMapOfLongToPair(r),
    default: readScalars(r),
  }
}

export function writeCollections(w: JuteWriter, v: Collections): void {
  writeVectorOfByte(w, v.bytes)
  writeVectorOfBoolean(w, v.booleans)
  writeVectorOfLong(w, v.longs)
  writeVectorOfDouble(w, v.doubles)
  writeVectorOfBuffer(w, v.buffers)
  writeVectorOfPair(w, v.pairs)
  writeVectorOfVectorOfUstring(w, v.grid)
  writeMapOfIntToFloat(w, v.floats)
  writeMapOfUstringToVectorOfPair(w, v.pairsByName)
  writeVectorOfMapOfLongToPair(w, v.maps)
  writeScalars(w, v.default)
}

export interface Stat {
  readonly czxid: number
  readonly mzxid: number
  readonly ctime: number
  readonly mtime: number
  readonly version: number
  readonly cversion: number
  readonly aversion: number
  readonly ephemeralOwner: bigint
  readonly dataLength: number
  readonly numChildren: number
  readonly pzxid: number
}

export function readStat(r: JuteReader): Stat {
  return {
    czxid: r.readNumber(),
    mzxid: r.readNumber(),
    ctime: r.readNumber(),
    mtime: r.readNumber(),
    version: r.readInt(),
    cversion: r.readInt(),
    aversion: r.readInt(),
    ephemeralOwner: r.readLong(),
    dataLength: r.readInt(),
    numChildren: r.readInt(),
    pzxid: r.readNumber(),
  }
}

export function writeStat(w: JuteWriter, v: Stat): void {
  const at = w.reserve(68)
  w.patchNumber(at, v.czxid)
  w.patchNumber(at + 8, v.mzxid)
  w.patchNumber(at + 16, v.ctime)
  w.patchNumber(at + 24, v.mtime)
  w.patchInt(at + 32, v.version)
  w.patchInt(at + 36, v.cversion)
  w.patchInt(at + 40, v.aversion)
  w.patchLong(at + 44, v.ephemeralOwner)
  w.patchInt(at + 52, v.dataLength)
  w.patchInt(at + 56, v.numChildren)
  w.patchNumber(at + 60, v.pzxid)
}

export interface GetDataRequest {
  readonly path: string
  readonly watch: boolean
}

export function readGetDataRequest(r: JuteReader): GetDataRequest {
  return {
    path: r.readString(),
    watch: r.readBoolean(),
  }
}

export function writeGetDataRequest(w: JuteWriter, v: GetDataRequest): void {
  w.writeString(v.path)
  w.writeBoolean(v.watch)
}

function readNullableVectorOfUstring(r: JuteReader): readonly string[] | null {
  const count = r.readVectorCount(4)
  if (count < 0) return null
  const items: string[] = []
  for (let i = 0; i < count && r.ok; i += 1) items.push(r.readString())
  return r.ok ? items : []
}

function readNullableVectorOfPair(r: JuteReader): readonly Pair[] | null {
  const count = r.readVectorCount(12)
  if (count < 0) return null
  const items: Pair[] = []
  for (let i = 0; i < count && r.ok; i += 1) items.push(readPair(r))
  return r.ok ? items : []
}

function readNullableMapOfUstringToInt(r: JuteReader): ReadonlyMap<string, number> | null {
  const count = r.readVectorCount(8)
  if (count < 0) return null
  const items = new Map<string, number>()
  for (let i = 0; i < count && r.ok; i += 1) items.set(r.readString(), r.readInt())
  return r.ok ? items : new Map()
}

function writeVectorOfUstring(w: JuteWriter, items: readonly string[]): void {
  w.writeInt(items.length)
  for (const item of items) w.writeString(item)
}

function writeNullableVectorOfUstring(w: JuteWriter, items: readonly string[] | null): void {
  if (items === null) w.writeInt(-1)
  else writeVectorOfUstring(w, items)
}

function writeVectorOfPair(w: JuteWriter, items: readonly Pair[]): void {
  w.writeInt(items.length)
  for (const item of items) writePair(w, item)
}

function writeNullableVectorOfPair(w: JuteWriter, items: readonly Pair[] | null): void {
  if (items === null) w.writeInt(-1)
  else writeVectorOfPair(w, items)
}

function writeMapOfUstringToInt(w: JuteWriter, items: ReadonlyMap<string, number>): void {
  w.writeInt(items.size)
  for (const [key, value] of items) {
    w.writeString(key)
    w.writeInt(value)
  }
}

function writeNullableMapOfUstringToInt(
  w: JuteWriter,
  items: ReadonlyMap<string, number> | null,
): void {
  if (items === null) w.writeInt(-1)
  else writeMapOfUstringToInt(w, items)
}

function readVectorOfByte(r: JuteReader): readonly number[] {
  const count = r.readVectorCount(1)
  if (count < 0) r.fail()
  const items: number[] = []
  for (let i = 0; i < count && r.ok; i += 1) items.push(r.readByte())
  return r.ok ? items : []
}

function readVectorOfBoolean(r: JuteReader): readonly boolean[] {
  const count = r.readVectorCount(1)
  if (count < 0) r.fail()
  const items: boolean[] = []
  for (let i = 0; i < count && r.ok; i += 1) items.push(r.readBoolean())
  return r.ok ? items : []
}

function readVectorOfLong(r: JuteReader): readonly bigint[] {
  const count = r.readVectorCount(8)
  if (count < 0) r.fail()
  const items: bigint[] = []
  for (let i = 0; i < count && r.ok; i += 1) items.push(r.readLong())
  return r.ok ? items : []
}

function readVectorOfDouble(r: JuteReader): readonly number[] {
  const count = r.readVectorCount(8)
  if (count < 0) r.fail()
  const items: number[] = []
  for (let i = 0; i < count && r.ok; i += 1) items.push(r.readDouble())
  return r.ok ? items : []
}

function readVectorOfBuffer(r: JuteReader): readonly Buffer[] {
  const count = r.readVectorCount(4)
  if (count < 0) r.fail()
  const items: Buffer[] = []
  for (let i = 0; i < count && r.ok; i += 1) items.push(r.readBuffer())
  return r.ok ? items : []
}

function readVectorOfPair(r: JuteReader): readonly Pair[] {
  const count = r.readVectorCount(12)
  if (count < 0) r.fail()
  const items: Pair[] = []
  for (let i = 0; i < count && r.ok; i += 1) items.push(readPair(r))
  return r.ok ? items : []
}

function readVectorOfVectorOfUstring(r: JuteReader): readonly (readonly string[])[] {
  const count = r.readVectorCount(4)
  if (count < 0) r.fail()
  const items: (readonly string[])[] = []
  for (let i = 0; i < count && r.ok; i += 1) items.push(readVectorOfUstring(r))
  return r.ok ? items : []
}

function readVectorOfUstring(r: JuteReader): readonly string[] {
  const count = r.readVectorCount(4)
  if (count < 0) r.fail()
  const items: string[] = []
  for (let i = 0; i < count && r.ok; i += 1) items.push(r.readString())
  return r.ok ? items : []
}

function readMapOfIntToFloat(r: JuteReader): ReadonlyMap<number, number> {
  const count = r.readVectorCount(8)
  if (count < 0) r.fail()
  const items = new Map<number, number>()
  for (let i = 0; i < count && r.ok; i += 1) items.set(r.readInt(), r.readFloat())
  return r.ok ? items : new Map()
}

function readMapOfUstringToVectorOfPair(r: JuteReader): ReadonlyMap<string, readonly Pair[]> {
  const count = r.readVectorCount(8)
  if (count < 0) r.fail()
  const items = new Map<string, readonly Pair[]>()
  for (let i = 0; i < count && r.ok; i += 1) items.set(r.readString(), readVectorOfPair(r))
  return r.ok ? items : new Map()
}

function readVectorOfMapOfLongToPair(r: JuteReader): readonly ReadonlyMap<bigint, Pair>[] {
  const count = r.readVectorCount(4)
  if (count < 0) r.fail()
  const items: ReadonlyMap<bigint, Pair>[] = []
  for (let i = 0; i < count && r.ok; i += 1) items.push(readMapOfLongToPair(r))
  return r.ok ? items : []
}

function readMapOfLongToPair(r: JuteReader): ReadonlyMap<bigint, Pair> {
  const count = r.readVectorCount(20)
  if (count < 0) r.fail()
  const items = new Map<bigint, Pair>()
  for (let i = 0; i < count && r.ok; i += 1) items.set(r.readLong(), readPair(r))
  return r.ok ? items : new Map()
}

function writeVectorOfByte(w: JuteWriter, items: readonly number[]): void {
  w.writeInt(items.length)
  for (const item of items) w.writeByte(item)
}

function writeVectorOfBoolean(w: JuteWriter, items: readonly boolean[]): void {
  w.writeInt(items.length)
  for (const item of items) w.writeBoolean(item)
}

function writeVectorOfLong(w: JuteWriter, items: readonly bigint[]): void {
  w.writeInt(items.length)
  for (const item of items) w.writeLong(item)
}

function writeVectorOfDouble(w: JuteWriter, items: readonly number[]): void {
  w.writeInt(items.length)
  for (const item of items) w.writeDouble(item)
}

function writeVectorOfBuffer(w: JuteWriter, items: readonly Buffer[]): void {
  w.writeInt(items.length)
  for (const item of items) w.writeBuffer(item)
}

function writeVectorOfVectorOfUstring(w: JuteWriter, items: readonly (readonly string[])[]): void {
  w.writeInt(items.length)
  for (const item of items) writeVectorOfUstring(w, item)
}

function writeMapOfIntToFloat(w: JuteWriter, items: ReadonlyMap<number, number>): void {
  w.writeInt(items.size)
  for (const [key, value] of items) {
    w.writeInt(key)
    w.writeFloat(value)
  }
}

function writeMapOfUstringToVectorOfPair(
  w: JuteWriter,
  items: ReadonlyMap<string, readonly Pair[]>,
): void {
  w.writeInt(items.size)
  for (const [key, value] of items) {
    w.writeString(key)
    writeVectorOfPair(w, value)
  }
}

function writeMapOfLongToPair(w: JuteWriter, items: ReadonlyMap<bigint, Pair>): void {
  w.writeInt(items.size)
  for (const [key, value] of items) {
    w.writeLong(key)
    writePair(w, value)
  }
}

function writeVectorOfMapOfLongToPair(
  w: JuteWriter,
  items: readonly ReadonlyMap<bigint, Pair>[],
): void {
  w.writeInt(items.length)
  for (const item of items) writeMapOfLongToPair(w, item)
}
