#!/usr/bin/env node
/**
 * Writes sign.json: test vectors for anyone who computes signs. Nodes mix; clients only add.
 * The arithmetic here is a second implementation on BigInt, written from docs/protocol.md and not from
 * src/sign.ts, so that the two check each other. Usage: node packages/wire/vectors/generate.js [--check]
 */
import { readFileSync, writeFileSync } from 'node:fs'

const M32 = 0xffffffffn
const M64 = 0xffffffffffffffffn
const hex = (value) => value.toString(16).padStart(16, '0')

function fmix32(h) {
  let x = h & M32
  x ^= x >> 16n
  x = (x * 0x85ebca6bn) & M32
  x ^= x >> 13n
  x = (x * 0xc2b2ae35n) & M32
  x ^= x >> 16n
  return x
}

function mix(content, stateNumber, weight) {
  let hi = (content >> 32n) ^ ((BigInt(stateNumber) * 0x9e3779b1n) & M32)
  let lo = (content & M32) ^ ((BigInt(weight + 1) * 0x85ebca77n) & M32)
  hi = fmix32(hi + lo)
  lo = fmix32(lo + hi)
  hi = (hi + lo) & M32
  lo = (lo + hi) & M32
  return (hi << 32n) | lo
}

const STATES = { starting: 1, up: 2, suspect: 3, down: 4, draining: 5, disabled: 6 }
const CONTENTS = [
  0n,
  1n,
  M64,
  0x8000000000000000n,
  0x00000000ffffffffn,
  0xffffffff00000000n,
  0x0123456789abcdefn,
]

const mixes = []
for (const content of CONTENTS) {
  for (const [state, number] of Object.entries(STATES)) {
    for (const weight of [0, 1, 100, 65_535]) {
      mixes.push({ content: hex(content), state, number, weight, shown: hex(mix(content, number, weight)) })
    }
  }
}

const sum = (digests) => ({
  digests: digests.map(hex),
  sign: hex(digests.reduce((a, b) => (a + b) & M64, 0n)),
})
const shown = mixes.map((entry) => BigInt(`0x${entry.shown}`))
const sums = [
  sum([]),
  sum([1n]),
  sum([M64, 1n]),
  sum([0x00000000ffffffffn, 1n]),
  sum([0xffffffff00000000n, 0x0000000100000000n]),
  sum([M64, M64, M64]),
  sum(shown.slice(0, 10)),
  sum([...shown.slice(0, 10)].reverse()),
  sum(shown),
]

/** A list, a change, and the list after it: what docs/protocol.md walks through. */
function story() {
  const a = mix(0x1111111111111111n, STATES.up, 100)
  const b = mix(0x2222222222222222n, STATES.up, 100)
  const c = mix(0x3333333333333333n, STATES.up, 100)
  const bSuspect = mix(0x2222222222222222n, STATES.suspect, 100)
  const item = (id, digest) => ({ group: 'default', id, digest: hex(digest) })
  return {
    before: { sign: sum([a, b, c]).sign, instances: [item('a', a), item('b', b), item('c', c)] },
    delta: {
      from: sum([a, b, c]).sign,
      to: sum([a, bSuspect]).sign,
      upserts: [item('b', bSuspect)],
      removes: [{ group: 'default', id: 'c', incarnation: 1, reason: 'deregistered' }],
    },
    after: { sign: sum([a, bSuspect]).sign, instances: [item('a', a), item('b', bSuspect)] },
  }
}

const file = new URL('sign.json', import.meta.url)
const text = `${JSON.stringify({ mix: mixes, sums, story: story() }, null, 2)}\n`
if (process.argv.includes('--check')) {
  if (readFileSync(file, 'utf8') !== text) {
    console.error('sign.json is out of date: run node packages/wire/vectors/generate.js')
    process.exitCode = 1
  }
} else {
  writeFileSync(file, text)
}
