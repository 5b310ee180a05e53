/**
 * Writes the event log and the figures of what happened: it follows the changes and declarations of the directory and
 * the notices of liveness, and names as their author what caused the present step.
 */
import { defined, type Signature } from '@rollcall/wire'
import type { Caller } from '../caller.js'
import { eventOf, wishesOf } from './change-events.js'
import type { Change, Follower } from '../directory/change.js'
import type { EventContext, EventLog } from './event-log.js'
import type { HealthNotice, Notice } from '../liveness/notices.js'
import type { Meter } from '../metrics.js'
import type { Declaration } from '../records/declaration.js'

/** The node itself. */
const NO_AUTHOR: EventContext = {}

export class Chronicle implements Follower {
  private readonly events: EventLog
  private readonly meter: Meter
  private readonly tell: (notice: Notice) => void
  private author: EventContext = NO_AUTHOR

  /** `tell` passes on what a node does by itself, for its log. */
  constructor(events: EventLog, meter: Meter, tell: (notice: Notice) => void = () => {}) {
    this.events = events
    this.meter = meter
    this.tell = tell
  }

  /** What happens from now on is the caller's doing, with the words it gave; without a caller the node's own. */
  begin(caller?: Caller, { by, why }: Signature = {}): void {
    const own = caller === undefined && by === undefined && why === undefined
    this.author = own ? NO_AUTHOR : { peer: caller?.peer, via: caller?.via, by, why }
  }

  changed(change: Change): void {
    const event = eventOf(change, this.author.by)
    if (event !== undefined) this.events.record(event[0], event[1], this.author)
    if (event?.[0] === 'override_cleared' && this.author === NO_AUTHOR) this.overrideOver(change)
    if (change.visible && change.before !== change.after)
      this.meter.count('rollcall_transitions_total', 1, change.after ?? 'hidden')
  }

  declared(declaration: Declaration): void {
    const { kind, namespace, register } = declaration
    const stands = register.value !== null
    const event = kind === 'freeze' ? (stands ? 'frozen' : 'unfrozen') : stands ? 'declared' : 'undeclared'
    const subject = kind === 'service' ? { namespace, service: declaration.service } : { namespace }
    const { by, why } = register
    const reason = kind === 'value' ? `${declaration.protocol} ${declaration.key}` : undefined
    this.events.record(event, { subject, ...defined({ by, why, reason }) }, this.author)
  }

  /** Notes what liveness noticed: nothing that a caller did. */
  noticed(notice: HealthNotice): void {
    this.tell(notice)
    if (notice.kind === 'stall') {
      this.events.record('stall', { lateMs: notice.lateMs }, NO_AUTHOR)
      return
    }
    const tripped = notice.kind === 'watcher_doubt' ? notice.doubting : notice.tripped
    const facts =
      notice.kind === 'watcher_doubt'
        ? { zone: notice.zone }
        : { subject: { namespace: notice.service.namespace, service: notice.service.service } }
    this.events.record(tripped ? 'guard_tripped' : 'guard_released', facts, NO_AUTHOR)
  }

  /** Without an author an override ends because its time is over. */
  private overrideOver({ entry, previous }: Change): void {
    const { namespace, service, group, id } = entry.record
    const value = previous?.override?.value
    const wishes = value === undefined || value === null ? '' : wishesOf(value)
    this.tell({ kind: 'override_over', namespace, service, group, id, wishes })
  }
}
