/** Shards assigned to members by rendezvous hashing. */
import type { Instance } from '@rollcall/wire'
import { instanceKey } from '../machine/keys.js'

/** A member with the two halves of the hash of its group and id. */
interface Member {
  readonly key: string
  readonly instance: Instance
  readonly high: number
  readonly low: number
}

/**
 * Which member has which shard, by rendezvous hashing: each shard goes to the member with the highest score for it, so
 * that a member that leaves gives up its own shards and no other moves, and one that joins only takes. The same
 * members give the same assignment, whatever was before. Shards are spread as by dice: with s of them each on average,
 * most members have s ± 2·√s.
 *
 * A joining member costs one score per shard, a leaving one a score per member for each shard it had.
 */
export class Assignment {
  private readonly owners: (Member | undefined)[]
  private readonly best: Float64Array
  private members = new Map<string, Member>()

  constructor(count: number) {
    this.owners = Array.from({ length: count }, () => undefined)
    this.best = new Float64Array(count).fill(-1)
  }

  /** Takes over the members, in any order. */
  update(instances: readonly Instance[]): void {
    const before = this.members
    this.members = new Map()
    const joined: Member[] = []
    for (const instance of instances) {
      const key = instanceKey(instance)
      const known = before.get(key)
      const member = known === undefined ? memberOf(key, instance) : { ...known, instance }
      this.members.set(key, member)
      if (known === undefined) joined.push(member)
    }
    for (let shard = 0; shard < this.owners.length; shard += 1) {
      const owner = this.owners[shard]
      const current = owner === undefined ? undefined : this.members.get(owner.key)
      this.owners[shard] = current
      if (owner !== undefined && current === undefined) this.offer(shard, -1, this.members.values())
      else this.offer(shard, this.best[shard]!, joined)
    }
  }

  /** The member that has a shard; undefined when there are no members. */
  owner(shard: number): Instance | undefined {
    return this.owners[shard]?.instance
  }

  private offer(shard: number, from: number, candidates: Iterable<Member>): void {
    let best = from
    let owner = this.owners[shard]
    for (const member of candidates) {
      const score = scoreOf(member, shard)
      if (score < best || (score === best && owner !== undefined && owner.key < member.key)) continue
      best = score
      owner = member
    }
    this.best[shard] = best
    this.owners[shard] = owner
  }
}

// Everything below is part of what clients of different versions have to agree on: assignment.test.ts has vectors.

function memberOf(key: string, instance: Instance): Member {
  return { key, instance, high: hash(key, 0x811c9dc5), low: hash(key, 0x2f0b4c47) }
}

/** 53 bits, so that ties are next to impossible; then the smaller key wins. */
function scoreOf({ high, low }: Member, shard: number): number {
  const step = Math.imul(shard + 1, 0x9e3779b1)
  return mixed(high ^ step) * 2_097_152 + (mixed(low ^ step) >>> 11)
}

/** FNV-1a over UTF-16 code units, mixed; names are ASCII. */
function hash(text: string, start: number): number {
  let value = start
  for (let index = 0; index < text.length; index += 1)
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193)
  return mixed(value)
}

/** The finalizer of MurmurHash3: every bit of the input counts for every bit of the output. */
function mixed(value: number): number {
  let bits = value
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return (bits ^ (bits >>> 16)) >>> 0
}
