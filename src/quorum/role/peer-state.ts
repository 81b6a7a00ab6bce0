/** LOOKING, FOLLOWING, LEADING, OBSERVING of the original (spec 03 §2). */
export type PeerState = 'looking' | 'following' | 'leading' | 'observing'
