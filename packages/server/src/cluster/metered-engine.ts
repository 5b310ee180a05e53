/** An engine that counts what it is asked: idle instances must cost it nothing, and a slow or refusing one must show. */
import { type Clock, EngineError, type EnginePort, type Meter } from '@rollcall/core'

export interface MeteredEngineDeps {
  readonly clock: Clock
  readonly meter: Meter
  readonly engine: EnginePort
}

/** The same engine; every operation is counted when it begins, and each failure by its kind. */
export function createMeteredEngine({ clock, meter, engine }: MeteredEngineDeps): EnginePort {
  const begun = (kind: string): void => meter.count('rollcall_engine_operations_total', 1, kind)
  const failed = (error: unknown): void => {
    if (error instanceof EngineError) meter.count('rollcall_engine_failures_total', 1, error.failure)
  }
  const counted = async <T>(kind: string, operation: () => Promise<T>): Promise<T> => {
    begun(kind)
    try {
      return await operation()
    } catch (error) {
      failed(error)
      throw error
    }
  }
  return {
    join: (offer) => counted('join', () => engine.join(offer)),
    load: (page) => counted('load', () => engine.load(page)),
    scan: (page) => counted('scan', () => engine.scan(page)),
    read: (keys) => counted('read', () => engine.read(keys)),
    write: (epoch, writes) =>
      counted('write', async () => {
        const startedAt = clock.now()
        const written = await engine.write(epoch, writes)
        meter.observe('rollcall_engine_write_duration_seconds', (clock.now() - startedAt) / 1_000)
        const refused = written.filter(({ ok }) => !ok).length
        meter.count('rollcall_engine_writes_total', written.length - refused, 'done')
        meter.count('rollcall_engine_writes_total', refused, 'refused')
        return written
      }),
    watch(revision, watcher) {
      begun('watch')
      return engine.watch(revision, {
        changed: (events, to) => watcher.changed(events, to),
        progressed: (to) => watcher.progressed(to),
        ended(error) {
          failed(error)
          watcher.ended(error)
        },
      })
    },
    hold: (lease, listener) =>
      engine.hold(lease, {
        kept() {
          begun('renewal')
          listener.kept()
        },
        lost(error) {
          failed(error)
          listener.lost(error)
        },
      }),
    status: () => engine.status(),
    close: () => engine.close(),
  }
}
