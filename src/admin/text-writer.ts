/** Collects the lines of a short answer; one that grows with the database is made in pieces instead. */
export class TextWriter {
  text = ''

  line(text: string): void {
    this.text += `${text}\n`
  }

  /** Without a line feed. */
  add(text: string): void {
    this.text += text
  }
}

/** As Java prints a long in hexadecimal: -1 is sixteen f's, and there is no 0x. */
export function hexOfLong(value: number | bigint): string {
  return BigInt.asUintN(64, BigInt(value)).toString(16)
}
