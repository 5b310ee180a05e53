/** The tables of docs/benchmarks.md. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { between, scenarioSection, summarySection } from './report.js'
import { readResult, resultPath, type Result } from './result.js'
import { ROOT, type Scenario } from './scenario.js'

const DOCUMENT = join(ROOT, 'docs', 'benchmarks.md')

/** Writes every result that there is between its markers. */
export function updateDocument(scenarios: readonly Scenario[]): void {
  const before = readFileSync(DOCUMENT, 'utf8')
  let text = before
  const headlines: Result[] = []
  for (const { name } of scenarios) {
    const forms = (['short', 'long'] as const).flatMap(
      (form) => readResult(join(ROOT, resultPath(name, form))) ?? [],
    )
    if (forms.length === 0) continue
    headlines.push(...forms.slice(-1))
    text = between(text, `bench:${name}`, scenarioSection(forms))
  }
  text = between(text, 'bench:summary', summarySection(headlines))
  if (text !== before) writeFileSync(DOCUMENT, text)
}
