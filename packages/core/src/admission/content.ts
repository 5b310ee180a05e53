/** The content that a registration offers, and what of two contents counts as the same. Pure. */
import type { RegisterCommand } from '../commands.js'
import { contentDigest } from '../records/digest.js'
import type { LiveContent } from '../records/record.js'
import { sameProbe } from './probe.js'

/** What is stored of a registration under this incarnation. */
export function contentOf(
  command: RegisterCommand,
  incarnation: number,
  rev: number,
  named: boolean,
  peer: string | undefined,
): LiveContent {
  const { protocol, zone, probe, foreign } = command
  const content: { -readonly [name in keyof LiveContent]: LiveContent[name] } = {
    intent: command.intent,
    rev,
    host: command.host,
    port: command.port,
    weight: command.weight,
    metadata: command.metadata,
    leaseMs: command.leaseMs,
    liveness: command.liveness,
    named,
    digest: contentDigest(command, incarnation, command),
  }
  if (protocol !== undefined) content.protocol = protocol
  if (zone !== undefined) content.zone = zone
  if (probe !== undefined) content.probe = probe
  if (peer !== undefined) content.peer = peer
  if (foreign !== undefined) content.foreign = foreign
  return content
}

/** Whether nothing that is kept of two contents differs, but for the rev. */
export function sameContent(a: LiveContent, b: LiveContent): boolean {
  return (
    a.digest === b.digest &&
    a.intent === b.intent &&
    a.weight === b.weight &&
    a.leaseMs === b.leaseMs &&
    a.liveness === b.liveness &&
    a.restored === b.restored &&
    sameProbe(a.probe, b.probe)
  )
}
