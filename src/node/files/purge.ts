import { statSync, unlinkSync } from 'node:fs'
import type { Logger } from '../../base/logger.ts'
import { messageOf } from '../../base/message-of.ts'
import { planPurge } from '../../persistence/purge.ts'
import type { NodeDisk } from './disk.ts'

/**
 * Removes what the newest `retain` snapshots do not need. Never throws: what it could not remove,
 * the next purge will.
 */
export function purge(disk: NodeDisk, retain: number, logger: Logger): void {
  try {
    const names = planPurge(disk, retain)
    let bytes = 0
    for (const name of names) {
      const path = disk.pathOf(name)
      bytes += statSync(path).size
      unlinkSync(path)
      logger.info('purged', { file: path })
    }
    logger.info('purge done', { files: names.length, bytes, retain })
  } catch (error) {
    const reason = messageOf(error)
    logger.warn('purge failed, trying again the next time', { reason })
  }
}
