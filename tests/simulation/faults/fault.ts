/** Faults, as data. */
import type { Intent } from '@rollcall/wire'

/** What can go wrong, or just happen. Plain data, so that a run can be written down, shrunk and replayed. */
export type Happening =
  /** kill -9; started again after `downMs` unless that is absent, with the wall clock moved by `clockMs`. */
  | { readonly kind: 'kill'; readonly program: string; readonly downMs?: number; readonly clockMs?: number }
  /** An orderly exit; started again after `downMs` unless that is absent. */
  | { readonly kind: 'leave'; readonly program: string; readonly downMs?: number }
  /** SIGSTOP and SIGCONT, or a very long collection. Ports go on accepting. */
  | { readonly kind: 'hang'; readonly program: string; readonly ms: number }
  /** The power of a host goes, and comes back; its programs start again. */
  | { readonly kind: 'power'; readonly host: string; readonly ms: number }
  /** Nothing reaches or leaves a host whose programs live on. */
  | { readonly kind: 'isolate'; readonly host: string; readonly ms: number }
  /** Packets from one host to another vanish; the other way they pass. */
  | { readonly kind: 'cut'; readonly from: string; readonly to: string; readonly ms: number }
  /** All streams of a program are reset. */
  | { readonly kind: 'reset'; readonly program: string }
  /** A middlebox forgets the streams of a program: both ends believe in them. */
  | { readonly kind: 'forget'; readonly program: string }
  /** Connections from the registry to a host (`*`: to any) are refused on the way. */
  | { readonly kind: 'firewall'; readonly host: string; readonly ms: number }
  /** Another process listens on a port of a dead program. */
  | { readonly kind: 'squat'; readonly program: string; readonly ms: number }
  | { readonly kind: 'slow'; readonly byMs: number; readonly ms: number }
  | { readonly kind: 'loss'; readonly rate: number; readonly ms: number }
  /** Requests arrive a second time, up to `delayMs` later. */
  | { readonly kind: 'copies'; readonly rate: number; readonly delayMs: number; readonly ms: number }
  /** The event loop of the registry stands still. */
  | { readonly kind: 'stall'; readonly ms: number }
  /** The registry is killed and starts again. */
  | { readonly kind: 'crash'; readonly downMs: number }
  /** The registry is stopped in order and starts again. */
  | { readonly kind: 'stop'; readonly downMs: number }
  /** A node dies with its disk, and another one takes its place: a new name, nothing in its journal. */
  | { readonly kind: 'replace'; readonly downMs: number }
  /** A node cannot reach the engine. */
  | { readonly kind: 'engineCut'; readonly ms: number }
  /** No member of the engine runs. */
  | { readonly kind: 'engineDown'; readonly ms: number }
  /** Everything between a node and the engine takes so much longer, each way; without a node, for all. */
  | { readonly kind: 'engineSlow'; readonly byMs: number; readonly ms: number; readonly all?: boolean }
  /** What a node asks of the engine is done, and the answers are lost. */
  | { readonly kind: 'engineMute'; readonly ms: number }
  /** The connection of a node to the engine breaks. */
  | { readonly kind: 'engineReset' }
  /** The engine loses everything, or goes back to what it was at the last backup. */
  | { readonly kind: 'engineWipe' }
  | { readonly kind: 'engineBackup' }
  | { readonly kind: 'engineRestore' }
  | { readonly kind: 'engineCompact' }
  /** The engine takes no writes: its quota is used up. */
  | { readonly kind: 'engineFull'; readonly ms: number }
  /** Two nodes do not hear each other, or the other one does not hear the first. */
  | { readonly kind: 'peerCut'; readonly other: number; readonly oneWay?: boolean; readonly ms: number }
  /** A node and some hosts hear each other, and nothing else hears them: engine, other nodes, other hosts. */
  | { readonly kind: 'rack'; readonly hosts: readonly string[]; readonly ms: number }
  /** Every commit fails, or takes `commitMs` on average. */
  | { readonly kind: 'disk'; readonly commitMs?: number; readonly ms: number }
  /** A wall clock jumps; `registry` or the name of a program. */
  | { readonly kind: 'clock'; readonly target: string; readonly byMs: number }
  /** An operator deregisters one endpoint of a program, naming its incarnation or not. */
  | { readonly kind: 'deregister'; readonly program: string; readonly index: number; readonly named: boolean }
  /** An operator deregisters everything on a host. */
  | { readonly kind: 'evict'; readonly host: string }
  /** An operator wants something of one endpoint of a program, and nothing else any more. */
  | {
      readonly kind: 'override'
      readonly program: string
      readonly index: number
      readonly drain?: boolean
      readonly disable?: boolean
      readonly weight?: number
    }
  /** An operator takes that back. */
  | { readonly kind: 'clear'; readonly program: string; readonly index: number }
  /** An operator freezes a namespace, or `*` for all, or ends that. */
  | { readonly kind: 'freeze'; readonly namespace: string }
  | { readonly kind: 'unfreeze'; readonly namespace: string }
  /** An operator declares a service with a removal time, or takes the declaration back where there is none. */
  | { readonly kind: 'declare'; readonly service: string; readonly removalMs?: number }
  /** An operator declares who may register in the namespace, or takes that back where none is named. */
  | { readonly kind: 'declareNamespace'; readonly allow?: string }
  /** An operator brings back what left a service by mistake. */
  | { readonly kind: 'restore'; readonly service: string }
  /** A program changes what it says of one of its endpoints. */
  | {
      readonly kind: 'update'
      readonly program: string
      readonly index: number
      readonly weight?: number
      readonly intent?: Intent
    }

/** Something that happens at a moment: milliseconds since the world began. */
export type Fault = Happening & {
  readonly at: number
  /** Which cluster it concerns, where it concerns one. Default the first. */
  readonly cluster?: number
  /** Which of its nodes. Default the first. */
  readonly node?: number
}

/** A fault in a line. */
export function faultText({ at, kind, ...rest }: Fault): string {
  const details = Object.entries(rest).map(([name, value]) => `${name}=${String(value)}`)
  return `${(at / 1_000).toFixed(3)} s ${kind} ${details.join(' ')}`.trimEnd()
}
