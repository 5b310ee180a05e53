/** What the clients of each protocol tell the narrator over their IPC channel. */

export type Word =
  /** It registered. All processes share one machine and its wall clock. */
  | { readonly kind: 'registered'; readonly at: number; readonly port: number }
  /** Its list, whenever that changed. */
  | { readonly kind: 'list'; readonly at: number; readonly ports: readonly number[] }
  /** It called what it found, once each. */
  | { readonly kind: 'called'; readonly ports: readonly number[] }

/** Sends a word to the narrator, if there is one. */
export function say(word: Word): void {
  if (process.connected) process.send?.(word)
}
