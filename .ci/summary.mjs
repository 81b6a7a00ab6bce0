// Adds up what vitest reported and prints `N passed, N failed` last. Usage: summary.mjs <report.json>
// [step that failed]... Exit code 1 when anything failed, or when an interop test did not run: a proof
// that is left out proves nothing.
import { existsSync, readFileSync } from 'node:fs'

const [path, ...steps] = process.argv.slice(2)
const failures = []
let passed = 0
let failed = 0
let interop = 0

if (existsSync(path)) {
  const report = JSON.parse(readFileSync(path, 'utf8'))
  passed = report.numPassedTests
  failed = report.numFailedTests
  for (const file of report.testResults) {
    const isInterop = file.name.includes('/test/interop/')
    if (file.status !== 'passed' && file.assertionResults.every((test) => test.status !== 'failed'))
      failures.push(`${file.name}: ${file.message}`)
    for (const test of file.assertionResults) {
      if (isInterop) interop += 1
      if (test.status === 'failed') console.log(`failed: ${test.fullName}`)
      if (test.status === 'passed' || test.status === 'failed') continue
      console.log(`${test.status}: ${test.fullName}`)
      if (isInterop) failures.push(`${test.fullName} did not run`)
    }
  }
}
if (interop === 0) failures.push('no interop test ran')

for (const failure of [...failures, ...steps]) console.log(`failed: ${failure}`)
failed += failures.length
// Most often a step fails by its tests, which are counted. Where none failed, as when the linter
// stops it, the step itself counts.
if (failed === 0) failed = steps.length
process.exitCode = failed > 0 ? 1 : 0
console.log(`${passed} passed, ${failed} failed`)
