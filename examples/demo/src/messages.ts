/** What the demo's processes tell the narrator over their IPC channel. */

export type Message =
  | { readonly kind: 'registered'; readonly id: string }
  | { readonly kind: 'first-call'; readonly afterMs: number }
  | { readonly kind: 'called'; readonly pid: number }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'totals'; readonly calls: number; readonly failures: number }
  | {
      readonly kind: 'list'
      /** Wall clock of the consumer; all processes of the demo share one machine. */
      readonly at: number
      readonly source: string
      readonly sign: string
      readonly instances: readonly { readonly id: string; readonly state: string }[]
    }

/** Sends a message to the narrator, if there is one. */
export function report(message: Message): void {
  if (process.connected) process.send?.(message)
}
