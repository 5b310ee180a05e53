/** The charter: what all nodes of a cluster agree on, as one text at one key. */
import { type ClusterCharter, EngineError } from '@rollcall/core'
import type { Calls } from './calls.js'
import type { PrefixKeys } from './keys.js'
import { COMPARE, TxnRequest } from './messages.js'
import { engineError } from './rpc-status.js'

/** A charter and the text that stands for it, letter by letter: writes compare the text. */
export interface JoinedCharter {
  readonly charter: ClusterCharter
  readonly text: string
}

/** Longest text of a charter that is read. */
const CHARTER_LENGTH_MAX = 10_000

/** Writes the offer where there is no charter, and resolves with what stands. Rejects with `incompatible` for another name or format. */
export async function joinCharter(
  calls: Calls,
  keys: PrefixKeys,
  offer: ClusterCharter,
): Promise<JoinedCharter> {
  const { stored, mine } = await readOrWrite(calls, keys, writeCharter(offer))
  if (mine) return { charter: offer, text: stored }
  const charter = readCharter(stored)
  if (charter === undefined) {
    throw new EngineError('incompatible', `what stands at ${keys.charter} is no charter of a cluster`)
  }
  if (charter.cluster !== offer.cluster) {
    const name = charter.cluster.slice(0, 200)
    throw new EngineError('incompatible', `the cluster there is named ${name}, not ${offer.cluster}`)
  }
  if (Math.trunc(charter.format) !== Math.trunc(offer.format)) {
    throw new EngineError(
      'incompatible',
      `the cluster there has format ${charter.format}, this node ${offer.format}`,
    )
  }
  return { charter, text: stored }
}

/** What stands; `mine`: it is what was offered. Only where there is none anything is written, so that nodes join an etcd that is full. */
async function readOrWrite(
  calls: Calls,
  keys: PrefixKeys,
  offer: string,
): Promise<{ readonly stored: string; readonly mine: boolean }> {
  const look = { range: { key: Buffer.from(keys.charter) } }
  try {
    const read = await calls.join(TxnRequest.encode({ success: [look] }))
    const stored = read.responses[0]?.range?.kvs[0]?.value
    if (stored !== undefined) return { stored, mine: false }
    const answer = await calls.join(
      TxnRequest.encode({
        // A key that was never changed is not there.
        compare: [{ target: COMPARE.mod, key: keys.charter, modRevision: 0 }],
        success: [{ put: { key: keys.charter, value: offer } }],
        failure: [look],
      }),
    )
    if (answer.succeeded) return { stored: offer, mine: true }
    return { stored: answer.responses[0]?.range?.kvs[0]?.value ?? '', mine: false }
  } catch (error) {
    throw engineError(error)
  }
}

function writeCharter({ cluster, format, epoch, secret }: ClusterCharter): string {
  return JSON.stringify({ cluster, format, epoch, secret })
}

function readCharter(text: string): ClusterCharter | undefined {
  if (text.length > CHARTER_LENGTH_MAX) return undefined
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { cluster, format, epoch, secret } = value as Record<string, unknown>
  if (typeof cluster !== 'string' || typeof format !== 'number' || !(format >= 0)) return undefined
  if (typeof epoch !== 'string' || epoch === '' || typeof secret !== 'string' || secret === '')
    return undefined
  return { cluster, format, epoch, secret }
}
