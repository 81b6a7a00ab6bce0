// Adds up what vitest reported and prints `N passed, N failed` last. Usage: summary.mjs <folder of
// unit.json and interop.json> [step that failed]... Exit code 1 when anything failed, or when an
// interop test did not run: a proof that is left out proves nothing.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const [folder, ...steps] = process.argv.slice(2)
const failures = []
let passed = 0
let failed = 0

for (const name of ['unit', 'interop']) {
  const path = join(folder, `${name}.json`)
  if (!existsSync(path)) {
    failures.push(`${name}: no test ran`)
    continue
  }
  const report = JSON.parse(readFileSync(path, 'utf8'))
  passed += report.numPassedTests
  failed += report.numFailedTests
  if (report.numTotalTests === 0) failures.push(`${name}: there are no tests`)
  for (const file of report.testResults) {
    if (file.status !== 'passed' && file.assertionResults.every((test) => test.status !== 'failed'))
      failures.push(`${name}: ${file.name}: ${file.message}`)
    for (const test of file.assertionResults) {
      if (test.status === 'failed') console.log(`failed: ${name}: ${test.fullName}`)
      if (test.status === 'passed' || test.status === 'failed') continue
      console.log(`${test.status}: ${name}: ${test.fullName}`)
      if (name === 'interop') failures.push(`interop: ${test.fullName} did not run`)
    }
  }
}

for (const failure of [...failures, ...steps]) console.log(`failed: ${failure}`)
failed += failures.length
// Most often a step fails by its tests, which are counted. Where none failed, as when the linter
// stops it, the step itself counts.
if (failed === 0) failed = steps.length
process.exitCode = failed > 0 ? 1 : 0
console.log(`${passed} passed, ${failed} failed`)
