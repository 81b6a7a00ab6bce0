import { open, rename } from 'node:fs/promises'
import { join } from 'node:path'

/** The two files of an ensemble's member, in the folder of the snapshots (spec 04 §1). */
export type EpochFile = 'acceptedEpoch' | 'currentEpoch'

/** What the original calls a file that is on its way to its name. */
export const TEMPORARY = '.tmp'

/**
 * Replaces the file, so that after a crash it holds the old number or the new one, and the new one if
 * this has resolved: temporary file, sync, rename, sync of the folder. Rejects with the system's error.
 */
export async function writeEpochFile(
  folder: string,
  file: EpochFile,
  epoch: number,
): Promise<void> {
  const path = join(folder, file)
  const temporary = await open(path + TEMPORARY, 'w')
  try {
    await temporary.writeFile(String(epoch))
    await temporary.sync()
  } finally {
    await temporary.close()
  }
  await rename(path + TEMPORARY, path)
  const names = await open(folder, 'r')
  try {
    await names.sync()
  } finally {
    await names.close()
  }
}
