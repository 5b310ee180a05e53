/** What is due when: any number of appointments with one timer, a bounded number of them in one turn. */
import type { Clock } from '@rollcall/core'

interface Appointment {
  readonly at: number
  run: (() => void) | undefined
}

/** Appointments of one turn of the event loop: each costs some microseconds. */
const TURN_MAX = 500

export interface Agenda {
  /** Runs once at that time, or soon after; the returned function takes it back. */
  at(dueMs: number, run: () => void): () => void
  /** Number of appointments, those that were taken back and not yet met included. */
  readonly size: number
  close(): void
}

export function createAgenda(clock: Clock): Agenda {
  return new HeapAgenda(clock)
}

class HeapAgenda implements Agenda {
  private readonly clock: Clock
  private readonly heap: Appointment[] = []
  private timer: { readonly at: number; readonly cancel: () => void } | undefined
  private closed = false

  constructor(clock: Clock) {
    this.clock = clock
  }

  get size(): number {
    return this.heap.length
  }

  at(dueMs: number, run: () => void): () => void {
    const appointment: Appointment = { at: dueMs, run }
    this.push(appointment)
    this.schedule()
    return () => (appointment.run = undefined)
  }

  close(): void {
    this.closed = true
    this.timer?.cancel()
    this.heap.length = 0
  }

  private schedule(): void {
    const next = this.heap[0]?.at
    if (this.closed || next === undefined || (this.timer !== undefined && this.timer.at <= next)) return
    this.timer?.cancel()
    const cancel = this.clock.setTimer(Math.max(0, Math.ceil(next - this.clock.now())), () => {
      this.timer = undefined
      this.meet()
      this.schedule()
    })
    this.timer = { at: next, cancel }
  }

  private meet(): void {
    const now = this.clock.now()
    for (let met = 0; met < TURN_MAX && !this.closed; met++) {
      const next = this.heap[0]
      if (next === undefined || next.at > now) return
      this.pop()
      next.run?.()
    }
  }

  private push(appointment: Appointment): void {
    const { heap } = this
    let place = heap.push(appointment) - 1
    while (place > 0) {
      const above = (place - 1) >> 1
      if ((heap[above] as Appointment).at <= appointment.at) break
      heap[place] = heap[above] as Appointment
      place = above
    }
    heap[place] = appointment
  }

  private pop(): void {
    const { heap } = this
    const last = heap.pop() as Appointment
    if (heap.length === 0) return
    let place = 0
    for (;;) {
      let below = 2 * place + 1
      if (below >= heap.length) break
      if (below + 1 < heap.length && (heap[below + 1] as Appointment).at < (heap[below] as Appointment).at)
        below++
      if ((heap[below] as Appointment).at >= last.at) break
      heap[place] = heap[below] as Appointment
      place = below
    }
    heap[place] = last
  }
}
