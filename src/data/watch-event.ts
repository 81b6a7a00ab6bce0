/** What happened to a znode. These are the kinds a server sends; the others are made by clients. */
export const EventType = {
  NodeCreated: 1,
  NodeDeleted: 2,
  NodeDataChanged: 3,
  NodeChildrenChanged: 4,
} as const
export type EventType = (typeof EventType)[keyof typeof EventType]

/** The `state` of a WatcherEvent. A server that answers is always SyncConnected (spec 06 §1.4). */
export const KeeperState = { SyncConnected: 3 } as const
export type KeeperState = (typeof KeeperState)[keyof typeof KeeperState]

/** The `type` of checkWatches and removeWatches. Persistent and PersistentRecursive since 3.9. */
export const WatcherType = {
  Children: 1,
  Data: 2,
  Any: 3,
  Persistent: 4,
  PersistentRecursive: 5,
} as const
export type WatcherType = (typeof WatcherType)[keyof typeof WatcherType]

/** Undefined: no such type. The original answers -5 (MarshallingError) to it. */
export function watcherTypeOf(value: number): WatcherType | undefined {
  switch (value) {
    case WatcherType.Children:
    case WatcherType.Data:
    case WatcherType.Any:
    case WatcherType.Persistent:
    case WatcherType.PersistentRecursive:
      return value
    default:
      return undefined
  }
}

/** The `mode` of addWatch. Any other value is answered with -5 (spec 01 §6). */
export const AddWatchMode = { Persistent: 0, PersistentRecursive: 1 } as const
export type AddWatchMode = (typeof AddWatchMode)[keyof typeof AddWatchMode]
