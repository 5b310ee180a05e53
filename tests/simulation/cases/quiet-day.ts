/** Nothing happens. A client that only pings is alive. */
import type { Case } from '../case.js'

export const quietDay: Case = {
  programs: {
    session: { speech: 'sdk' },
    beats: { speech: 'beats' },
    curl: { speech: 'curl' },
    probed: { speech: 'probed' },
    static: { speech: 'static' },
    consumer: {},
  },
  faults: [],
  mutation: 'pings-unheard',
  finds: 'I1',
}
