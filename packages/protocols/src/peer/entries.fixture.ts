/** Entries as nodes tell them to each other. */
import type { Learnable, LiveContent } from '@rollcall/core'

const CONTENT: LiveContent = {
  intent: 'up',
  rev: 1,
  host: '10.0.0.1',
  port: 8080,
  weight: 100,
  metadata: { version: '1.2.3', 'build-id': 'a1b2c3' },
  leaseMs: 15_000,
  liveness: 'lease',
  named: true,
  peer: '10.0.0.1',
  digest: '0123456789abcdef',
}

/** A record, with parts of another content. */
export function recordOf(
  id: string,
  content: Partial<LiveContent> = {},
): Learnable & { readonly kind: 'record' } {
  return {
    kind: 'record',
    record: {
      namespace: 'default',
      service: 'orders',
      group: 'default',
      id,
      incarnation: 1_763_644_800_000,
      content: { ...CONTENT, ...content },
      verdict: { value: 'up', claim: 0, node: 'a.0123456789abcdef', seq: 0, reason: 'registered' },
    },
  }
}
