import { existsSync } from 'node:fs'
import { type FileHandle, open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from '../../base/logger.ts'
import {
  EPOCH_FILE_BYTES_MAX,
  type EpochFile,
  type EpochTexts,
  judgeEpochs,
} from '../../persistence/epoch-files.ts'
import type { RecoveryRefusal } from '../../persistence/recovery.ts'
import { isShortage, SHORTAGE_RETRY_MS } from './descriptors.ts'
import { readFileRange } from './disk-files.ts'

/** What the original calls a file that is on its way to its name. */
const TEMPORARY = '.tmp'

/** As the files have them. */
interface StoredEpochs {
  readonly kind: 'judged'
  readonly accepted: number
  readonly current: number
}

/**
 * The epochs of a member whose log or snapshot ends with `lastZxid`; what was missing or could be made
 * good is in the files when this has resolved. Not for a standalone server, which leaves the files of
 * an earlier ensemble alone. Rejects with the system's error.
 */
export async function loadEpochs(
  folder: string,
  lastZxid: number,
  logger: Logger,
): Promise<StoredEpochs | RecoveryRefusal> {
  const judged = judgeEpochs(readEpochTexts(folder), lastZxid)
  if (judged.kind === 'refused') return judged
  for (const { file, epoch } of judged.write) await writeEpochFile(folder, file, epoch)
  for (const note of judged.notes) logger.info('wrote an epoch file', { note })
  return { kind: 'judged', accepted: judged.accepted, current: judged.current }
}

/** Throws the system's error where a file is there and cannot be read. */
function readEpochTexts(folder: string): EpochTexts {
  return {
    acceptedEpoch: readText(join(folder, 'acceptedEpoch')),
    currentEpoch: readText(join(folder, 'currentEpoch')),
    currentEpochTemporary: readText(join(folder, `currentEpoch${TEMPORARY}`)),
  }
}

function readText(path: string): string | undefined {
  if (!existsSync(path)) return undefined
  return readFileRange(path, 0, EPOCH_FILE_BYTES_MAX).toString('latin1')
}

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
  const temporary = await openSoon(path + TEMPORARY, 'w')
  try {
    await temporary.writeFile(String(epoch))
    await temporary.sync()
  } finally {
    await temporary.close()
  }
  await rename(path + TEMPORARY, path)
  const names = await openSoon(folder, 'r')
  try {
    await names.sync()
  } finally {
    await names.close()
  }
}

/** A member that has no descriptor just now must not end for it, nor promise an epoch without one. */
async function openSoon(path: string, flags: string): Promise<FileHandle> {
  for (;;) {
    try {
      return await open(path, flags)
    } catch (error) {
      if (!isShortage(error)) throw error
      await delay(SHORTAGE_RETRY_MS)
    }
  }
}
