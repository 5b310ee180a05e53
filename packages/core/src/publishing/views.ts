/** Views as they are told at present: the list of the directory with what liveness adds to it. */
import type { Delta, View, ViewName } from '@rollcall/wire'
import type { Directory } from '../directory/directory.js'
import {
  captureView,
  type ViewFilter,
  deltaSince,
  fullView,
  signOfView,
  type ViewCapture,
  type ViewFacts,
} from '../directory/view.js'
import type { LivenessRules } from '../liveness/liveness.js'
import { type NodeHealth, WELL } from './node-health.js'

export class Views {
  private readonly directory: Directory
  private readonly liveness: Pick<LivenessRules, 'guardOf'>
  /** What the node tells of itself at present. */
  health: NodeHealth = WELL
  /** It began with nothing, less than a lease ago: what lives may not have come yet. */
  young = false

  constructor(directory: Directory, liveness: Pick<LivenessRules, 'guardOf'>) {
    this.directory = directory
    this.liveness = liveness
  }

  /** Whether lists may lack what lives. */
  get stale(): boolean {
    return this.health.stale || this.young
  }

  /** The full view; for an unknown service the empty one. */
  full(name: ViewName, now: number): View {
    return fullView(this.directory, name, now, this.factsOf(name))
  }

  /** The same, or what passes the filter, to be written out later. */
  capture(name: ViewName, now: number, filter?: ViewFilter): ViewCapture {
    return captureView(this.directory, name, now, this.factsOf(name), filter)
  }

  /** What leads from a sign to the present; undefined where that is no longer known. */
  delta(name: ViewName, sign: string, now: number): Delta | undefined {
    return deltaSince(this.directory, name, sign, signOfView(this.directory, name), now)
  }

  private factsOf({ namespace, service }: ViewName): ViewFacts {
    return { stale: this.stale, guard: this.liveness.guardOf(this.directory.find(namespace, service)) }
  }
}
