/**
 * What requests cost, in steps: an entry of a list that was looked at, a path that was compared. A step
 * is some tens of nanoseconds.
 */
export class WorkMeter {
  steps = 0
}
