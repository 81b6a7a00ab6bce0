/**
 * The system properties in a string of JVM flags, as the environment variables SERVER_JVMFLAGS and
 * JVMFLAGS hold it. Later flags win. What is not a `-D` flag is an option for a JVM, and ignored.
 */
export function systemProperties(flags: string): Map<string, string> {
  const properties = new Map<string, string>()
  for (const word of splitWords(flags)) {
    if (!word.startsWith('-D')) continue
    const at = word.indexOf('=')
    const name = at < 0 ? word.slice(2) : word.slice(2, at)
    if (name !== '') properties.set(name, at < 0 ? '' : word.slice(at + 1))
  }
  return properties
}

/**
 * Splits at white space as a shell does, so that quotes and backslashes protect it. zkServer.sh
 * itself leaves quotes in the words, which is never what was meant. A quote that is not closed
 * reaches to the end.
 */
function splitWords(text: string): readonly string[] {
  const words: string[] = []
  let word = ''
  let inWord = false
  let quote = ''
  for (let i = 0; i < text.length; i += 1) {
    const char = text.charAt(i)
    if (quote === '' && /\s/.test(char)) {
      if (inWord) words.push(word)
      word = ''
      inWord = false
      continue
    }
    inWord = true
    if (char === quote) quote = ''
    else if (quote === '' && (char === '"' || char === "'")) quote = char
    else if (char === '\\' && quote !== "'" && i + 1 < text.length) {
      i += 1
      word += text.charAt(i)
    } else word += char
  }
  if (inWord) words.push(word)
  return words
}
