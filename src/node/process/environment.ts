/** The environment variables that have a meaning here, most of them zkServer.sh's (spec 06 §9). */
export interface Environment {
  readonly SERVER_JVMFLAGS?: string | undefined
  readonly JVMFLAGS?: string | undefined
  readonly ZOOCFGDIR?: string | undefined
  readonly ZOOCFG?: string | undefined
  readonly ZOOPIDFILE?: string | undefined
  readonly ZOO_LOG_DIR?: string | undefined
  readonly ZOO_DATADIR_AUTOCREATE_DISABLE?: string | undefined
  readonly ZK_SERVER_LOG_LEVEL?: string | undefined
  /** Set by `start` for its child: the file descriptor on which to say that it is ready. */
  readonly ZK_SERVER_READY_FD?: string | undefined
}

/** A variable that is set to nothing counts as not set, as in zkServer.sh. */
export function isSet(value: string | undefined): value is string {
  return value !== undefined && value !== ''
}
