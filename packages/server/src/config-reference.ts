import { SETTINGS } from './config-schema.js'
import type { Setting } from './config-schema.js'

const HEAD = `# Configuration of a node

This page is generated from the schema in \`packages/server/src/config-schema.ts\`; a unit test of that package compares
it, and \`npx vitest run --project unit packages/server/src/config-reference -u\` writes it anew.

Flags win over environment variables, those over the file, that over the defaults. The file is the one named by
\`--config FILE\` or \`ROLLCALL_CONFIG\`, else \`rollcall.yaml\` in the working directory if there is one. It is YAML
(or JSON):

\`\`\`yaml
listen: 127.0.0.1:7400
data: ./rollcall-data
namespaces:
  production:
    allow: [10.0.0.0/8]
limits:
  bodyBytesMax: 8388608
\`\`\`

All problems are reported at once, unknown names among them, and the node does not start. In flags and variables, lists
are separated by commas, and maps are JSON. An empty variable counts as absent. Variables of the \`rollcall\` command
(\`ROLLCALL_REGISTRY\` and the like), and those that Kubernetes makes for a Service named \`rollcall\`, are ignored.
Durations are in milliseconds, sizes in bytes. \`data\` and \`memory\` exclude each other within one source; otherwise the
stronger source decides.
`

/** The page docs/operating/configuration.md, whole. */
export function renderConfigReference(): string {
  return `${HEAD}\n${SETTINGS.map(renderSetting).join('\n')}`
}

function renderSetting(setting: Setting): string {
  return `## ${setting.key}

${setting.reason}

- Value: ${setting.form}
- Default: ${renderDefault(setting.defaultValue)}
- Flag: \`--${setting.flag}\`
- Variable: \`${setting.variable}\`
`
}

function renderDefault(value: unknown): string {
  if (value === undefined) return 'none'
  if (typeof value === 'string') return `\`${value}\``
  if (typeof value === 'number' && value >= 10_000) return `\`${value}\` (${value.toLocaleString('en-US')})`
  if (typeof value === 'object' && Object.keys(value ?? {}).length === 0) return 'empty'
  return `\`${JSON.stringify(value)}\``
}
