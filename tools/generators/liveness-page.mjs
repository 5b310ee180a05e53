/** docs/reference/liveness.md: the table of states and events, and what its names mean. */
import { LIVENESS_EVENTS, LIVENESS_TABLE, STANDINGS } from '@rollcall/core'

/** A cell in few words; what it says beside that goes into the notes, which are numbered as they come. */
function livenessCell(cell, notes) {
  const numbered = (text) => {
    if (!notes.includes(text)) notes.push(text)
    return `<sup>${notes.indexOf(text) + 1}</sup>`
  }
  if (cell.does === 'never') return `–${numbered(`Does not happen: ${cell.why}.`)}`
  if (cell.does !== 'becomes') return `${LIVENESS_ACTS[cell.does]}${numbered(`${sentence(cell.why)}.`)}`
  const guards = cell.guards.map((guard) => `\`${guard}\``).join(', ')
  const held = guards === '' ? '' : numbered(`May be held back by ${guards}.`)
  const late =
    cell.late === undefined
      ? ''
      : numbered(`\`${cell.late}\` after ten minutes: then no \`service_breaker\` counts it.`)
  return `→ **${cell.value}** \`${cell.reason}\`${held}${late}`
}

const LIVENESS_ACTS = {
  asks: 'a probe',
  claims: 'the same, by this node',
  forgets: 'forgotten',
  buries: '→ **gone**',
  stays: 'stays',
}

function sentence(text) {
  return `${text[0].toUpperCase()}${text.slice(1)}`
}

export function livenessPage(note, table) {
  const standings = Object.keys(STANDINGS)
  const notes = []
  const rows = Object.keys(LIVENESS_EVENTS).map((event) => [
    `\`${event}\``,
    ...standings.map((standing) => livenessCell(LIVENESS_TABLE[standing][event], notes)),
  ])
  const listed = (meanings) => Object.entries(meanings).map(([name, meaning]) => [`\`${name}\``, meaning])
  return `# Liveness: what each event does in each state

${note}

How a node judges an instance, as its code has it (\`packages/core/src/liveness/transitions.ts\`). When events come is in
[tuning](../operating/tuning.md). Operators' overrides are no part of it: they are shown over whatever the verdict is. A stall of
the node is no event either: judged time stands still meanwhile. Silence brings nothing to \`liveness: static\`.

${table(['standing', 'meaning'], listed(STANDINGS))}

${table(['event', 'meaning'], listed(LIVENESS_EVENTS))}

A cell says the verdict that is written with its reason, or what is done instead.

${table(['event', ...standings.map((standing) => `\`${standing}\``)], rows)}

${notes.map((text, index) => `${index + 1}. ${text}`).join('\n')}
`
}
