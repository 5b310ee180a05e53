/** Each life of a process registers with metadata of its own. */
import type { Case } from '../case.js'

export const metadataOfALife: Case = {
  programs: {
    provider: { speech: 'beats' },
    script: { speech: 'curl' },
    other: { speech: 'sdk' },
    consumer: {},
  },
  faults: [{ at: 20_000, kind: 'kill', program: 'provider', downMs: 2_000 }],
  mutation: 'metadata-dropped',
  finds: 'I13',
}
