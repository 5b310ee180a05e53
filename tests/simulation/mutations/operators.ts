/** Bugs in what operators write. */
import type { JournalEntry, LiveContent, RegisterCommand, StoredRecord, Step } from '@rollcall/core'
import type { Directory, Entry, Evidence, Facts, LiveRecord } from '#core/internal'
import type { NodeDriver } from '@rollcall/server'
import { type Mutation, node, partsOf } from './mutation.js'
import { replace } from './replace.js'

/** A journal that gives back something else than it took, or nothing. */
function loaded(driver: NodeDriver, change: (entry: JournalEntry) => JournalEntry | undefined): void {
  replace(driver, 'load', (original, _driver, entries) =>
    original([...entries].map(change).filter((entry) => entry !== undefined)),
  )
}

/** What is written is something else than what was wanted. */
function written(
  driver: NodeDriver,
  change: (record: StoredRecord, directory: Directory) => StoredRecord,
): void {
  replace(partsOf(driver).directory, 'propose', (original, directory, record, cause, now) =>
    original(change(record, directory), cause, now),
  )
}

export const OPERATORS: readonly Mutation[] = [
  node('override-not-recovered', 'the journal keeps overrides', (driver) => {
    loaded(driver, (entry) => {
      if (entry.kind !== 'record') return entry
      const { override: _, ...record } = entry.record
      return { ...entry, record }
    })
  }),
  node('clearance-not-recovered', 'what was taken back is remembered as well', (driver) => {
    loaded(driver, (entry) => {
      if (entry.kind !== 'record' || entry.record.override?.value !== null) return entry
      const { override: _, ...record } = entry.record
      return { ...entry, record }
    })
  }),
  node('declarations-not-recovered', 'the journal keeps declarations and freezes', (driver) => {
    loaded(driver, (entry) => (entry.kind === 'record' || entry.kind === 'forget' ? entry : undefined))
  }),
  node('older-register-wins', 'a write is above what is stored, whatever the wall clock says', (driver) => {
    written(driver, (record, directory) => {
      const { override } = record
      const before = directory.entry(record)?.record.override
      if (override === undefined || before === undefined || override.counter !== before.counter + 1)
        return record
      return { ...record, override: { ...override, counter: before.counter - 1 } }
    })
  }),
  node('weight-binds-to-id', 'a weight binds to its incarnation', (driver) => {
    written(driver, (record, directory) => {
      const before = directory.entry(record)?.record.override
      const { incarnation } = record
      if (before?.value?.weight === undefined || before.value.weight.incarnation === incarnation)
        return record
      const weight = { ...before.value.weight, incarnation }
      const override = { ...before, counter: before.counter + 1, value: { ...before.value, weight } }
      return { ...record, override }
    })
  }),
  node('renewal-clears', "a provider's word leaves alone what an operator wants", (driver) => {
    const { registrar } = partsOf(driver)
    const { overrides } = driver['node']
    const renew = registrar['renew'].bind(registrar)
    registrar['renew'] = (entry: Entry, record: LiveRecord, command: RegisterCommand, step: Step) => {
      overrides.clear({ refs: [record] }, step.now)
      return renew(entry, entry.record as LiveRecord, command, step)
    }
  }),
  node('wishes-unshown', 'what an operator wants is shown at once', (driver) => {
    replace(partsOf(driver).directory, 'propose', (original, directory, record, cause, now) => {
      const before = directory.entry(record)?.state ?? null
      const change = original(record, cause, now)
      if (cause.kind === 'override' && change !== undefined) change.entry.state = before
      return change
    })
  }),
  node(
    'declared-removal-ignored',
    'the removal time is that of the service where it is declared',
    (driver) => {
      const judgement = partsOf(driver).liveness['judge']
      const factsOf = judgement.facts.bind(judgement)
      const { removalMs } = judgement['options']
      judgement.facts = (about: Evidence, content: LiveContent): Facts => ({
        ...factsOf(about, content),
        removalMs,
      })
    },
  ),
  node('freeze-holds-nothing', 'nothing expires while frozen', (driver) => {
    replace(partsOf(driver).directory.freezes, 'covers', () => false)
  }),
]
