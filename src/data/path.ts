export const ROOT_PATH = '/'
export const ZOOKEEPER_PATH = '/zookeeper'
export const QUOTA_PATH = '/zookeeper/quota'
export const CONFIG_PATH = '/zookeeper/config'

const SLASH = 0x2f
const DOT = 0x2e

/**
 * Why `path` cannot name a znode that is to be created, or undefined if it can (spec 05 §4).
 * One pass over the UTF-16 units, as every create pays for it. Reads do not validate paths.
 */
export function pathProblem(path: string): string | undefined {
  const length = path.length
  if (length === 0) return 'path is empty'
  if (path.charCodeAt(0) !== SLASH) return 'path does not start with a slash'
  if (length === 1) return undefined
  let nameStart = 1
  for (let at = 1; at < length; at += 1) {
    const unit = path.charCodeAt(at)
    if (unit > SLASH && unit < 0x7f) continue // Letters and digits, nearly always.
    if (unit === SLASH) {
      // Only a name this short can be empty or relative.
      if (at - nameStart <= 2 && isBadName(path, nameStart, at))
        return `empty or relative name at ${nameStart}`
      nameStart = at + 1
    } else if (isForbiddenUnit(unit)) {
      return `forbidden character U+${unit.toString(16).padStart(4, '0')} at ${at}`
    }
  }
  if (nameStart === length) return 'path ends with a slash'
  return isBadName(path, nameStart, length) ? `empty or relative name at ${nameStart}` : undefined
}

/** Empty, `.` or `..`: what a path could be written with and without. */
function isBadName(path: string, start: number, end: number): boolean {
  if (end - start > 2) return false
  for (let at = start; at < end; at += 1) if (path.charCodeAt(at) !== DOT) return false
  return true
}

/** The surrogates are among them, so no character beyond the Basic Multilingual Plane can pass. */
function isForbiddenUnit(unit: number): boolean {
  if (unit < 0x7f) return unit <= 0x1f
  return unit <= 0x9f || (unit >= 0xd800 && unit <= 0xf8ff) || unit >= 0xfff0
}

/** The path up to the last slash; `/` for a child of the root; '' where there is no parent. */
export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/')
  if (slash > 0) return path.slice(0, slash)
  return slash === 0 && path.length > 1 ? ROOT_PATH : ''
}

/**
 * The nodes that every server has from its first start on. Deleting one is refused with -8 (spec 05
 * §4).
 */
export function isUndeletable(path: string): boolean {
  return (
    path === ROOT_PATH || path === ZOOKEEPER_PATH || path === QUOTA_PATH || path === CONFIG_PATH
  )
}

/**
 * What a sequential create appends. `cversion` is the parent's raw one before this create, an
 * int32 that may have overflowed: the sign counts among the ten places, and the lowest int
 * needs an eleventh (spec 05 §3).
 */
export function sequenceSuffix(cversion: number): string {
  const digits = String(Math.abs(cversion))
  return cversion < 0 ? `-${digits.padStart(9, '0')}` : digits.padStart(10, '0')
}
