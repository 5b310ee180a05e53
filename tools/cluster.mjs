/**
 * The long form of tests/integration/cluster-*.test.ts: three nodes on three members of etcd, with what it measured in
 * docs/results/cluster.json and in the table of docs/operating/cluster-measured.md. An hour.
 *
 * With --add, what other parts measured before is kept.
 *
 *     node tools/cluster.mjs [--short] [--add] [name of a test file without its ending ...]
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runLongForm } from './long-form.mjs'
import { ROOT } from './prepare.mjs'
import { readOptions } from './usage.mjs'

const PAGE = join(ROOT, 'docs', 'operating', 'cluster-measured.md')

const { values, positionals } = readOptions(import.meta.url, {
  allowPositionals: true,
  options: { short: { type: 'boolean', default: false }, add: { type: 'boolean', default: false } },
})
const all = [
  'cluster-changes',
  'cluster-throughput',
  'cluster-idle',
  'cluster-nodes',
  'cluster-failures',
  'cluster-partitions',
  'cluster-slow',
  'cluster-upgrade',
  'client-resume',
]
const parts = positionals.length === 0 ? all : positionals
const { code, result } = await runLongForm({
  name: positionals.length === 0 ? 'cluster' : `cluster-${positionals[0]}`,
  about:
    'tests/integration/cluster-*.test.ts: three nodes, three members of etcd and all their clients on one machine',
  files: parts.map((part) => `tests/integration/${part}.test.ts`),
  result: 'docs/results/cluster.json',
  form: values.short ? 'short' : 'long',
  add: values.add,
})
process.exitCode = code

/** What a measure says beside its name: times as a spread, counts each by its name. */
function figuresOf({ unit, count, median, p99, max, ...counts }) {
  if (unit !== undefined)
    return count === 1
      ? `${max} ${unit}`
      : `median ${median}, p99 ${p99}, max ${max} ${unit} (${count} samples)`
  return Object.entries(counts)
    .map(([name, value]) => `${name} ${value.toLocaleString('en')}`)
    .join(', ')
}

const { date, commit, machine, tests, measures } = result
const failed = tests.filter(({ status }) => status !== 'passed')
const lines = [
  '| what | measured |',
  '| --- | --- |',
  `| run | ${date}, commit ${commit}, Node ${machine.node}, ${machine.cores} cores (${machine.cpu}), load before it ${machine.loadBefore} |`,
  `| tests | ${tests.length - failed.length} of ${tests.length} passed${failed.map(({ name, status }) => `; ${status}: ${name}`).join('')} |`,
  ...measures.map(({ what, ...figures }) => `| ${what} | ${figuresOf(figures)} |`),
]
const page = readFileSync(PAGE, 'utf8')
writeFileSync(
  PAGE,
  page.replace(
    /<!-- cluster -->[\s\S]*<!-- \/cluster -->/,
    `<!-- cluster -->\n${lines.join('\n')}\n<!-- /cluster -->`,
  ),
)
