/** `rollcall explain SERVICE ID`: why an instance is listed, or is not. */
import type { Explanation } from '@rollcall/wire'
import { examples, type CommandModule } from '../command.js'
import { EXIT } from '../exit-codes.js'
import { logLine } from '../event-lines.js'
import { ageText } from '../instance-columns.js'
import { createApiClient } from '../api-client.js'
import { createOutput, type Output } from '../output.js'
import { overrideText } from '../override.js'
import { addRegistryOptions, readRegistryOptions } from '../registry-options.js'
import { printable, type Column } from '../table.js'

type Row = readonly [what: string, text: string]

const COLUMNS: readonly Column<Row>[] = [
  { title: 'WHAT', text: ([what]) => what, style: () => 'dim' },
  { title: 'VALUE', whole: true, text: ([, text]) => text },
]

export const explain: CommandModule = {
  define(command) {
    addRegistryOptions(command)
      .description('Say why an instance is, or is not, in the list; also what left within the last hour.')
      .argument('<service>', 'name of the service')
      .argument('<id>', 'id of the instance')
      .addHelpText('after', examples('rollcall explain orders 10.0.0.5:3000'))
  },

  async run(shell, command) {
    const { json, namespace, group, ...options } = readRegistryOptions(command, shell.env)
    const [service = '', id = ''] = command.args
    const explanation = await createApiClient(shell, options).call('explain', {
      service,
      id,
      namespace,
      group,
    })
    const output = createOutput(shell)
    if (json) output.json(explanation)
    else show(output, explanation)
    return EXIT.ok
  },
}

function show(output: Output, explanation: Explanation): void {
  output.line(printable(explanation.summary))
  output.line('')
  output.table(COLUMNS, rowsOf(explanation))
  if (explanation.events.length === 0) return
  output.line('')
  for (const event of explanation.events) output.line(logLine(event, output.paint))
}

function rowsOf(explanation: Explanation): Row[] {
  const { content, verdict, override, evidence, guards, next } = explanation
  const rows: Row[] = [
    ['incarnation', String(explanation.incarnation)],
    [
      'content',
      `${content.intent}, rev ${content.rev}${content.host === undefined ? '' : `, ${content.host}:${content.port}`}${content.via === undefined ? '' : `, via ${content.via}`}`,
    ],
    [
      'verdict',
      `${verdict.value} (${verdict.reason}), claim ${verdict.claim}, node ${verdict.node}, seq ${verdict.seq}`,
    ],
  ]
  if (override !== undefined) rows.push(['override', `${overrideText(override)} version ${override.counter}`])
  if (evidence !== undefined) rows.push(...evidenceRows(evidence))
  rows.push(...elsewhereRows(explanation))
  if (guards.held !== undefined) rows.push(['held by', guards.held])
  if (guards.service.tripped) rows.push(['guard', `keeps silent instances: ${guards.service.kept}`])
  for (const { namespace, by } of guards.freezes)
    rows.push(['frozen', [namespace, by ?? ''].join(' ').trim()])
  if (next !== undefined) rows.push(['next', `${next.verdict} (${next.reason}) in ${ageText(next.inMs)}`])
  return rows
}

/** What other nodes of the cluster have heard. */
function elsewhereRows({ elsewhere = [], unanswered = [] }: Explanation): Row[] {
  const heard = elsewhere.map(({ node, name, heardMs, heardBy, session, judges }): Row => [
    `at ${name ?? node}`,
    [
      heardMs === undefined ? 'never heard' : `heard ${ageText(heardMs)} ago by ${heardBy ?? ''}`,
      ...(session === true ? ['session open'] : []),
      ...(judges === true ? ['judges it'] : []),
    ].join(', '),
  ])
  return [...heard, ...unanswered.map((node): Row => [`at ${node}`, 'no answer'])]
}

function evidenceRows(evidence: NonNullable<Explanation['evidence']>): Row[] {
  const { heardMs, heardBy, session, probe, baseline, probeAllowed, watchedMs } = evidence
  const heard =
    heardMs === undefined ? `never, in ${ageText(watchedMs)}` : `${ageText(heardMs)} ago by ${heardBy ?? ''}`
  const rows: Row[] = [['heard', heard]]
  if (session !== undefined) {
    const closed = session.closedMs === undefined ? '' : ` ${ageText(session.closedMs)} ago`
    rows.push(['session', session.open ? `open, silent for ${ageText(session.silentMs)}` : `closed${closed}`])
  }
  rows.push([
    'probes',
    [probeAllowed ? 'allowed' : 'not allowed', baseline ? 'connected before' : 'never connected'].join(', '),
  ])
  if (probe !== undefined) rows.push(['last probe', `${probe.outcome} ${ageText(probe.ageMs)} ago`])
  return rows
}
