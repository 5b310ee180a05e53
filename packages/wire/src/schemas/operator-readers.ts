/** Reading of what operators send. */
import type { FreezeRequest, OverrideClearing, OverrideRequest, RestoreRequest } from '../operators.js'
import type { InstanceRef } from '../types.js'
import { createJudge } from './judging.js'
import {
  clearingFrameSchema,
  freezeRequestSchema,
  overrideFrameSchema,
  restoreRequestSchema,
} from './operators.js'
import { readInstanceRefs, readWhole, type Batch, type Read } from './readers.js'

const overrideJudge = createJudge(overrideFrameSchema)
const clearingJudge = createJudge(clearingFrameSchema)
const freezeJudge = createJudge(freezeRequestSchema)
const restoreJudge = createJudge(restoreRequestSchema)

/** Instances, and what is said about all of them. */
export interface FramedBatch<T> {
  readonly batch: Batch<InstanceRef>
  readonly frame: Omit<T, 'instances' | 'namespace'>
}

/** Reads an override. */
export function readOverride(body: unknown, itemsMax: number): FramedBatch<OverrideRequest> {
  return readInstanceRefs(body, overrideJudge, itemsMax)
}

/** Reads which overrides are taken back. */
export function readClearing(body: unknown, itemsMax: number): FramedBatch<OverrideClearing> {
  return readInstanceRefs(body, clearingJudge, itemsMax)
}

/** Reads a freeze, or the end of one. */
export function readFreeze(body: unknown): Read<FreezeRequest> {
  return readWhole(freezeJudge, body)
}

/** Reads what is to be brought back. */
export function readRestore(body: unknown): Read<RestoreRequest> {
  return readWhole(restoreJudge, body)
}
