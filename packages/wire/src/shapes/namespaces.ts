/** Shapes of namespaces: their allow lists and freezes. */
import type { FreezeRequest, FreezesList, FreezeSummary } from '../operators.js'
import { count, list, object, optional, text, type Shape } from '../shape/shape.js'
import type { NamespaceSettings, NamespacesResponse, NamespaceSummary } from '../types.js'
import { allowField, nameField, namespaceOrAllField, signatureFields } from './fields.js'
import { frozenField } from './services.js'

export const namespaceSettingsShape: Shape<NamespaceSettings> = object<NamespaceSettings>({
  allow: optional(allowField),
})

export const namespacesResponseShape: Shape<NamespacesResponse> = object<NamespacesResponse>({
  namespaces: list(
    object<NamespaceSummary>({
      namespace: nameField,
      services: count(),
      instances: count(),
      allow: optional(allowField),
      frozen: frozenField,
    }),
  ),
  next: optional(text()),
})

export const freezeRequestShape: Shape<FreezeRequest> = object<FreezeRequest>({
  namespace: optional(namespaceOrAllField('`*` for all namespaces.')),
  ...signatureFields,
})

export const freezeSummaryShape: Shape<FreezeSummary> = object<FreezeSummary>({
  namespace: text(),
  ageMs: count(),
  ...signatureFields,
})

export const freezesListShape: Shape<FreezesList> = object<FreezesList>({ freezes: list(freezeSummaryShape) })
