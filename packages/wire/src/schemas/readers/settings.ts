/** Readers of what operators say: declarations, freezes and overrides. */
import type { FreezeRequest, OverrideClearing, OverrideRequest } from '../../operators.js'
import type { NamespaceSettings, ServiceSettings } from '../../types.js'
import { freezeRequestShape, namespaceSettingsShape } from '../../shapes/namespaces.js'
import { overrideClearingShape, overrideRequestShape } from '../../shapes/overrides.js'
import { serviceSettingsShape } from '../../shapes/services.js'
import { batchReader, wholeReader, type FramedBatch, type Read } from './batch.js'

/** Reads the declaration of a service. */
export const readServiceSettings: (body: unknown) => Read<ServiceSettings> = wholeReader(serviceSettingsShape)

/** Reads the declaration of a namespace. */
export const readNamespaceSettings: (body: unknown) => Read<NamespaceSettings> =
  wholeReader(namespaceSettingsShape)

/** Reads a freeze, or the end of one. */
export const readFreeze: (body: unknown) => Read<FreezeRequest> = wholeReader(freezeRequestShape)

/** Reads an override. */
export const readOverride: (body: unknown, itemsMax: number) => FramedBatch<OverrideRequest> =
  batchReader(overrideRequestShape)

/** Reads which overrides are taken back. */
export const readClearing: (body: unknown, itemsMax: number) => FramedBatch<OverrideClearing> =
  batchReader(overrideClearingShape)
