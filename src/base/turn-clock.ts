/** The clock of the running turn, in milliseconds. */
export interface TurnClock {
  mono: number
  wall: number
}
