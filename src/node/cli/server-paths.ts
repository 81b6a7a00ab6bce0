import { existsSync } from 'node:fs'
import { hostname, userInfo } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Environment, isSet } from '../process/environment.ts'
import { BUILT_IN } from './config-file.ts'

/** The folder of the package: two levels above src/node and above dist/node. */
export const packageDir: string = fileURLToPath(new URL('../../..', import.meta.url))

/**
 * Which configuration file is meant, as zkServer.sh finds it: a plain name is looked for in the
 * configuration directory (`--config`, ZOOCFGDIR, or conf/ of the package), a path is taken as it
 * is. Beyond that, a plain name may lie in the working directory; and when nothing at all is said
 * and conf/zoo.cfg does not exist, BUILT_IN it is.
 */
export function findConfigFile(
  name: string | undefined,
  configDir: string | undefined,
  env: Environment,
): string {
  const dir = [configDir, env.ZOOCFGDIR].find(isSet)
  const wanted = [name, env.ZOOCFG].find(isSet)
  if (wanted !== undefined && basename(wanted) !== wanted) return wanted
  const file = join(dir ?? join(packageDir, 'conf'), wanted ?? 'zoo.cfg')
  if (existsSync(file)) return file
  if (wanted !== undefined && existsSync(wanted)) return wanted
  return wanted === undefined && dir === undefined ? BUILT_IN : file
}

/** For people: what the built-in configuration is, and where its directory lies. */
export function describeConfigFile(file: string): string {
  if (file !== BUILT_IN) return file
  return `${BUILT_IN} (clientPort=2181, dataDir=${resolve('data')})`
}

/** Where `start` notes the process, and `stop` looks for it. */
export function pidFileOf(dataDir: string, env: Environment): string {
  return isSet(env.ZOOPIDFILE) ? env.ZOOPIDFILE : join(dataDir, 'zookeeper_server.pid')
}

/**
 * Where a server that `start` started writes its log. Without ZOO_LOG_DIR that is dataDir, not
 * logs/ of the package as in zkServer.sh: the package may be read-only, and servers that share a
 * host would write into one file.
 */
export function logFileOf(dataDir: string, env: Environment): string {
  const dir = isSet(env.ZOO_LOG_DIR) ? env.ZOO_LOG_DIR : dataDir
  return join(dir, `zookeeper-${userName()}-server-${hostname()}.out`)
}

export function parentOf(path: string): string {
  return dirname(resolve(path))
}

/** A user id without an entry in the password file has no name: common in containers. */
function userName(): string {
  try {
    return userInfo().username
  } catch {
    return String(process.getuid?.() ?? 'unknown')
  }
}
