import type { DeviceName } from './sim-disk.ts'

/** A device with files of a member on it, and how it fares; the nemesis changes that. */
export class SimDevice {
  readonly name: string
  /** Of a write and its sync, mean in ms. */
  writeMs = 0.3
  /** No write is done before that time. */
  stuckUntil = 0
  /** No file grows before that time. */
  fullUntil = 0

  constructor(name: string) {
    this.name = name
  }

  heal(): void {
    this.writeMs = Math.min(this.writeMs, 1)
    this.stuckUntil = 0
    this.fullUntil = 0
  }
}

/** What the logs are on, and what all else is on: the same one, but for members with a dataLogDir. */
export type SimDevices = Readonly<Record<DeviceName, SimDevice>>

export function devicesFor(host: string, isSplit: boolean): SimDevices {
  const snapshots = new SimDevice(isSplit ? `${host} dataDir` : host)
  return { log: isSplit ? new SimDevice(`${host} dataLogDir`) : snapshots, snapshots }
}

/** When a write is done that needs these: on one after the other, since each op waits for the one before. */
export function doneAt(
  now: number,
  devices: ReadonlySet<SimDevice>,
  drawMs: (mean: number) => number,
): number {
  let at = now
  for (const { writeMs, stuckUntil } of devices)
    at = Math.max(stuckUntil, at + writeMs / 4 + drawMs(writeMs))
  return at
}
