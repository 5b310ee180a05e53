/** Shape of what `/api` answers. */
import { list, object, text, type Shape } from '../shape/shape.js'
import type { ApiIndex, IndexedOperation } from '../types.js'

export const apiIndexShape: Shape<ApiIndex> = object<ApiIndex>({
  name: text(),
  version: text(),
  document: text({ description: 'Path of the OpenAPI document.' }),
  guides: list(text(), { description: 'Pages of the documentation that a caller needs.' }),
  examples: list(text(), { description: 'Commands for a shell, in this order, against this node.' }),
  operations: list(object<IndexedOperation>({ id: text(), method: text(), path: text(), summary: text() })),
})
