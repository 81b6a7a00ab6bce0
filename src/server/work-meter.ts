/**
 * What requests cost beside their number and the bytes of their replies, in steps: an entry of a list
 * that was looked at, a path that was compared. A step is some tens of nanoseconds.
 */
export class WorkMeter {
  steps = 0
}

/** What any request costs, though it looks at nothing. */
export const REQUEST_STEPS = 20
