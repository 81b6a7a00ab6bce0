const DAY_MS = 86_400_000
const WEEKDAYS = ['Thu', 'Fri', 'Sat', 'Sun', 'Mon', 'Tue', 'Wed']
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** A day and time in UTC. `month` is 1 to 12, `weekday` counts from the Thursday of 1970-01-01. */
interface UtcTime {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly weekday: number
  readonly hour: number
  readonly minute: number
  readonly second: number
}

/** `wall`: milliseconds since 1970, from year 0 on. Pure code has no Date to ask. */
export function utcOf(wall: number): UtcTime {
  const days = Math.floor(wall / DAY_MS)
  const seconds = Math.floor((wall - days * DAY_MS) / 1000)
  // Years are counted from 1 March, so that the leap day is the last one of its year.
  const sinceMarch0 = days + 719_468
  const era = Math.floor(sinceMarch0 / 146_097)
  const dayOfEra = sinceMarch0 - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  )
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153)
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
  return {
    year: era * 400 + yearOfEra + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1,
    weekday: ((days % 7) + 7) % 7,
    hour: Math.floor(seconds / 3600),
    minute: Math.floor(seconds / 60) % 60,
    second: seconds % 60,
  }
}

/** As Java prints a date on a machine in UTC: 'Sat Nov 21 22:48:24 UTC 2026'. */
export function javaDate(wall: number): string {
  const { year, month, day, weekday, hour, minute, second } = utcOf(wall)
  const date = `${WEEKDAYS[weekday]} ${MONTHS[month - 1]} ${twoDigits(day)}`
  return `${date} ${twoDigits(hour)}:${twoDigits(minute)}:${twoDigits(second)} UTC ${year}`
}

function twoDigits(value: number): string {
  return value < 10 ? `0${value}` : String(value)
}
