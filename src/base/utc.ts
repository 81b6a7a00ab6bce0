const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** As Java prints a date on a machine in UTC: 'Sat Nov 21 22:48:24 UTC 2026'. `wall` in ms since 1970. */
export function javaDate(wall: number): string {
  const date = new Date(wall)
  const day = `${WEEKDAYS[date.getUTCDay()]} ${MONTHS[date.getUTCMonth()]} ${twoDigits(date.getUTCDate())}`
  const time = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map(twoDigits)
  return `${day} ${time.join(':')} UTC ${date.getUTCFullYear()}`
}

/** As Java prints a short date with a long time: '11/21/26, 10:38:10 PM UTC'. `wall` in ms since 1970. */
export function shortDate(wall: number): string {
  const date = new Date(wall)
  const hour = date.getUTCHours()
  const minutes = `${twoDigits(date.getUTCMinutes())}:${twoDigits(date.getUTCSeconds())}`
  const time = `${hour % 12 === 0 ? 12 : hour % 12}:${minutes} ${hour < 12 ? 'AM' : 'PM'}`
  const year = twoDigits(date.getUTCFullYear() % 100)
  return `${date.getUTCMonth() + 1}/${date.getUTCDate()}/${year}, ${time} UTC`
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0')
}
