/** The key of a node under a lease of its own, renewed as long as the node lives, and made anew when it is lost. */
import { EngineError, type Logger, type NodeLease, type NodeLeaseListener } from '@rollcall/core'
import type { Calls } from './calls.js'
import type { JoinedCharter } from './charter.js'
import type { PrefixKeys } from './keys.js'
import { COMPARE, TxnRequest } from './messages.js'
import { anotherCharter } from './ranges.js'
import { type RenewalDeps, renewLease } from './renewal.js'
import { engineError } from './rpc-status.js'

export interface NodeLeaseDeps extends RenewalDeps {
  readonly calls: Calls
  readonly keys: PrefixKeys
  readonly logger: Logger
  /** The charter that was joined last. */
  readonly charter: () => JoinedCharter
}

/** One life of the lease. */
interface Held {
  readonly id: bigint
  /** Revision of the key under it; 0 as long as it is not there. */
  revision: number
}

/** A key that is held from now on. */
export class HeldKey {
  private readonly deps: NodeLeaseDeps
  private readonly lease: NodeLease
  private readonly listener: NodeLeaseListener
  private closing: Promise<void> | undefined
  private held: Held | undefined
  /** Ends the renewal that is going on. */
  private stop = (): void => {}
  private cancelExpiry = (): void => {}
  /** What the listener heard last, so that one loss is told once. */
  private told: 'nothing' | 'kept' | EngineError['failure'] = 'nothing'

  constructor(deps: NodeLeaseDeps, lease: NodeLease, listener: NodeLeaseListener) {
    this.deps = deps
    this.lease = lease
    this.listener = listener
    void this.run()
  }

  /** This key was deleted at this revision, by whatever: it is put there again. */
  deleted(key: string, revision: number): void {
    const { held } = this
    if (this.closing !== undefined || held === undefined || key !== this.lease.key) return
    // What ended an earlier life of the key says nothing about this one.
    if (held.revision === 0 || revision <= held.revision) return
    // Without its key a lease is worth nothing: a new one comes with a new attempt.
    this.put(held).catch(() => this.stop())
  }

  /** Lets go; resolves when the lease is revoked, or `closeMs` later. Idempotent. */
  close(): Promise<void> {
    this.closing ??= this.letGo()
    return this.closing
  }

  private async run(): Promise<void> {
    const { pauses } = this.deps
    for (let failures = 1; this.closing === undefined && !pauses.closed; failures += 1) {
      try {
        await this.make()
        failures = 1
        const { id } = this.held as Held
        const renewal = renewLease(this.deps, id, this.lease.ttlMs, (asked) => this.confirmed(asked))
        this.stop = () => renewal.stop()
        if (this.closing !== undefined) renewal.stop()
        await renewal.over
        this.lost(new EngineError('unavailable', 'the lease of this node is gone'))
      } catch (error) {
        const known = engineError(error)
        if (!(known instanceof EngineError)) throw known
        this.lost(known)
      }
      if (this.closing === undefined) await pauses.backoff(failures)
    }
  }

  private async make(): Promise<void> {
    const asked = this.deps.clock.now()
    const { id } = await this.deps.calls.grant(Math.max(1, Math.ceil(this.lease.ttlMs / 1_000)))
    this.held = { id, revision: 0 }
    // Closed meanwhile: the close had no lease to revoke.
    if (this.closing !== undefined) return this.revoke(id)
    await this.put(this.held)
    this.confirmed(asked)
  }

  /** Puts the key there, whatever stands there: its name belongs to this boot of this node alone. */
  private async put(held: Held): Promise<void> {
    const { keys } = this.deps
    const { key, value } = this.lease
    const request = TxnRequest.encode({
      compare: [{ target: COMPARE.value, key: keys.charter, value: this.deps.charter().text }],
      success: [{ put: { key: keys.stored(key), value, lease: held.id } }],
    })
    const answer = await this.deps.calls.txn(request)
    if (!answer.succeeded) throw anotherCharter(keys)
    held.revision = answer.header.revision
  }

  /** The server heard this node at or after `asked`. */
  private confirmed(asked: number): void {
    if (this.closing !== undefined) return
    const { clock } = this.deps
    const { ttlMs } = this.lease
    const leftMs = asked + ttlMs - clock.now()
    // This node stood still: what the answer says is over.
    if (leftMs <= 0) return
    this.cancelExpiry()
    this.cancelExpiry = clock.setTimer(leftMs, () =>
      this.lost(new EngineError('unavailable', `etcd has not heard this node for ${ttlMs} ms`)),
    )
    this.told = 'kept'
    this.listener.kept()
  }

  private lost(error: EngineError): void {
    const { told } = this
    if (this.closing !== undefined || told === error.failure) return
    // A key that was lost already is lost still, unless now an operator has to act.
    if (told !== 'kept' && told !== 'nothing' && error.failure === 'unavailable') return
    this.cancelExpiry()
    this.told = error.failure
    this.listener.lost(error)
  }

  private async letGo(): Promise<void> {
    this.cancelExpiry()
    this.stop()
    if (this.held !== undefined) await this.revoke(this.held.id)
  }

  private async revoke(id: bigint): Promise<void> {
    try {
      await this.deps.calls.revoke(id, this.deps.timing.closeMs)
    } catch (error) {
      this.deps.logger.debug({ error }, 'the lease of this node is left to end by itself')
    }
  }
}
